"""How long the properties may take."""

from hypothesis import settings

# A busy machine is no counter-example: pytest's own time-out bounds the tests.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

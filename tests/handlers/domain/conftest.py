"""How long the properties may take."""

from hypothesis import settings

# A busy machine is not a counter-example: pytest's own time-out bounds the tests.
settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")

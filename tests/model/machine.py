"""The model: any of what may happen to the product, in any order; Hypothesis chooses, and shrinks what breaks it."""

from tests.model.doings import Jobs, Messages, Notices, Persons
from tests.model.happenings import Crashes, Meanwhile, Sweeps, Time, Troubles


class Model(Time, Crashes, Meanwhile, Troubles, Sweeps, Jobs, Notices, Messages, Persons):
    """All that may happen."""

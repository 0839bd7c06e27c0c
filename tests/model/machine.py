"""The model: any of what may happen to the product, in any order; Hypothesis chooses, and shrinks what breaks it."""

from tests.model.consequences import Consequences
from tests.model.external_rules import Crashes, Meanwhile, Purges, Sweeps, Time, Troubles
from tests.model.internal_rules import Jobs, Messages, Notices, Persons
from tests.model.uploads import Uploads


class Model(Time, Crashes, Consequences, Meanwhile, Purges, Troubles, Sweeps, Jobs, Notices, Messages, Persons, Uploads):
    """All that may happen."""

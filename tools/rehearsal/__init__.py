"""A rehearsal: the steps from a library of videos to its review, in the offline world."""

from tools.rehearsal.library import demo, own
from tools.rehearsal.output import OutputFolder, require_apart
from tools.rehearsal.playground import require_keeping
from tools.rehearsal.run import Rehearsal

__all__ = ["OutputFolder", "Rehearsal", "demo", "own", "require_apart", "require_keeping"]

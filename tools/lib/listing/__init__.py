"""Listing a bucket: which objects are selected (`Selection`), and the objects themselves (`list_batches`), in batches."""

from tools.lib.listing.client import is_versioned
from tools.lib.listing.filters import Filters, compiled
from tools.lib.listing.objects import Batch, ListedObject
from tools.lib.listing.parallel import list_batches
from tools.lib.listing.selection import Sample, Selection
from tools.lib.listing.sizes import UNKNOWN_SIZE, SizeCounts

__all__ = [
    "UNKNOWN_SIZE",
    "Batch",
    "Filters",
    "ListedObject",
    "Sample",
    "Selection",
    "SizeCounts",
    "compiled",
    "is_versioned",
    "list_batches",
]

"""Listing a bucket: which objects are selected (`Selection`), and the objects themselves (`list_batches`), in batches."""

from tools.lib.listing.client import is_versioned
from tools.lib.listing.filters import Filters, compiled
from tools.lib.listing.objects import Batch, ListedObject
from tools.lib.listing.parallel import list_batches
from tools.lib.listing.selection import DEFAULT_SUFFIXES, Sample, Selection
from tools.lib.listing.sizes import UNKNOWN_SIZE, SizeCounts
from tools.lib.listing.unselected import UnselectedCounts, suffixes_of

__all__ = [
    "DEFAULT_SUFFIXES",
    "UNKNOWN_SIZE",
    "Batch",
    "Filters",
    "ListedObject",
    "Sample",
    "Selection",
    "SizeCounts",
    "UnselectedCounts",
    "compiled",
    "is_versioned",
    "list_batches",
    "suffixes_of",
]

"""Headers of MP4 and MOV files: the length and codec of a film by a few ranges of its bytes, whoever reads them."""

from handlers.domain.mp4.header import GONE, OTHER_CONTAINER, Header, Reading, Unreadable, read_header
from handlers.domain.mp4.length import LONGEST_SECONDS
from handlers.domain.mp4.ranged_reader import BrokenError, RangedReading

__all__ = [
    "GONE",
    "LONGEST_SECONDS",
    "OTHER_CONTAINER",
    "BrokenError",
    "Header",
    "RangedReading",
    "Reading",
    "Unreadable",
    "read_header",
]

"""What S3 charges because objects are read: retrieval by storage class, dearer requests, and promotion in Intelligent-Tiering."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.lib.estimate.figure import Range
from tools.lib.estimate.prices import PriceTable
from tools.lib.estimate.sampling import Population
from tools.lib.listing import Batch, ListedObject
from tools.lib.text import byte_size

# HEAD and first bytes, when an object is registered and when it is started. Counted on the emulator.
GETS_PER_VIDEO = 4

# How often Rekognition reads each byte of an object. AWS does not say: assumed to be once, and at most twice.
READS = Range(1.0, 1.0, 2.0)

# The same for analyses by frames: part of an MP4 with few key frames, all of other containers. Each block that is read is a GET.
FRAME_READS = Range(0.1, 0.6, 1.2)
GETS_PER_FRAME = 3

# S3 bills GB of 10^9 bytes.
_GB = 1e9

# Classes from which reading costs its requests only. A restored copy of an archived object is one of these: its retrieval was paid
# for when it was restored.
_FREE = frozenset({"STANDARD", "REDUCED_REDUNDANCY", "GLACIER", "DEEP_ARCHIVE"})

# The names of the prices of a GB and of a thousand requests.
_RETRIEVED = {
    "STANDARD_IA": ("s3_gb_read_standard_ia", "s3_thousand_gets_infrequent"),
    "ONEZONE_IA": ("s3_gb_read_onezone_ia", "s3_thousand_gets_infrequent"),
    "GLACIER_IR": ("s3_gb_read_glacier_ir", "s3_thousand_gets_glacier_ir"),
}

_TIERING = "INTELLIGENT_TIERING"

# What an object is stored as where the source has no storage classes, as an inventory without that field.
UNKNOWN_CLASS = ""


@dataclass(slots=True)
class StoredBytes:
    """The objects and bytes of a manifest by storage class."""

    _objects: Counter[str] = field(default_factory=Counter)
    _bytes: Counter[str] = field(default_factory=Counter)

    def add(self, batch: Batch) -> None:
        """Add a batch, by whole columns where all of it has one class."""
        if len(set(batch.storage_classes)) == 1:
            name = batch.storage_classes[0]
            self._objects[name] += len(batch)
            self._bytes[name] += sum(batch.sizes)
            return
        for name, size in zip(batch.storage_classes, batch.sizes, strict=True):
            self._objects[name] += 1
            self._bytes[name] += size

    def remove(self, found: ListedObject) -> None:
        """Remove an object that was added and is left out of the manifest after all."""
        self._objects[found.storage_class] -= 1
        self._bytes[found.storage_class] -= found.size

    @property
    def populations(self) -> dict[str, Population]:
        """Return the objects of each class, the classes in the order of their names."""
        return {name: Population(count, self._bytes[name]) for name, count in sorted(self._objects.items()) if count}


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What S3 charges for reading, and for what.

    Attributes:
        dollars: Beyond the requests of the class STANDARD.
        stored: All objects, by storage class.
        charged: The objects of the classes that charge for it.
        unpriced: The objects of classes whose price is not known, and so not in `dollars`.
        assumption: How much of each object is read.
    """

    dollars: Range
    stored: Mapping[str, Population]
    charged: Mapping[str, Population]
    unpriced: Mapping[str, Population]
    assumption: str

    def sentences(self, amount: str) -> list[str]:
        """Return what is charged, with the amount as it is written, and what is not known."""
        lines = []
        if self.charged:
            lines.append(f"{amount} of it because S3 charges for reading {_listed(self.charged)}")
            lines.append(self.assumption)
        if _TIERING in self.charged:
            lines.append("reading moves what Intelligent-Tiering had moved to cheaper tiers back for at least 30 days")
        if UNKNOWN_CLASS in self.charged:
            lines.append("the inventory has no storage classes, so the upper end takes all to be in the dearest")
        if self.unpriced:
            lines.append(f"not included, because the price is not known: reading {_listed(self.unpriced)}")
        return lines

    def as_json(self) -> dict[str, Any]:
        """Return the bytes by storage class, and whether the price of reading from each is known."""
        return {"bytes": {name: each.bytes for name, each in self.stored.items()}, "complete": not self.unpriced}


@dataclass(frozen=True, slots=True)
class Reads:
    """How the objects of a scan are read: how often each byte, and with how many GETs an object."""

    bytes: Range
    gets: float
    assumption: str


BY_REKOGNITION = Reads(READS, GETS_PER_VIDEO, "Rekognition is assumed to read each object once, at most twice")


def by_frames(images_per_object: float) -> Reads:
    """Return how the objects of a scan by frames are read."""
    gets = GETS_PER_VIDEO + GETS_PER_FRAME * images_per_object
    return Reads(FRAME_READS, gets, "a tenth to all of each object is assumed to be read for its frames")


def retrieval_of(stored: Mapping[str, Population], prices: PriceTable, reads: Reads = BY_REKOGNITION) -> Retrieval:
    """Return what S3 charges for reading these objects, by storage class."""
    charged = {name: each for name, each in stored.items() if name in {*_RETRIEVED, _TIERING, UNKNOWN_CLASS}}
    unpriced = {name: each for name, each in stored.items() if name not in charged and name not in _FREE}
    total = Range.exactly(0.0)
    for name, each in charged.items():
        total = total.plus(_dollars(name, each, prices, reads))
    return Retrieval(total, stored, charged, unpriced, reads.assumption)


def _dollars(name: str, stored: Population, prices: PriceTable, reads: Reads) -> Range:
    if name == _TIERING:
        return _promotion(prices).through(lambda dollars: dollars * stored.bytes / _GB)
    if name == UNKNOWN_CLASS:
        return Range(0.0, 0.0, max(_retrieved(each, stored, prices, reads).high for each in _RETRIEVED))
    return _retrieved(name, stored, prices, reads)


def _retrieved(name: str, stored: Population, prices: PriceTable, reads: Reads) -> Range:
    per_gb, per_thousand = (float(prices[price]) for price in _RETRIEVED[name])
    dearer = max(0.0, per_thousand - float(prices["s3_thousand_gets"]))
    requests = stored.count * reads.gets * dearer / 1_000
    return reads.bytes.through(lambda times: times * per_gb * stored.bytes / _GB + requests)


def _promotion(prices: PriceTable) -> Range:
    """Return the dollars for a GB that reading moves back to frequent access.

    It stays there for 30 days, then has infrequent access up to its 90th day. A listing does not show the tier: the low end takes
    everything to have frequent access already, the high end to come from archive instant access.
    """
    tiers = ("s3_gb_month_frequent", "s3_gb_month_infrequent", "s3_gb_month_archive_instant")
    frequent, infrequent, archive = (float(prices[tier]) for tier in tiers)
    from_infrequent = max(0.0, frequent - infrequent)
    from_archive = max(from_infrequent, frequent - archive + 2 * (infrequent - archive))
    return Range(0.0, from_infrequent, from_archive)


def _listed(stored: Mapping[str, Population]) -> str:
    return " and ".join(f"{byte_size(each.bytes)} of {name or 'an unknown storage class'}" for name, each in _largest(stored))


def _largest(stored: Mapping[str, Population]) -> Iterable[tuple[str, Population]]:
    return sorted(stored.items(), key=lambda item: item[1].bytes, reverse=True)

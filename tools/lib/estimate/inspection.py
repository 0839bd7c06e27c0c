"""Inspects the objects of a manifest while it is written: finds those that cannot be analysed, and measures the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from handlers.domain import Problem
from handlers.domain.mp4 import Reading
from tools.lib.cli import Bar
from tools.lib.errors import ToolError
from tools.lib.estimate.engine_choice import BY_VIDEO, EngineChoice
from tools.lib.estimate.headers import HeaderReader
from tools.lib.estimate.measurements import Measurements
from tools.lib.estimate.options import Measure
from tools.lib.estimate.prices import PriceTable
from tools.lib.estimate.retrieval import StoredBytes
from tools.lib.estimate.sampling import Population, Sampler
from tools.lib.listing import Batch, ListedObject
from tools.lib.ordered_map import ordered_map

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectRequestTypeDef


# Headers read at a time: each is a wait for S3, and boto3's own pool has 10 connections unless its client was given more.
WORKERS = 16

# How the step is called while it is shown.
READING_HEADERS = "Reading the headers of videos"

# Headers for each worker that may be in flight or queued: this bounds the memory.
AHEAD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateOptions:
    """How an estimate is made: how many headers are read, the prices, and the spending limit."""

    measure: Measure
    prices: PriceTable = field(default_factory=PriceTable)
    max_cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class InspectionResult:
    """The objects that were inspected, by size class, including those left out for their header; and the measurements of some.

    Attributes:
        alternative: The same measurements for the other engine.
        stored: The objects that are in the manifest, by storage class.
    """

    populations: dict[int, Population]
    measurements: Measurements
    alternative: Measurements
    stored: dict[str, Population]


class HeaderInspection:
    """Inspects the objects of a manifest: which must be left out, and how long the others are.

    It reads either every header as the objects come, or those of a sample at the end. The same objects in the same order and the
    same measure give the same sample, so that a plan that is checked again gives the same manifest.
    """

    def __init__(self, s3: S3Client, bucket: str, measure: Measure, bar: Bar, choice: EngineChoice = BY_VIDEO) -> None:
        self._measurements = Measurements(choice)
        self._alternative = Measurements(choice.alternative)
        self._reader = HeaderReader(s3)
        self._bucket = bucket
        self._measure = measure
        self._bar = bar
        self._sampler = Sampler(measure.sample)
        self._stored = StoredBytes()

    def judge(self, batch: Batch) -> Sequence[Problem | None]:
        """Return for each object why it cannot be analysed, None if nothing is known."""
        self._sampler.offer_all(batch.sizes, lambda at: next(iter(batch[at : at + 1])))
        self._stored.add(batch)
        if not self._measure.all:
            return [None] * len(batch)
        return [self._fault(found, reading) for found, reading in self._headers(batch, None)]

    def conclude(self) -> Iterator[tuple[ListedObject, Problem]]:
        """Read the headers of the sample, and yield the objects that cannot be analysed, with the reason."""
        chosen = self._sampler.draw()
        for found, reading in self._headers(chosen, len(chosen)):
            if fault := self._fault(found, reading):
                yield found, fault

    @property
    def result(self) -> InspectionResult:
        """Return all objects and their measurements, after `conclude`."""
        return InspectionResult(self._sampler.populations, self._measurements, self._alternative, self._stored.populations)

    def _fault(self, found: ListedObject, reading: Reading) -> Problem | None:
        self._measurements.add(found, reading)
        self._alternative.add(found, reading)
        problem = self._measurements.choice.problem(reading)
        if problem is not None:
            self._stored.remove(found)
        return problem

    def _headers(self, objects: Iterable[ListedObject], total: int | None) -> Iterator[tuple[ListedObject, Reading]]:
        return read_headers(self._reader, self._bucket, objects, bar=self._bar, total=total, before=self._measurements.inspected)


def read_headers(
    reader: HeaderReader,
    bucket: str,
    objects: Iterable[ListedObject],
    *,
    bar: Bar,
    total: int | None = None,
    before: int = 0,
    workers: int = WORKERS,
) -> Iterator[tuple[ListedObject, Reading]]:
    """Yield each object with its header, in order, and show the progress, with those that were read before."""
    read = ordered_map(partial(reader.read, bucket), objects, workers=workers, ahead=workers * AHEAD)
    for done, (found, reading) in enumerate(read, before + 1):
        bar.show(READING_HEADERS, done, total)
        yield found, reading


def require_no_limit(options: EstimateOptions, why: str) -> None:
    """Make sure that there is no spending limit if the cost cannot be estimated.

    Raises:
        ToolError: There is one.
    """
    if options.max_cost is not None:
        raise ToolError(f"Whether the scan costs less than --max-cost is not known: {why}.", cure="Omit --max-cost.")


def with_head(s3: S3Client, bucket: str, batches: Iterable[Batch]) -> Iterator[Batch]:
    """Yield batches of objects of which only the names are known, with size, storage class and etag from HeadObject.

    An object that cannot be read stays as it is: its task will report the reason.
    """
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="head") as pool:
        for batch in batches:
            yield Batch.of(pool.map(lambda found: _with_head(s3, bucket, found), batch))


def _with_head(s3: S3Client, bucket: str, named: ListedObject) -> ListedObject:
    request: HeadObjectRequestTypeDef = {"Bucket": bucket, "Key": named.key}
    if named.version_id is not None:
        request["VersionId"] = named.version_id
    try:
        head = s3.head_object(**request)
    except ClientError as error:
        if fault_of(error) in {Fault.MISSING, Fault.FORBIDDEN}:
            return named
        raise
    return ListedObject(
        named.key,
        head["ContentLength"],
        named.version_id,
        head.get("StorageClass", "STANDARD"),
        head["ETag"].strip('"'),
        head["LastModified"],
        'ongoing-request="false"' in head.get("Restore", ""),
    )

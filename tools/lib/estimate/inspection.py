"""Inspecting what goes into a manifest while it is written: headers are read, and from them comes the estimate.

What a header speaks against is left out; a sample of them also tells how long the rest may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from handlers.adapters.table import Scans
from tools.lib.cli.output import Bar
from tools.lib.errors import ToolError
from tools.lib.estimate.measurements import Measurements
from tools.lib.estimate.measuring import WORKERS, read_headers
from tools.lib.estimate.mp4.header import Header, HeaderReader, Reading
from tools.lib.estimate.options import Measure
from tools.lib.estimate.pace import measured_speed
from tools.lib.estimate.prices import PriceTable
from tools.lib.estimate.result import Estimate
from tools.lib.estimate.result import estimate as estimated
from tools.lib.estimate.sampling import Population, Sampler
from tools.lib.listing import Batch, ListedObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectRequestTypeDef


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateOptions:
    """How an estimate is made: how many headers are read, at which prices, and the most that may be spent."""

    measure: Measure
    prices: PriceTable = field(default_factory=PriceTable)
    max_cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class InspectionResult:
    """What was looked at, by class of size, with what was left out for its header; and what was measured of it."""

    populations: dict[int, Population]
    measurements: Measurements


class HeaderInspection:
    """Inspects every object of a manifest while it is written: which must be left out, and what the rest comes to.

    Either all headers are read as the objects come, or those of a sample once all have come. The same objects in the same order,
    and the same measure, give the same sample: so a plan that is checked again comes to the same manifest.
    """

    def __init__(self, s3: S3Client, bucket: str, measure: Measure, bar: Bar) -> None:
        self._measurements = Measurements()
        self._reader = HeaderReader(s3)
        self._bucket = bucket
        self._measure = measure
        self._bar = bar
        self._sampler = Sampler(measure.sample)

    def judge(self, batch: Batch) -> Sequence[str]:
        """Return, of each object, the code of what Rekognition would refuse it for, "" where nothing known speaks against it."""
        self._sampler.offer_all(batch.sizes, lambda at: next(iter(batch[at : at + 1])))
        if not self._measure.all:
            return [""] * len(batch)
        return [self._code(found, reading) for found, reading in self._headers(batch, None)]

    def conclude(self) -> Iterator[tuple[ListedObject, str]]:
        """Read the headers of the sample, and yield what Rekognition would refuse of it with the code of the reason."""
        chosen = self._sampler.draw().chosen
        for found, reading in self._headers(chosen, len(chosen)):
            if code := self._code(found, reading):
                yield found, code

    @property
    def result(self) -> InspectionResult:
        """Return what there was and what was measured of it, once it is through."""
        return InspectionResult(self._sampler.draw().populations, self._measurements)

    def _code(self, found: ListedObject, reading: Reading) -> str:
        self._measurements.add(found, reading)
        fault = reading.fault if isinstance(reading, Header) else None
        return "" if fault is None else fault.code

    def _headers(self, objects: Iterable[ListedObject], total: int | None) -> Iterator[tuple[ListedObject, Reading]]:
        return read_headers(self._reader, self._bucket, objects, bar=self._bar, total=total)


def estimate_of(
    options: EstimateOptions,
    found: InspectionResult,
    *,
    objects: int,
    history: Scans,
    now: float,
    slots: int,
    region: str,
) -> Estimate:
    """Return the estimate of a scan of this many objects: what was looked at, less what was left out for its header.

    Raises:
        ToolError: It may cost more than was allowed.
    """
    estimate = estimated(
        found.populations,
        found.measurements,
        objects=objects,
        now=now,
        slots=slots,
        speed=measured_speed(history, slots),
        prices=options.prices,
        region=region,
    )
    estimate.require_affordable(options.max_cost)
    return estimate


def require_no_limit(options: EstimateOptions, why: str) -> None:
    """Make sure that no limit was set where it is not known what a scan may cost.

    Raises:
        ToolError: One was.
    """
    if options.max_cost is not None:
        raise ToolError(f"Whether the scan costs less than --max-cost cannot be told: {why}.", cure="Omit --max-cost.")


def looked_at(s3: S3Client, bucket: str, batches: Iterable[Batch]) -> Iterator[Batch]:
    """Yield batches of objects that are only named, with size, storage class and etag as HeadObject tells them, many at a time.

    What cannot be looked at stays as it was named: its task will say why.
    """
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="look") as pool:
        for batch in batches:
            yield Batch.of(pool.map(lambda found: _looked_at(s3, bucket, found), batch))


def _looked_at(s3: S3Client, bucket: str, named: ListedObject) -> ListedObject:
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

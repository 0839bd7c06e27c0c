"""What a scan costs: Rekognition's minutes and images, the batch job, functions, queues, the table and S3 requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tools.lib.estimate.figure import Range
from tools.lib.estimate.prices import PriceTable
from tools.lib.estimate.retrieval import GETS_PER_FRAME, GETS_PER_VIDEO
from tools.lib.text import in_utc

# The raw hits. Counted on the emulator.
PUTS_PER_VIDEO = 1

# SendMessage, ReceiveMessage, ChangeMessageVisibility, DeleteMessage. Counted on the emulator.
QUEUE_REQUESTS_PER_VIDEO = 4

# batch_invoke, start_analysis, completion. Counted on the emulator.
INVOCATIONS_PER_VIDEO = 3

# Units: two writes and two transactions of five items, which count twice, and both indexes; more with many segments.
WRITES_PER_VIDEO = Range(20, 30, 60)

READS_PER_VIDEO = Range(5, 8, 20)

# batch_invoke with 256 MB, completion with 1,024 MB: some hundred milliseconds each. Not measured on AWS.
FUNCTION_GB_SECONDS_PER_VIDEO = Range(0.2, 0.8, 3.0)

STARTER_GB = 0.25

# A lane has two starters of 256 MB, which wait for free jobs as long as the scan takes.
STARTERS = 2

# For each image: sample_frames decodes it, waits for Rekognition, and writes the pace and a share of the progress. Not measured
# on AWS.
FRAMES_GB = 1.73
SECONDS_PER_IMAGE = Range(0.3, 0.6, 2.0)
WRITES_PER_IMAGE = 0.5


@dataclass(frozen=True, slots=True)
class Cost:
    """The dollars of one scan, by what they are for."""

    rekognition: Range
    batch: Range
    retrieval: Range
    around: Range

    @property
    def total(self) -> Range:
        return self.rekognition.plus(self.batch).plus(self.retrieval).plus(self.around)

    def as_json(self) -> dict[str, Any]:
        parts = {
            "rekognition": self.rekognition,
            "s3_batch": self.batch,
            "s3_retrieval": self.retrieval,
            "around": self.around,
            "total": self.total,
        }
        return {name: value.as_json() for name, value in parts.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a scan does that costs money.

    Attributes:
        minutes: The minutes of video that the video API analyses.
        images: The frames and images that are analysed.
        objects: The objects in the manifest.
        submitted_at: When the scan is submitted (epoch seconds).
        seconds: How long it takes from then to its end.
        starters: How many starters wait for free jobs all that time.
    """

    minutes: Range
    images: Range
    objects: int
    submitted_at: float
    seconds: Range
    starters: int = STARTERS


def cost_of(work: Work, retrieval: Range, prices: PriceTable) -> Cost:
    """Return what a scan costs; `retrieval` is what S3 charges for reading from classes other than STANDARD."""
    per_minute = float(prices["rekognition_minute"])
    batch = prices["batch_job"] + work.objects * prices["batch_million_objects"] / 1_000_000
    return Cost(
        rekognition=work.minutes.through(lambda value: value * per_minute).plus(_of_images(work, prices)),
        batch=Range.exactly(float(batch)),
        retrieval=retrieval,
        around=_around(work, prices),
    )


def _of_images(work: Work, prices: PriceTable) -> Range:
    """Return the dollars for the images; price tiers start over with each calendar month."""
    images, seconds = work.images, work.seconds
    return Range(
        prices.images(images.low, _months(work.submitted_at, seconds.low)),
        prices.images(images.best, _months(work.submitted_at, seconds.best)),
        prices.images(images.high, _months(work.submitted_at, seconds.high)),
    )


def _months(start: float, seconds: float) -> int:
    """Return how many calendar months a scan touches."""
    first, last = in_utc(start), in_utc(start + seconds)
    return (last.year - first.year) * 12 + last.month - first.month + 1


def _around(work: Work, prices: PriceTable) -> Range:
    gb_second = float(prices["lambda_gb_second"])
    write, get = float(prices["dynamodb_million_writes"]) / 1_000_000, float(prices["s3_thousand_gets"]) / 1_000
    requests = (
        GETS_PER_VIDEO * get
        + PUTS_PER_VIDEO * float(prices["s3_thousand_puts"]) / 1_000
        + QUEUE_REQUESTS_PER_VIDEO * float(prices["sqs_million_requests"]) / 1_000_000
        + INVOCATIONS_PER_VIDEO * float(prices["lambda_million_requests"]) / 1_000_000
    )
    table = WRITES_PER_VIDEO.through(lambda units: units * write).plus(
        READS_PER_VIDEO.through(lambda units: units * float(prices["dynamodb_million_reads"]) / 1_000_000)
    )
    functions = FUNCTION_GB_SECONDS_PER_VIDEO.through(lambda used: used * gb_second)
    objects = table.plus(functions).through(lambda dollars: work.objects * (dollars + requests))
    image = SECONDS_PER_IMAGE.through(lambda used: used * FRAMES_GB * gb_second + WRITES_PER_IMAGE * write + GETS_PER_FRAME * get)
    waiting = work.seconds.through(lambda value: value * work.starters * STARTER_GB * gb_second)
    return objects.plus(waiting).plus(work.images.times(image))

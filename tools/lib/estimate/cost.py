"""What a scan costs: Rekognition's minutes, the batch job, and the functions, queues, table and requests around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tools.lib.estimate.figure import Range
from tools.lib.estimate.prices import PriceTable
from tools.lib.estimate.retrieval import GETS_PER_VIDEO

# Its hits are stored. Counted on the emulator.
PUTS_PER_VIDEO = 1

# Send, receive, change of visibility, delete (counted).
QUEUE_REQUESTS_PER_VIDEO = 4

# batch_invoke, start_analysis, completion (counted).
INVOCATIONS_PER_VIDEO = 3

# Units: two writes and two transactions of five items, which count twice, and both indexes; more with many segments.
WRITES_PER_VIDEO = Range(20, 30, 60)

READS_PER_VIDEO = Range(5, 8, 20)

# batch_invoke with 256 MB, completion with 1,024 MB: some hundred milliseconds each. Not measured on AWS.
FUNCTION_GB_SECONDS_PER_VIDEO = Range(0.2, 0.8, 3.0)

STARTER_GB = 0.25

# A lane has two starters of 256 MB, which wait for free jobs as long as the scan takes.
STARTERS = 2


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


def cost_of(*, minutes: Range, objects: int, seconds: Range, retrieval: Range, prices: PriceTable) -> Cost:
    """Return what a scan costs.

    Args:
        minutes: Of video that will be analysed.
        objects: In the manifest.
        seconds: From the submission to the end.
        retrieval: In dollars, what S3 charges for reading from classes other than STANDARD.
        prices: In dollars.
    """
    per_minute = float(prices["rekognition_minute"])
    batch = prices["batch_job"] + objects * prices["batch_million_objects"] / 1_000_000
    return Cost(
        rekognition=minutes.through(lambda value: value * per_minute),
        batch=Range.exactly(float(batch)),
        retrieval=retrieval,
        around=_around(objects, seconds, prices),
    )


def _around(objects: int, seconds: Range, prices: PriceTable) -> Range:
    gb_second = float(prices["lambda_gb_second"])
    requests = (
        GETS_PER_VIDEO * float(prices["s3_thousand_gets"]) / 1_000
        + PUTS_PER_VIDEO * float(prices["s3_thousand_puts"]) / 1_000
        + QUEUE_REQUESTS_PER_VIDEO * float(prices["sqs_million_requests"]) / 1_000_000
        + INVOCATIONS_PER_VIDEO * float(prices["lambda_million_requests"]) / 1_000_000
    )
    table = WRITES_PER_VIDEO.through(lambda units: units * float(prices["dynamodb_million_writes"]) / 1_000_000).plus(
        READS_PER_VIDEO.through(lambda units: units * float(prices["dynamodb_million_reads"]) / 1_000_000)
    )
    functions = FUNCTION_GB_SECONDS_PER_VIDEO.through(lambda used: used * gb_second)
    for_each = table.plus(functions).through(lambda dollars: objects * (dollars + requests))
    return for_each.plus(seconds.through(lambda value: value * STARTERS * STARTER_GB * gb_second))

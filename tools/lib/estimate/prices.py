"""Prices of us-east-1 in US dollars before taxes, each with its source and date."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from tools.lib.bounded import MAX_SETTINGS, parse_json, read_file
from tools.lib.errors import ToolError


@dataclass(frozen=True, slots=True)
class Price:
    """One price in US dollars per unit.

    Attributes:
        source: Where the figure was read. Not at AWS, whose pages fill prices in by script.
        as_of: The month of the source; None where it does not say.
        page: AWS's page, on which to look it up.
    """

    dollars: Decimal
    unit: str
    source: str
    as_of: str | None
    page: str

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "dollars": float(self.dollars)}


_S3_SOURCE = "aws-samples/sample-replicate-on-tag-for-amazon-s3, docs/cost.md"
_THIRD = "pages of third parties"
_FROM_MEMORY = "AWS's public price since 2016, from memory: look it up"
_LAMBDA_PAGE, _S3_PAGE, _SQS_PAGE, _REKOGNITION_PAGE = (
    f"https://aws.amazon.com/{service}/pricing/" for service in ("lambda", "s3", "sqs", "rekognition")
)
_TABLE_PAGE = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_OBJECTFS = "scttfrdmn/objectfs, package awsrates, a copy of AWS's Pricing API"
_USAGE = "usage.ai, Glacier and Deep Archive Pricing; the same as in scttfrdmn/objectfs"
_TIERS = "a third party's copy of AWS's Pricing API"

BATCH_JOB = Price(Decimal("0.25"), "S3 Batch Operations job", _S3_SOURCE, "2026-06", _S3_PAGE)
BATCH_MILLION_OBJECTS = Price(Decimal("1.00"), "million objects of a job", _S3_SOURCE, "2026-06", _S3_PAGE)
REKOGNITION_MINUTE = Price(
    Decimal("0.10"), "minute of stored video, content moderation", "several pages of third parties", None, _REKOGNITION_PAGE
)
REKOGNITION_IMAGE = Price(
    Decimal("0.0010"),
    "image, the first million of a month",
    "api-evangelist/amazon-rekognition, plans",
    "2026-10",
    _REKOGNITION_PAGE,
)

# Every price, by the name that a price file uses.
TABLE: Mapping[str, Price] = {
    "batch_job": BATCH_JOB,
    "batch_million_objects": BATCH_MILLION_OBJECTS,
    "rekognition_minute": REKOGNITION_MINUTE,
    "rekognition_image": REKOGNITION_IMAGE,
    "rekognition_image_after_1m": replace(REKOGNITION_IMAGE, dollars=Decimal("0.0008"), unit="image, the next 4 million"),
    "rekognition_image_after_5m": replace(REKOGNITION_IMAGE, dollars=Decimal("0.0006"), unit="image, the next 30 million"),
    "rekognition_image_after_35m": Price(
        Decimal("0.00025"), "image, all further ones of a month", "from memory: look it up", None, _REKOGNITION_PAGE
    ),
    "s3_thousand_gets": Price(Decimal("0.0004"), "thousand GET and HEAD requests", _S3_SOURCE, "2026-06", _S3_PAGE),
    "s3_thousand_puts": Price(Decimal("0.005"), "thousand PUT and LIST requests", _THIRD, None, _S3_PAGE),
    "s3_thousand_gets_infrequent": Price(
        Decimal("0.001"), "thousand GET and HEAD requests, Standard-IA and One Zone-IA", _OBJECTFS, None, _S3_PAGE
    ),
    "s3_thousand_gets_glacier_ir": Price(
        Decimal("0.01"), "thousand GET and HEAD requests, Glacier Instant Retrieval", _OBJECTFS, None, _S3_PAGE
    ),
    "s3_gb_read_standard_ia": Price(Decimal("0.01"), "GB read from Standard-IA", _USAGE, "2026-05", _S3_PAGE),
    "s3_gb_read_onezone_ia": Price(Decimal("0.01"), "GB read from One Zone-IA", _USAGE, "2026-05", _S3_PAGE),
    "s3_gb_read_glacier_ir": Price(Decimal("0.03"), "GB read from Glacier Instant Retrieval", _USAGE, "2026-05", _S3_PAGE),
    "s3_gb_month_frequent": Price(
        Decimal("0.023"), "GB and month, Intelligent-Tiering, frequent access", _TIERS, "2025-10", _S3_PAGE
    ),
    "s3_gb_month_infrequent": Price(
        Decimal("0.0125"), "GB and month, Intelligent-Tiering, infrequent access", _TIERS, "2025-10", _S3_PAGE
    ),
    "s3_gb_month_archive_instant": Price(
        Decimal("0.004"), "GB and month, Intelligent-Tiering, archive instant access", _TIERS, "2025-10", _S3_PAGE
    ),
    "lambda_gb_second": Price(Decimal("0.0000133334"), "GB-second of a function on arm64", _THIRD, None, _LAMBDA_PAGE),
    "lambda_million_requests": Price(Decimal("0.20"), "million invocations", _THIRD, None, _LAMBDA_PAGE),
    "sqs_million_requests": Price(Decimal("0.40"), "million requests of a standard queue", _FROM_MEMORY, None, _SQS_PAGE),
    "dynamodb_million_writes": Price(Decimal("0.625"), "million write units, on demand", _THIRD, "2024-11", _TABLE_PAGE),
    "dynamodb_million_reads": Price(Decimal("0.125"), "million read units, on demand", _THIRD, "2024-11", _TABLE_PAGE),
}
PRICES = (BATCH_JOB, BATCH_MILLION_OBJECTS, REKOGNITION_MINUTE, REKOGNITION_IMAGE)

# The prices of images, by the number of images in a month from which each applies. All images of an account count together.
IMAGE_TIERS = (
    (0, "rekognition_image"),
    (1_000_000, "rekognition_image_after_1m"),
    (5_000_000, "rekognition_image_after_5m"),
    (35_000_000, "rekognition_image_after_35m"),
)

# The Region whose prices these are.
REGION = "us-east-1"

# A higher price is a typing error.
MOST_DOLLARS = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The prices of an estimate; `changed` names those that a file gave."""

    prices: Mapping[str, Price] = field(default_factory=lambda: TABLE)
    changed: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Decimal:
        return self.prices[name].dollars

    def images(self, count: float, months: int) -> float:
        """Return what Rekognition charges for images that are spread evenly over calendar months."""
        in_a_month = count / months
        ends = [start for start, _ in IMAGE_TIERS[1:]] + [math.inf]
        of_a_month = (
            max(0.0, min(in_a_month, end) - start) * float(self[name]) for (start, name), end in zip(IMAGE_TIERS, ends, strict=True)
        )
        return months * sum(of_a_month)

    def as_json(self) -> dict[str, Any]:
        return {name: price.as_json() for name, price in self.prices.items()}


def load(path: Path) -> PriceTable:
    """Return the table with its prices replaced by those of a JSON file: `{"rekognition_minute": 0.08}`.

    A price may be an object too: `{"dollars": 0.08, "source": "our agreement", "as_of": "2026-10"}`.

    Raises:
        ToolError: It cannot be read, is too large or not JSON, or has an unknown price or an invalid value.
    """
    try:
        given = parse_json(read_file(path, "a file of prices", MAX_SETTINGS), exact=True)
    except OSError as error:
        raise ToolError(f"The prices {path} cannot be read: {error.strerror}.", cure="Is the path right?") from error
    except ValueError as error:  # of JSON as of UTF-8
        raise ToolError(f"The prices {path} are not JSON: {error}.", cure=_EXAMPLE) from error
    if not isinstance(given, dict):
        raise ToolError(f"The prices {path} are not a JSON object.", cure=_EXAMPLE)
    if unknown := sorted(set(given) - set(TABLE)):
        known = ", ".join(TABLE)
        raise ToolError(f"The prices {path} hold {', '.join(unknown)}, which is not a price.", cure=f"There are: {known}.")
    changed = {name: _price(path, name, value) for name, value in given.items()}
    return PriceTable({**TABLE, **changed}, tuple(changed))


_EXAMPLE = 'Write {"rekognition_minute": 0.08}: dollars by name.'
_DETAILS = {"dollars", "source", "as_of"}


def _price(path: Path, name: str, value: object) -> Price:
    details = value if isinstance(value, dict) else {"dollars": value}
    if extra := sorted(set(details) - _DETAILS):
        raise ToolError(f"The price {name} in {path} holds {', '.join(extra)}.", cure="It may hold dollars, source and as_of.")
    amount = details.get("dollars")
    number = Decimal(amount) if isinstance(amount, int | Decimal) and not isinstance(amount, bool) else None
    if number is None or not number.is_finite() or not 0 <= number <= MOST_DOLLARS:
        shown = json.dumps(amount, default=str)
        raise ToolError(f"The price {name} in {path} is {shown}.", cure=f"Give dollars as a number from 0 to {MOST_DOLLARS:,}.")
    return replace(
        TABLE[name],
        dollars=number,
        source=str(details.get("source") or path),
        as_of=None if details.get("as_of") is None else str(details["as_of"]),
    )


def batch_objects(objects: int) -> Decimal:
    """Return what S3 Batch Operations charges for this many objects, without the job itself."""
    return BATCH_MILLION_OBJECTS.dollars * objects / 1_000_000


def as_json(objects: int | None) -> dict[str, float | None]:
    """Return what a job of this many objects (None: unknown), a minute of video and an image cost."""
    return {
        "s3_batch_job_usd": float(BATCH_JOB.dollars),
        "s3_batch_objects_usd": None if objects is None else float(batch_objects(objects)),
        "rekognition_usd_per_minute": float(REKOGNITION_MINUTE.dollars),
        "rekognition_usd_per_image": float(REKOGNITION_IMAGE.dollars),
    }


def dollars(amount: Decimal) -> str:
    """Return an amount for a person: `$1,234.50`; less than a cent is not rounded to zero."""
    if 0 < amount < Decimal("0.01"):
        return "less than $0.01"
    return f"${amount:,.2f}"

"""What things cost in us-east-1, in US dollars before taxes: one table, with where each price was read and when."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One price in US dollars per unit.

    Attributes:
        source: Where the figure was read; none of them could be read at AWS itself, whose pages fill prices in by script.
        as_of: The month it was true in, None where the source does not say.
        page: AWS's page, to look it up.
    """

    dollars: Decimal
    unit: str
    source: str
    as_of: str | None
    page: str

    def as_json(self) -> dict[str, Any]:
        """Return the price as JSON values."""
        return {**asdict(self), "dollars": float(self.dollars)}


_S3_SOURCE = "aws-samples/sample-replicate-on-tag-for-amazon-s3, docs/cost.md"
_S3_PAGE = "https://aws.amazon.com/s3/pricing/"
BATCH_JOB = Price(dollars=Decimal("0.25"), unit="S3 Batch Operations job", source=_S3_SOURCE, as_of="2026-06", page=_S3_PAGE)
BATCH_MILLION_OBJECTS = Price(
    dollars=Decimal("1.00"), unit="million objects of a job", source=_S3_SOURCE, as_of="2026-06", page=_S3_PAGE
)
REKOGNITION_MINUTE = Price(
    dollars=Decimal("0.10"),
    unit="minute of stored video, content moderation",
    source="several pages of third parties",
    as_of=None,
    page="https://aws.amazon.com/rekognition/pricing/",
)
PRICES = (BATCH_JOB, BATCH_MILLION_OBJECTS, REKOGNITION_MINUTE)


def batch_objects(objects: int) -> Decimal:
    """Return the dollars that S3 Batch Operations takes for so many objects, without the job itself."""
    return BATCH_MILLION_OBJECTS.dollars * objects / 1_000_000


def dollars(amount: Decimal) -> str:
    """Return an amount as a person reads it: `$1,234.50`; less than a cent is not rounded away."""
    if 0 < amount < Decimal("0.01"):
        return "less than $0.01"
    return f"${amount:,.2f}"

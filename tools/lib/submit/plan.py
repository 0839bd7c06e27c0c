"""The plan of a scan: decided before anything is done. A dry run prints it, the real run performs the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.domain.states import Lane
from tools.lib.aws.deployment import Deployment
from tools.lib.estimate import NO_HEADERS, Measure, prices
from tools.lib.listing import Selection, SizeCounts
from tools.lib.manifest import LISTING, Generated, Kind, Source
from tools.lib.submit.job_request import NewJob, description

# What a plan's file says it is.
FORMAT = "video-moderation-plan/2"

# Bytes of prefixes in a scan's record: as many as a key may have, and few beside the rest.
MOST_NOTED = 1_024

# What follows by itself once a plan is submitted; sentences.
WHAT_HAPPENS = (
    "S3 Batch Operations hands each object to a function, which looks at it and queues it.",
    "Rekognition analyses the queued videos, as many at a time as the slots allow.",
    "What it finds is stored, and flagged videos are mailed.",
    "This goes on by itself: the terminal may be closed. review_report.py tells at any time what became of each object.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One scan as it will be submitted: what, where to, with what in mind.

    Attributes:
        created_at: When it was made (epoch seconds).
        ineligible: Objects that are left out and listed beside the manifest, by the code of the reason.
        sha256: Of the manifest (hex); what is submitted must have it.
        suspended: Whether the job waits for a confirmation in the console.
        skip_unchanged: Whether what an earlier scan finished was left out.
        measure: How many headers were read; what Rekognition would refuse of these was left out.
        estimate: Minutes, dollars and finishing time, as JSON values and in sentences; None if unknown.
        warnings: What the person should know before agreeing; sentences.
    """

    scan_id: str
    created_at: float
    selection: Selection
    source: Source = LISTING
    versioned: bool
    lane: Lane
    sizes: SizeCounts
    ineligible: Mapping[str, int] = field(default_factory=dict)
    sha256: str
    suspended: bool = False
    skip_unchanged: bool = False
    measure: Measure = NO_HEADERS
    deployment: Deployment
    estimate: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()

    @property
    def manifest_key(self) -> str:
        """Return where in the work bucket the manifest goes."""
        return f"manifests/{self.scan_id}.csv"

    @property
    def manifest_uri(self) -> str:
        return f"s3://{self.deployment.work_bucket}/{self.manifest_key}"

    @property
    def ineligible_key(self) -> str:
        """Return where in the work bucket the list of what is left out goes."""
        return f"manifests/{self.scan_id}-ineligible.csv"

    @property
    def report_prefix(self) -> str:
        """Return where in the work bucket the completion reports go; a slash at its end would be doubled by S3."""
        return f"reports/{self.scan_id}"

    @property
    def generated(self) -> Generated | None:
        """Return the manifest that S3 makes, None where we make it."""
        return Generated(self.selection, f"manifests/{self.scan_id}") if self.source.kind is Kind.GENERATED else None

    @property
    def objects(self) -> int | None:
        """Return how many objects are scanned; None, that is unknown, of a manifest that S3 makes."""
        return None if self.generated else self.sizes.objects

    @property
    def noted_prefixes(self) -> tuple[str, ...] | None:
        """Return with what the scan's keys begin, for its record; None where that is too long for what each starter reads."""
        prefixes = self.selection.ranges
        return prefixes if sum(len(prefix.encode()) for prefix in prefixes) <= MOST_NOTED else None

    @property
    def no_estimate(self) -> str | None:
        """Return why there is no estimate, None where there is one."""
        if self.estimate is not None:
            return None
        if self.generated:
            return (
                "S3 itself lists the bucket when the job is prepared, so it is not known yet how many videos there are, or how long"
            )
        return "sizes are not known; --measure all looks at each object, and reads how long it is"

    @property
    def new_job(self) -> NewJob:
        """Return what the job is created with; its description is unique, so that it is found again in the account's list."""
        return NewJob(
            deployment=self.deployment,
            token=self.scan_id,
            description=description(self.selection.bucket, f"scan {self.scan_id}"),
            arguments={"scan_id": self.scan_id, "lane": self.lane.value},
            versioned=self.versioned,
            report_prefix=self.report_prefix,
            suspended=self.suspended,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the plan as JSON values: what its file holds, and what `from_json` reads."""
        return {
            "format": FORMAT,
            "scan_id": self.scan_id,
            "created_at": self.created_at,
            "bucket": self.selection.bucket,
            "source": self.source.as_json(),
            "selection": self.selection.as_json(),
            "versioned": self.versioned,
            "lane": self.lane.value,
            "suspended": self.suspended,
            "skip_unchanged": self.skip_unchanged,
            "measure": str(self.measure),
            "objects": self.objects,
            "bytes": self.sizes.bytes,
            "sizes": dict(self.sizes.by_class),
            "ineligible": dict(sorted(self.ineligible.items())),
            "stack": self.deployment.stack_name,
            "region": self.deployment.region,
            "account_id": self.deployment.account_id,
            "manifest": self.manifest_uri,
            "manifest_sha256": self.sha256,
            "report": f"s3://{self.deployment.work_bucket}/{self.report_prefix}/",
            "jobs": 1,  # in plans of before a scan could have several
            "price": prices.as_json(self.objects),
            "estimate": self.estimate,
            "no_estimate": self.no_estimate,
            "prices": [price.as_json() for price in prices.PRICES],
            "then": list(WHAT_HAPPENS),
            "warnings": list(self.warnings),
        }


def from_json(values: Mapping[str, Any], deployment: Deployment) -> Plan:
    """Return the plan that `as_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: It is none.
    """
    if values["format"] != FORMAT:
        raise ValueError(f"its format is {values['format']!r}, not {FORMAT!r}")
    sizes = {str(name): int(count) for name, count in values["sizes"].items()}
    return Plan(
        scan_id=str(values["scan_id"]),
        created_at=float(values["created_at"]),
        selection=Selection.from_json(values["selection"]),
        source=Source.from_json(values["source"]),
        versioned=bool(values["versioned"]),
        lane=Lane(values["lane"]),
        sizes=SizeCounts(objects=int(values["objects"] or 0), bytes=int(values["bytes"]), by_class=sizes),
        ineligible={str(code): int(count) for code, count in values["ineligible"].items()},
        sha256=str(values["manifest_sha256"]),
        suspended=bool(values["suspended"]),
        skip_unchanged=bool(values["skip_unchanged"]),
        measure=Measure.of(str(values["measure"])),
        deployment=deployment,
        estimate=_estimate(values["estimate"]),
        warnings=tuple(map(str, values["warnings"])),
    )


def _estimate(values: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return values and {**values, "sentences": [*map(str, values["sentences"])]}

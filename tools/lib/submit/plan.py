"""The plan of a scan, complete before anything is done: a dry run prints it, the real run performs the same plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.domain import Engine, Lane, unselected
from handlers.domain.engine import DEFAULT_INTERVAL_MS
from tools.lib.aws import Deployment
from tools.lib.estimate import BY_VIDEO, NO_HEADERS, EngineChoice, Measure, every, prices
from tools.lib.json_keys import time_keys
from tools.lib.listing import Selection, SizeCounts
from tools.lib.manifest import LISTING, Generated, Kind, Source
from tools.lib.submit.job_request import NewJob, description
from tools.lib.text import per_second

# The value of `format` in a plan's file.
FORMAT = "video-moderation-plan/2"

# The most bytes of prefixes that a scan's item holds: as many as a key may have, and few beside its other fields.
MAX_PREFIX_BYTES = 1_024


def engine_arguments(engine: Engine, interval_ms: int | None) -> dict[str, str]:
    """Return the job's user arguments that choose the engine; there are none for the video API alone."""
    if interval_ms is None:
        return {}
    # In a scan by the video API only films that it does not take have an interval.
    others = {"others": Engine.FRAMES.value} if engine is Engine.VIDEO else {}
    return {"engine": engine.value, "interval_ms": str(interval_ms), **others}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One scan as it will be submitted.

    Attributes:
        created_at: When the plan was made (epoch seconds).
        ineligible: How many objects are left out and listed beside the manifest, by reason code.
        sha256: Hash of the manifest (hex); the manifest that is submitted must match it.
        suspended: Whether the job waits for a confirmation in the console.
        skip_unchanged: Whether what an earlier scan finished was left out.
        choice: The engine, and what it takes.
        measure: How many headers were read; what cannot be analysed, by its header, was left out.
        not_selected: How many other objects the source has, by suffix; None if that is not known.
        estimate: Minutes, images, dollars and finishing time, as JSON values and in sentences, also for the engine that was not
            chosen; None if unknown.
        warnings: Sentences that the person should read before agreeing.
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
    choice: EngineChoice = BY_VIDEO
    measure: Measure = NO_HEADERS
    deployment: Deployment
    not_selected: Mapping[str, int] | None = None
    estimate: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()

    @property
    def manifest_key(self) -> str:
        return f"manifests/{self.scan_id}.csv"

    @property
    def manifest_uri(self) -> str:
        return f"s3://{self.deployment.work_bucket}/{self.manifest_key}"

    @property
    def ineligible_key(self) -> str:
        return f"manifests/{self.scan_id}-ineligible.csv"

    @property
    def report_prefix(self) -> str:
        """Return where in the work bucket the completion reports go; without a slash at the end, which S3 would double."""
        return f"reports/{self.scan_id}"

    @property
    def generated(self) -> Generated | None:
        """Return the manifest that S3 generates, None where this program writes it."""
        return Generated(self.selection, f"manifests/{self.scan_id}") if self.source.kind is Kind.GENERATED else None

    @property
    def objects(self) -> int | None:
        """Return how many objects are scanned; None, because unknown, where S3 generates the manifest."""
        return None if self.generated else self.sizes.objects

    @property
    def noted_prefixes(self) -> tuple[str, ...] | None:
        """Return what the scan's keys begin with, for its item; None where it is too long for an item that each starter reads."""
        prefixes = self.selection.ranges
        return prefixes if sum(len(prefix.encode()) for prefix in prefixes) <= MAX_PREFIX_BYTES else None

    @property
    def no_estimate(self) -> str | None:
        """Return why there is no estimate, None where there is one."""
        if self.estimate is not None:
            return None
        if self.generated:
            return "S3 lists the bucket when it prepares the job, so the number and length of the videos are not known yet"
        return "sizes are not known; --measure all reads the size and length of each object"

    @property
    def interval_ms(self) -> int | None:
        """Return the interval of the films that are analysed by frames; None if the plan sends none to frames."""
        return self.choice.interval_ms if Engine.FRAMES in (self.choice.engine, self.choice.others) else None

    @property
    def then(self) -> tuple[str, ...]:
        """Return what happens once the plan is submitted, in sentences."""
        looked_at, pace = (
            "Rekognition analyses the queued videos, as many at a time as the slots allow.",
            self.deployment.images_per_second,
        )
        if self.choice.engine is Engine.FRAMES and pace is not None:
            often = every(self.choice.interval_ms)
            looked_at = f"Rekognition looks at a frame of each film {often}, up to {per_second(pace, 'image')}."
        return (
            "S3 Batch Operations passes each object to a function, which inspects it and queues it.",
            looked_at,
            "The results are stored, and flagged videos are mailed.",
            "All this runs in AWS: you may close the terminal. At any time, review_report.py shows the status of each object.",
        )

    @property
    def new_job(self) -> NewJob:
        """Return the parameters of the job; its description is unique, so that the account's list of jobs shows it."""
        return NewJob(
            deployment=self.deployment,
            token=self.scan_id,
            description=description(self.selection.bucket, f"scan {self.scan_id}"),
            arguments={"scan_id": self.scan_id, "lane": self.lane.value, **engine_arguments(self.choice.engine, self.interval_ms)},
            versioned=self.versioned,
            report_prefix=self.report_prefix,
            suspended=self.suspended,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the plan as JSON values, as `from_json` reads them."""
        return {
            "format": FORMAT,
            "scan_id": self.scan_id,
            **time_keys(created=self.created_at),
            "bucket": self.selection.bucket,
            "source": self.source.as_json(),
            "selection": self.selection.as_json(),
            "versioned": self.versioned,
            "lane": self.lane.value,
            "suspended": self.suspended,
            "skip_unchanged": self.skip_unchanged,
            "engine": self.choice.engine.value,
            "interval_ms": self.interval_ms,
            "others": None if self.choice.others is None else self.choice.others.value,
            "measure": str(self.measure),
            "objects": self.objects,
            "bytes": self.sizes.bytes,
            "sizes": dict(self.sizes.by_class),
            "ineligible": dict(sorted(self.ineligible.items())),
            "not_selected": unselected.as_json(self.not_selected),
            "stack": self.deployment.stack_name,
            "region": self.deployment.region,
            "account_id": self.deployment.account_id,
            "manifest": self.manifest_uri,
            "manifest_sha256": self.sha256,
            "report": f"s3://{self.deployment.work_bucket}/{self.report_prefix}/",
            "jobs": 1,  # plans of version 0.1 could have several
            "price": prices.as_json(self.objects),
            "estimate": self.estimate,
            "no_estimate": self.no_estimate,
            "prices": [price.as_json() for price in prices.PRICES],
            "then": list(self.then),
            "warnings": list(self.warnings),
        }


def from_json(values: Mapping[str, Any], deployment: Deployment) -> Plan:
    """Return the plan that `as_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: The values are not those of a plan.
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
        choice=_choice(values, deployment),
        measure=Measure.of(str(values["measure"])),
        deployment=deployment,
        not_selected=_not_selected(values.get("not_selected")),
        estimate=_estimate(values["estimate"]),
        warnings=tuple(map(str, values["warnings"])),
    )


def _choice(values: Mapping[str, Any], deployment: Deployment) -> EngineChoice:
    """Return the choice of the engine; plans of earlier versions state none and mean the video API."""
    return EngineChoice(
        engine=Engine(values.get("engine", Engine.VIDEO)),
        interval_ms=int(values.get("interval_ms") or DEFAULT_INTERVAL_MS),
        others=Engine(values["others"]) if values.get("others") else None,
        images=deployment.has_frames,
    )


def _not_selected(values: Mapping[str, Any] | None) -> dict[str, int] | None:
    """Return the counts, which plans of earlier versions do not have."""
    return None if values is None else {str(suffix): int(count) for suffix, count in values["suffixes"].items()}


def _estimate(values: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return values and {**values, "sentences": [*map(str, values["sentences"])]}

"""A plan as lines for a person: titles on the left, their values beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from handlers.domain import Engine, reasons, unselected
from handlers.domain.engine import OTHERS_BY_FRAMES
from handlers.domain.languages import ENGLISH
from tools.lib.estimate import every, prices
from tools.lib.listing import Selection
from tools.lib.submit.plan import Plan
from tools.lib.text import byte_size, counted, printable

# What Rekognition charges, by each engine.
PER_MINUTE = f"Rekognition: {prices.dollars(prices.REKOGNITION_MINUTE.dollars)} for each minute of video"
PER_IMAGE = f"Rekognition: {prices.dollars(1_000 * prices.REKOGNITION_IMAGE.dollars)} for a thousand frames or images"

_LEFT_OUT = {
    reasons.ARCHIVED: "archived (Glacier, Deep Archive, a tier of Intelligent-Tiering), to be restored first",
    reasons.CODEC: "in a codec that Rekognition does not take",
    reasons.CONTAINER: "in a file format that Rekognition does not take",
    reasons.EMPTY: "empty",
    reasons.NO_HEADER: "without a header: the recording or the upload was interrupted",
    reasons.NO_PICTURE: "without a picture",
    reasons.TOO_LARGE: "over 10 GB, which Rekognition does not take",
    reasons.TOO_LONG: "over 6 hours, which Rekognition does not take",
}
_SUSPENDED = "stays Suspended until someone confirms it in the console (for at most 30 days)"

# The length of all videos of the example, 1,000 of 5 minutes.
_EXAMPLE_MINUTES = 5_000


def lines_of(plan: Plan) -> list[str]:
    """Return what a person sees before agreeing to a plan."""
    deployment = plan.deployment
    return [
        f"Scan {plan.scan_id} of {plan.source.title(plan.selection)}",
        *column("Objects", _objects(plan)),
        *column("Filters", filter_lines(plan.selection)),
        *column("Left out", _left_out(plan)),
        *column("Others", _others(plan)),
        *column("Job", [_SUSPENDED] if plan.suspended else []),
        *column("Engine", [_engine(plan)]),
        *column("Lane", [plan.lane.value]),
        *column("Stack", [f"{deployment.stack_name}, {deployment.region}, account {deployment.account_id}"]),
        *column("Manifest", [plan.manifest_uri]),
        *column("Report", [f"s3://{deployment.work_bucket}/{plan.report_prefix}/"]),
        *column("Estimate", plan.estimate["sentences"] if plan.estimate else [f"none: {plan.no_estimate}"]),
        *column("Or", _alternative(plan)),
        *column("Price", _price(plan)),
        *column("Then", plan.then),
        *column("Warning", plan.warnings),
    ]


def column(title: str, lines: Sequence[str]) -> list[str]:
    """Return the lines, the first of them beside the title."""
    return [f"  {'' if number else title:<10}{line}" for number, line in enumerate(lines)]


def filter_lines(selection: Selection) -> list[str]:
    """Return a selection's filters other than bucket, prefix and suffix; times are in UTC."""
    sample = selection.sample
    conditions: list[tuple[str, Any]] = [
        ("keys that match {}", _either(selection.include)),
        ("no keys that match {}", _either(selection.exclude)),
        ("at least {:,} bytes", selection.min_size),
        ("at most {:,} bytes", selection.max_size),
        ("written at {} or later", _utc(selection.modified_after)),
        ("written before {}", _utc(selection.modified_before)),
        ("storage class {}", _either(selection.storage_classes)),
        ("a sample of {:,}", sample and sample.count),
        ("a sample of {:g} percent", sample and sample.percent),
        ("the first {:,}", selection.limit),
    ]
    return [text.format(value) for text, value in conditions if value is not None]


def price_lines(objects: int | None, engine: Engine = Engine.VIDEO, interval_ms: int | None = None) -> list[str]:
    """Return what a job of this many objects (None: unknown) costs by an engine, as lines for a person."""
    if engine is Engine.FRAMES and interval_ms is not None:
        rekognition, how = PER_IMAGE, f", {every(interval_ms)},"
        example = prices.REKOGNITION_IMAGE.dollars * _EXAMPLE_MINUTES * 60_000 / interval_ms
    else:
        rekognition, how, example = PER_MINUTE, "", prices.REKOGNITION_MINUTE.dollars * _EXAMPLE_MINUTES
    job = prices.dollars(prices.BATCH_JOB.dollars)
    tasks = (
        f"{prices.dollars(prices.BATCH_MILLION_OBJECTS.dollars)} a million"
        if objects is None
        else prices.dollars(prices.batch_objects(objects))
    )
    return [
        f"S3 Batch Operations: {job} for the job and {tasks} for its objects, even if cancelled",
        f"{rekognition}, nearly all of the bill",
        f"a listing does not show the length of videos; 1,000 videos of 5 minutes{how} would cost {prices.dollars(example)}",
        f"prices of us-east-1, not checked with AWS: {prices.BATCH_JOB.page} {prices.REKOGNITION_MINUTE.page}",
    ]


def left_out_because(codes: Iterable[str]) -> str:
    """Return why objects are left out, from their reason codes, as part of a sentence."""
    return " or ".join(_LEFT_OUT.get(code, code) for code in sorted(codes))


def _either(words: Sequence[str]) -> str | None:
    return " or ".join(printable(word) for word in words) or None


def _utc(time: datetime | None) -> str | None:
    return None if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _objects(plan: Plan) -> list[str]:
    which, counts = plan.source.chosen(plan.selection), plan.sizes
    if plan.objects is None:
        return [f"not counted yet ({which})"]
    sizes = ", ".join(_sized(name, count) for name, count in counts.by_class.items() if count)
    if not plan.source.has_sizes or not sizes:
        return [f"{counts.objects:,} ({which})"]
    lines = [f"{counts.objects:,} ({byte_size(counts.bytes)}; {which})", sizes]
    if plan.versioned:
        lines.append("every version of each" if plan.selection.all_versions else "the latest version of each, as listed now")
    return lines


def _sized(name: str, count: int) -> str:
    objects = counted(count, "object")
    return f"{count:,} empty {objects.partition(' ')[2]}" if name == reasons.EMPTY else f"{objects} of {name}"


def _others(plan: Plan) -> list[str]:
    """Return the objects in the source whose suffixes are not selected, or why they are not known."""
    if plan.not_selected is not None:
        return unselected.sentences(plan.not_selected, ENGLISH)
    if plan.source.filters and not plan.generated:
        why = "--limit ended the listing" if plan.selection.limit is not None else "an earlier version of the program made the plan"
    else:
        why = "S3 lists it later" if plan.generated else "the bucket is not listed"
    return [f"not known: whether the bucket has objects with other suffixes or names, because {why}"]


def _left_out(plan: Plan) -> list[str]:
    lines = [f"{count:,} {_LEFT_OUT.get(code, code)}" for code, count in sorted(plan.ineligible.items())]
    where = f"s3://{plan.deployment.work_bucket}/{plan.ineligible_key}"
    if plan.choice.images and not plan.ineligible.keys().isdisjoint(OTHERS_BY_FRAMES):
        lines.append("pass --others frames to have those in other codecs and file formats looked at by frames")
    return [*lines, f"submitting the scan lists each, with its codec, length or what is broken, in {where}"] if lines else []


def _engine(plan: Plan) -> str:
    choice, by_frames = plan.choice, f"by frames, {every(plan.choice.interval_ms)}"
    if choice.engine is Engine.FRAMES:
        return by_frames
    return (
        "the video API"
        if choice.others is None
        else f"the video API; films in containers and codecs that it does not take {by_frames}"
    )


def _alternative(plan: Plan) -> list[str]:
    """Return what the scan would cost by the other engine; plans of earlier versions lack that."""
    return list((plan.estimate or {}).get("alternative", {}).get("sentences", []))


def _price(plan: Plan) -> list[str]:
    lines = price_lines(plan.objects, plan.choice.engine, plan.interval_ms)
    return lines if plan.estimate is None else [lines[0], lines[-1]]

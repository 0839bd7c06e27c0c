"""The result of a review: the truth table, the flagged videos with their segments, and what has no verdict and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from handlers.domain import LabelSummary, Scan, Segment, unselected
from handlers.domain.confidence import shown
from handlers.domain.decision import FOUND
from handlers.domain.identity import MAX_ATTEMPT
from handlers.domain.languages import ENGLISH, Phrase, phrase
from handlers.domain.mail import time_code
from handlers.domain.telling import telling_segments
from tools.lib.cli import ExitCode
from tools.lib.json_keys import scan_keys
from tools.lib.review.cures import cure_of
from tools.lib.review.decided import WORDS, decision_line, decision_or_null
from tools.lib.review.join import ANALYSED, ObjectResult, ObjectStatus, TruthTable
from tools.lib.review.sample import CleanSample
from tools.lib.text import block, counted, moment, printable
from tools.lib.videos import label_json, named, subject, title, upload_json

# Segments of a video that a person sees; `--json` has all of them.
SEGMENTS_SHOWN = 20

# Returns the segments of an object, in time order.
SegmentReader: TypeAlias = Callable[[ObjectResult], Sequence[Segment]]


@dataclass(frozen=True, slots=True)
class FlaggedVideo:
    """A flagged video with its segments, in time order."""

    outcome: ObjectResult
    segments: Sequence[Segment]

    @property
    def counted_segments(self) -> Sequence[Segment]:
        """Return the segments of the labels for which it was flagged; all where the record does not say which these are."""
        names = set(self.outcome.record.counted) if self.outcome.record else set[str]()
        return [segment for segment in self.segments if segment.label in names] or self.segments

    def sentences(self) -> list[str]:
        labels = {label.name: label for label in self.outcome.record.labels} if self.outcome.record else {}
        telling = telling_segments(self.segments)
        listed = [_segment_line(segment, labels.get(segment.label)) for segment in telling[:SEGMENTS_SHOWN]]
        more = len(telling) - len(listed)
        return [
            *_decided_lines(self.outcome),
            *listed,
            *([f"    and {counted(more, 'more segment')}, see --json"] if more else []),
        ]

    def as_json(self) -> dict[str, Any]:
        """Return JSON values: times in seconds, confidences in percent."""
        record = self.outcome.record
        labels = record.labels if record else ()
        return {
            **named(self.outcome.video),
            "video_id": self.outcome.video.id,
            "etag": record.etag if record else None,
            **upload_json(record),
            "attempt": record.attempt if record else 0,
            "decision": decision_or_null(self.outcome.decision),
            "duration_seconds": record.duration_ms / 1000 if record and record.duration_ms is not None else None,
            "labels": [label_json(label) for label in labels],
            "segments": [
                {
                    "label": segment.label,
                    "parent": segment.parent,
                    "start_seconds": segment.start_ms / 1000,
                    "end_seconds": segment.end_ms / 1000,
                    "confidence": segment.confidence,
                    "hits": segment.hits,
                }
                for segment in self.segments
            ],
        }


@dataclass(slots=True)
class Review:
    """A review of a scan; memory grows with the objects to look at, not with the scan.

    `superseded`: what another upload has replaced. It is in none of the other lists, because there is nothing to be done about it.
    """

    scan: Scan
    truth: TruthTable
    flagged: list[FlaggedVideo] = field(default_factory=list)
    failed: list[ObjectResult] = field(default_factory=list)
    ineligible: list[ObjectResult] = field(default_factory=list)
    skipped: list[ObjectResult] = field(default_factory=list)
    unfinished: list[ObjectResult] = field(default_factory=list)
    superseded: list[ObjectResult] = field(default_factory=list)
    warnings: list[Phrase] = field(default_factory=list)
    sample: CleanSample | None = None

    @property
    def exit_code(self) -> ExitCode:
        """Return 0 if every object has a verdict, was looked at by a person or is superseded, else 3.

        A skipped one may be a video in an unknown container.
        """
        return ExitCode.DONE if self.truth.settled else ExitCode.SOME_FAILED

    def sentences(self) -> list[str]:
        return [
            f"Scan {self.scan.id} of {subject(self.scan)}, {self.scan.status.value}",
            "",
            *self._truth_table(),
            *block("Flagged", [line for video in self.flagged for line in video.sentences()]),
            *block("Failed", _reasons(self.failed)),
            *block("Ineligible", _reasons(self.ineligible)),
            *block("Skipped: not videos, as their first bytes show", _reasons(self.skipped)),
            *block("Not final", [f"{_title(outcome)}  {outcome.status.value}" for outcome in self.unfinished]),
            *block("Superseded by another upload: nothing to do", [_superseded_line(outcome) for outcome in self.superseded]),
            *block("Sample of the clean videos", self._sample_lines()),
            *block("Warning", [ENGLISH.render(warning) for warning in self.warnings]),
        ]

    def _truth_table(self) -> list[str]:
        counts = [(status.value, self.truth.statuses[status]) for status in ObjectStatus if self.truth.statuses[status]]
        width = max(len(f"{self.truth.total:,}"), 6)
        rows = [f"  {name:<16}{count:>{width},}" for name, count in counts]
        verdict = "every object is accounted for" if self.truth.adds_up else "the counts do not add up: see the warnings"
        expected = "" if self.truth.expected is None else f" of {self.truth.expected + self.truth.set_aside:,}"
        return [
            *rows,
            f"  {'':-<{16 + width}}",
            f"  {'objects':<16}{self.truth.total:>{width},}{expected}: {verdict}",
            *(f"  {'':<16}{remark}" for remark in self._remarks()),
        ]

    def _remarks(self) -> Iterator[str]:
        aside, skipped = self.truth.set_aside, self.truth.statuses[ObjectStatus.SKIPPED]
        if aside:
            in_manifest = self.truth.total - aside
            yield f"{in_manifest:,} in the manifest, {aside:,} left out of it as ineligible when the scan was submitted"
        if skipped:
            why = (
                "its first bytes show that it is not a video" if skipped == 1 else "their first bytes show that they are not videos"
            )
            yield f"{skipped:,} skipped and not looked at, because {why}"
        for status in WORDS:
            if count := self.truth.looked_at(status):
                words = WORDS[status]
                found = {word: self.truth.decided[status, judgement] for judgement, word in words.items()}
                kinds = [f"{number:,} {word}" for word, number in found.items() if number]
                yield f"{count:,} of {self.truth.statuses[status]:,} {status.value} decided by a person: {', '.join(kinds)}"
        if self.scan.day is None:
            yield from unselected.sentences(self.scan.not_selected, ENGLISH)

    def _sample_lines(self) -> list[str]:
        if self.sample is None:
            return []
        listed = [line for outcome in self.sample.videos for line in _decided_lines(outcome)]
        return [*self.sample.sentences(ENGLISH), *listed]

    def as_json(self) -> dict[str, Any]:
        return {
            **scan_keys(self.scan.id),
            "bucket": self.scan.bucket,
            "day": self.scan.day,
            "status": self.scan.status.value,
            "objects": self.truth.total,
            "expected": None if self.truth.expected is None else self.truth.expected + self.truth.set_aside,
            "set_aside": self.truth.set_aside,
            "not_selected": unselected.as_json(self.scan.not_selected),
            "adds_up": self.truth.adds_up,
            "states": {status.value: self.truth.statuses[status] for status in ObjectStatus},
            "decided": {
                status.value: {each.value: self.truth.decided[status, each] for each in FOUND}
                for status in WORDS
                if status is not ObjectStatus.CLEAN  # these are only counted
            },
            "repeated_rows": self.truth.repeated,
            "warnings": [ENGLISH.render(warning) for warning in self.warnings],
            "flagged": [video.as_json() for video in self.flagged],
            "failed": [_explained(outcome) for outcome in self.failed],
            "ineligible": [_explained(outcome) for outcome in self.ineligible],
            "skipped": [_explained(outcome) for outcome in self.skipped],
            "unfinished": [_stated(outcome) for outcome in self.unfinished],
            "superseded": [_stated(outcome) for outcome in self.superseded],
            "sample": None if self.sample is None else self.sample.as_json(),
        }


def review_of(
    scan: Scan,
    outcomes: Iterable[ObjectResult],
    truth: TruthTable,
    segments_of: SegmentReader,
) -> Review:
    """Return the review that these outcomes make; `truth` is filled while they are read."""
    review, exhausted = Review(scan, truth), 0
    for outcome in outcomes:
        if not outcome.again:
            _take(review, outcome, segments_of)
        exhausted += outcome.record is not None and outcome.record.attempt == MAX_ATTEMPT
    review.flagged = surest_first(review.flagged)
    review.warnings = _warnings(truth) if scan.day is None else _warnings_of_day(truth, exhausted)
    return review


def _take(review: Review, outcome: ObjectResult, segments_of: SegmentReader) -> None:
    if outcome.superseded:
        review.superseded.append(outcome)
    elif outcome.status is ObjectStatus.FLAGGED:
        review.flagged.append(FlaggedVideo(outcome, segments_of(outcome)))
    elif outcome.status is ObjectStatus.FAILED:
        review.failed.append(outcome)
    elif outcome.status is ObjectStatus.INELIGIBLE:
        review.ineligible.append(outcome)
    elif outcome.status is ObjectStatus.SKIPPED:
        review.skipped.append(outcome)
    elif outcome.status not in ANALYSED:
        review.unfinished.append(outcome)


def _warnings(truth: TruthTable) -> list[Phrase]:
    warnings = []
    in_manifest = truth.total - truth.set_aside
    if truth.expected not in (None, in_manifest):
        warnings.append(
            phrase(
                "The manifest has {rows} {rows:row|rows}, the scan was submitted with {expected}: was it replaced?",
                rows=in_manifest,
                expected=truth.expected,
            )
        )
    if truth.foreign:
        warnings.append(
            phrase(
                "Not in the manifest, but in the completion report: {objects} {objects:object|objects}. Is it another scan's?",
                objects=truth.foreign,
            )
        )
    if lost := truth.statuses[ObjectStatus.LOST]:
        warnings.append(
            phrase(
                "Accepted by its batch task, but without a record: {objects} {objects:object|objects}. Please report this defect.",
                objects=lost,
            )
        )
    if truth.repeated:
        warnings.append(
            phrase("Repeated in the manifest: {rows} {rows:row|rows}. An object in two rows has one record.", rows=truth.repeated)
        )
    return warnings


def _warnings_of_day(truth: TruthTable, exhausted: int) -> list[Phrase]:
    """Return the warnings about the scan of a day; `exhausted` is how many of its videos cannot be analysed once more."""
    warnings = []
    if not truth.adds_up:
        warnings.append(
            phrase(
                "Records found: {found}; by the totals of the scan there are {expected}. The index lags, or videos are just "
                "ending: run the review again in a minute.",
                found=truth.total,
                expected=truth.expected or 0,
            )
        )
    if exhausted:
        warnings.append(
            phrase(
                "Put again and again with the same bytes, and analysed {most} times: {count} {count:upload|uploads}. What was put "
                "after that was not analysed, so look at {count:it|them} yourself.",
                most=MAX_ATTEMPT,
                count=exhausted,
            )
        )
    return warnings


def _segment_line(segment: Segment, label: LabelSummary | None) -> str:
    begin = label.begin_of(segment) if label else segment.start_ms
    confidence = shown(segment.confidence, label.counts_from if label else None)
    name = f"{segment.parent} > {segment.label}" if segment.parent else segment.label
    return f"  {time_code(begin)} to {time_code(segment.end_ms)}  {confidence:>5} %  {printable(name)}"


def _reasons(outcomes: Sequence[ObjectResult]) -> list[str]:
    """Return the objects below their reasons, the commonest reason first."""
    reasons: dict[str, list[ObjectResult]] = {}
    for outcome in outcomes:
        reasons.setdefault(outcome.reason or "no reason given", []).append(outcome)
    lines = []
    for reason, group in sorted(reasons.items(), key=lambda entry: -len(entry[1])):
        lines.append(f"{printable(reason)}: {counted(len(group), 'object')}")
        cure = cure_of(reason)
        lines += [f"  Cure: {cure}."] if cure else []
        for outcome in group:
            title, *decided = _decided_lines(outcome)
            lines += [f"  {title}  {printable(outcome.message or '')}".rstrip(), *(f"  {line}" for line in decided)]
    return lines


def _decided_lines(outcome: ObjectResult) -> list[str]:
    """Return what names an object, and below it the decision about it."""
    return [_title(outcome), *([f"  {decision_line(outcome.decision, outcome.status)}"] if outcome.decision else [])]


def _title(outcome: ObjectResult) -> str:
    record = outcome.record
    if record is None or record.uploaded_at is None:
        return title(outcome.video)
    missed = ", found by the daily comparison" if record.missed else ""
    return f"{title(outcome.video)}, uploaded {moment(record.uploaded_at)}{missed}"


def _superseded_line(outcome: ObjectResult) -> str:
    reason = f": {printable(outcome.reason)}" if outcome.reason else ""
    return f"{_title(outcome)}  {outcome.status.value}{reason}"


def surest_first(videos: Iterable[FlaggedVideo]) -> list[FlaggedVideo]:
    """Return flagged videos in the order of the best confidence of each."""
    return sorted(videos, key=lambda video: _worst(video.outcome), reverse=True)


def _worst(outcome: ObjectResult) -> float:
    return max((label.confidence for label in outcome.record.labels), default=0.0) if outcome.record else 0.0


def _explained(outcome: ObjectResult) -> dict[str, Any]:
    return {
        **named(outcome.video),
        "reason": outcome.reason,
        "message": outcome.message,
        "cure": cure_of(outcome.reason),
        "decision": decision_or_null(outcome.decision),
        **upload_json(outcome.record),
    }


def _stated(outcome: ObjectResult) -> dict[str, Any]:
    return {**named(outcome.video), "state": outcome.status.value, **upload_json(outcome.record)}

"""One review: its scan is found, manifest, reports and table are joined, and the files that the command names are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from handlers.adapters.table import Decisions, Records
from handlers.domain.decision import Decision
from handlers.domain.record import Scan, Segment
from handlers.domain.states import ScanStatus
from tools.lib.cli.commands import Invocation
from tools.lib.review import export as exports
from tools.lib.review.export import Export, Form, Rows
from tools.lib.review.inputs import ScanChoice, ScanReading
from tools.lib.review.join import ObjectResult, ObjectStatus, TruthTable
from tools.lib.review.page import page_data, render
from tools.lib.review.summary import FlaggedVideo, Review, review_of

# Decisions that are read at a time: as many as one BatchGetItem takes.
BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files that a review writes: the page, and exports with a row for each video or segment."""

    html: Path | None = None
    exports: tuple[tuple[Form, Path], ...] = ()
    rows: Rows = Rows.VIDEOS


class ReviewRun:
    """The steps of one review."""

    def __init__(self, run: Invocation, choice: ScanChoice) -> None:
        self._invocation = run
        self._choice = choice

    def run(self, files: Files) -> Review:
        """Review the chosen scan, and write the files."""
        run = self._invocation
        scan = self._choice.find(run)
        truth = TruthTable(expected=scan.objects)
        segments_of = _Segments(run.table.records, scan.id)
        with run.terminal.bar("objects") as bar, exports.writers(files.exports, files.rows) as written:
            outcomes, gaps = ScanReading(run).results(scan, self._choice, truth, bar, whole=bool(files.exports))
            passed_on = self._exporting(outcomes, written, segments_of) if written else outcomes
            review = review_of(scan, passed_on, truth, segments_of)
        review.flagged = with_decisions(review.flagged, run.table.decisions)
        review.warnings += gaps + _unfinished(scan)
        if files.html is not None:
            self._write_page(review, files.html)
        for path in (*(path for _, path in files.exports), *([files.html] if files.html else [])):
            run.terminal.info(f"Wrote {path}")
        return review

    def _exporting(
        self, outcomes: Iterator[ObjectResult], written: Sequence[Export], segments_of: Callable[[ObjectResult], Sequence[Segment]]
    ) -> Iterator[ObjectResult]:
        """Yield the outcomes, each once it is written to the exports with the decision about it."""
        wants_segments = any(file.wants_segments for file in written)
        while batch := list(islice(outcomes, BATCH)):
            decided = decisions_about(batch, self._invocation.table.decisions)
            for outcome in batch:
                segments = segments_of(outcome) if wants_segments and outcome.record and not outcome.again else ()
                decision = decided.get(_content(outcome) or ("", ""))
                for file in written:
                    file.add(outcome, segments, decision)
                yield outcome

    def _write_page(self, review: Review, path: Path) -> None:
        run = self._invocation
        data = page_data(
            review,
            totals=run.table.scans.totals(review.scan.id),
            target=run.target,
            region=run.deployment.region,
            made_at=run.clock.now(),
        )
        with exports.replaced(path) as file:
            render(data, file)


class _Segments:
    """The segments of a video, read once although an export and the review need them one after the other."""

    def __init__(self, records: Records, scan_id: str) -> None:
        self._records = records
        self._scan_id = scan_id
        self._last: tuple[str, Sequence[Segment]] = ("", ())

    def __call__(self, outcome: ObjectResult) -> Sequence[Segment]:
        record = outcome.record
        if record is None:
            return ()
        if self._last[0] != record.video.id:
            self._last = (record.video.id, list(self._records.segments(record.video.id, self._scan_id, record.attempt)))
        return self._last[1]


def decisions_about(outcomes: Iterable[ObjectResult], decisions: Decisions) -> dict[tuple[str, str], Decision]:
    """Return the decisions about the content of flagged videos, by video id and etag."""
    names = [name for outcome in outcomes if outcome.status is ObjectStatus.FLAGGED and (name := _content(outcome))]
    return {(decision.video.id, decision.etag): decision for decision in decisions.decisions(names)}


def with_decisions(flagged: Sequence[FlaggedVideo], decisions: Decisions) -> list[FlaggedVideo]:
    """Return flagged videos with the decisions about their content, made in this scan or another."""
    found = decisions_about((video.outcome for video in flagged), decisions)
    return [replace(video, decision=found.get(_content(video.outcome) or ("", ""))) for video in flagged]


def _content(outcome: ObjectResult) -> tuple[str, str] | None:
    record = outcome.record
    return (record.video.id, record.facts.etag) if record and record.facts else None


def _unfinished(scan: Scan) -> list[str]:
    if scan.status is ScanStatus.CLOSED:
        return []
    return [f"The scan is {scan.status.value}, not closed: the counts may still change."]

"""One run of `review_report.py`: find the scan, read its reports, join them with manifest and table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from handlers.adapters.table import Decisions, Records
from handlers.domain.decision import Decision
from handlers.domain.languages import ENGLISH, LANGUAGES
from handlers.domain.record import Scan, Segment
from handlers.domain.states import ScanStatus
from tools.lib.cli.commands import Invocation
from tools.lib.review import export as exports
from tools.lib.review.export import Export, Form, Rows
from tools.lib.review.inputs import ScanChoice, ScanReading
from tools.lib.review.join import ObjectResult, ObjectStatus, TruthTable
from tools.lib.review.page import page_data, render
from tools.lib.review.summary import FlaggedVideo, Review, review_of

BATCH = 100
"""Decisions asked for at a time: what one BatchGetItem takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where a review goes beside the terminal: exports of one row per video or segment, and the page.

    `language` is the code of the page's language, None: the deployment's.
    """

    html: Path | None = None
    exports: tuple[tuple[Form, Path], ...] = ()
    rows: Rows = Rows.VIDEOS
    language: str | None = None


class ReviewRun:
    """The steps of one run."""

    def __init__(self, run: Invocation, choice: ScanChoice) -> None:
        self._invocation = run
        self._choice = choice

    def run(self, files: Files) -> Review:
        """Review the scan that was asked for, and write the files that were."""
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
            self._write_page(review, files.html, files.language)
        for path in (*(path for _, path in files.exports), *([files.html] if files.html else [])):
            run.terminal.info(f"Wrote {path}")
        return review

    def _exporting(
        self, outcomes: Iterator[ObjectResult], written: Sequence[Export], segments_of: Callable[[ObjectResult], Sequence[Segment]]
    ) -> Iterator[ObjectResult]:
        """Pass the outcomes on, each written to the exports with what was decided about it."""
        wants_segments = any(file.wants_segments for file in written)
        while batch := list(islice(outcomes, BATCH)):
            decided = decisions_about(batch, self._invocation.table.decisions)
            for outcome in batch:
                segments = segments_of(outcome) if wants_segments and outcome.record and not outcome.again else ()
                decision = decided.get(_content(outcome) or ("", ""))
                for file in written:
                    file.add(outcome, segments, decision)
                yield outcome

    def _write_page(self, review: Review, path: Path, language: str | None) -> None:
        run = self._invocation
        data = page_data(
            review,
            totals=run.table.scans.totals(review.scan.id),
            target=run.target,
            region=run.deployment.region,
            made_at=run.clock.now(),
            language=LANGUAGES.get(language or run.deployment.language, ENGLISH),
        )
        with exports.replaced(path) as file:
            render(data, file)


class _Segments:
    """The segments of a video, read once though an export and the review both ask for them one after the other."""

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
    """Return what was decided about the content of flagged videos, by video id and etag."""
    names = [name for outcome in outcomes if outcome.status is ObjectStatus.FLAGGED and (name := _content(outcome))]
    return {(decision.video.id, decision.etag): decision for decision in decisions.decisions(names)}


def with_decisions(flagged: Sequence[FlaggedVideo], decisions: Decisions) -> list[FlaggedVideo]:
    """Return flagged videos with what was decided about their content, in this scan or another; read a hundred at a time."""
    found = decisions_about((video.outcome for video in flagged), decisions)
    return [replace(video, decision=found.get(_content(video.outcome) or ("", ""))) for video in flagged]


def _content(outcome: ObjectResult) -> tuple[str, str] | None:
    record = outcome.record
    return (record.video.id, record.facts.etag) if record and record.facts else None


def _unfinished(scan: Scan) -> list[str]:
    if scan.status is ScanStatus.CLOSED:
        return []
    return [f"The scan is {scan.status.value}, not closed: this is how it stands now."]

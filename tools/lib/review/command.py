"""One review: its scan is found, manifest, reports and table are joined, and the files that the command names are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TextIO

from handlers.adapters.table import Decisions
from handlers.domain import Decision, ScanStatus, Segment
from handlers.domain.decision import content_of
from handlers.domain.languages import ENGLISH, LANGUAGES, Phrase, phrase
from tools.lib.cli import STANDARD_STREAM, Invocation
from tools.lib.review import export as exports
from tools.lib.review.export import Export, Form, Rows
from tools.lib.review.inputs import ScanChoice, ScanReading
from tools.lib.review.join import ObjectResult, ObjectStatus, TruthTable
from tools.lib.review.page import page_data, render
from tools.lib.review.summary import Review, SegmentReader, review_of
from tools.lib.scans import warnings_of

# Decisions that are read at a time: as many as one BatchGetItem takes.
BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files that a review writes: the page, and exports with a row for each video or segment.

    `language` is the code of the page's language, None: the deployment's.
    """

    html: Path | None = None
    exports: tuple[tuple[Form, Path], ...] = ()
    rows: Rows = Rows.VIDEOS
    language: str | None = None

    @property
    def paths(self) -> list[Path]:
        return [*(path for _, path in self.exports), *([self.html] if self.html else [])]


def make_review(run: Invocation, choice: ScanChoice, files: Files) -> Review:
    """Review the chosen scan, and write the files, each of which is opened before anything is read."""
    with ExitStack() as stack:
        written = stack.enter_context(exports.writers(files.exports, files.rows, run.terminal))
        page = None if files.html is None else stack.enter_context(exports.replaced(files.html, run.terminal))
        review = _reviewed(run, choice, files, written)
        if page is not None:
            _write_page(run, review, page, files.language)
    for path in files.paths:
        run.terminal.info(f"Wrote {'to stdout' if str(path) == STANDARD_STREAM else path}")
    return review


def _reviewed(run: Invocation, choice: ScanChoice, files: Files, written: Sequence[Export]) -> Review:
    scan = choice.find(run)
    decisions = run.table.decisions
    truth = TruthTable(expected=scan.objects)

    @lru_cache(maxsize=1)  # an export and the review need the segments of a video one after the other
    def read(video_id: str, attempt: int) -> Sequence[Segment]:
        return list(run.table.records.segments(video_id, scan.id, attempt))

    def segments_of(outcome: ObjectResult) -> Sequence[Segment]:
        return read(outcome.video.id, outcome.record.attempt) if outcome.record else ()

    with run.terminal.bar("objects") as bar:
        reading = ScanReading(run, scan, choice, truth, bar, whole=bool(files.exports))
        review = review_of(scan, _exported(reading.results(), written, decisions, segments_of), truth, segments_of)
    decided = _decisions_about((video.outcome for video in review.flagged), decisions)
    review.flagged = [replace(video, decision=decided.get(_content(video.outcome))) for video in review.flagged]
    review.warnings += reading.warnings
    review.warnings += warnings_of(run, scan, run.table.scans.totals(scan.id), run.table.control.mail_watch())
    if scan.status is not ScanStatus.CLOSED:
        status = Phrase(scan.status.value, {})
        review.warnings.append(phrase("The scan is {status}, not closed: the counts may still change.", status=status))
    return review


def _exported(
    outcomes: Iterator[ObjectResult], written: Sequence[Export], decisions: Decisions, segments_of: SegmentReader
) -> Iterator[ObjectResult]:
    """Yield the outcomes, each once it is written to the exports with the decision about it."""
    wants_segments = any(file.wants_segments for file in written)
    while batch := list(islice(outcomes, BATCH)):
        decided = _decisions_about(batch, decisions) if written else {}
        for outcome in batch:
            segments = segments_of(outcome) if wants_segments and not outcome.again else ()
            for file in written:
                file.add(outcome, segments, decided.get(_content(outcome)))
            yield outcome


def _write_page(run: Invocation, review: Review, file: TextIO, language: str | None) -> None:
    data = page_data(
        review,
        totals=run.table.scans.totals(review.scan.id),
        target=run.target,
        region=run.deployment.region,
        made_at=run.clock.now(),
        language=LANGUAGES.get(language or run.deployment.language, ENGLISH),
    )
    render(data, file)


def _decisions_about(outcomes: Iterable[ObjectResult], decisions: Decisions) -> dict[tuple[str, str] | None, Decision]:
    """Return the decisions about the content of flagged videos, made in this scan or another, by content."""
    contents = [content for each in outcomes if each.status is ObjectStatus.FLAGGED and (content := _content(each))]
    return {decision.content: decision for decision in decisions.decisions(contents)}


def _content(outcome: ObjectResult) -> tuple[str, str] | None:
    record = outcome.record
    return content_of(record.video, record.facts.etag) if record and record.facts else None

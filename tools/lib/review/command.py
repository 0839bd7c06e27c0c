"""One review: its scan is found, manifest, reports and table are joined, and the files that the command names are written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TextIO

from handlers.adapters.table import Decisions
from handlers.domain import Scan, ScanStatus, Segment
from handlers.domain.decision import LogEntry, unless_withdrawn, whole_log
from handlers.domain.languages import ENGLISH, LANGUAGES, Phrase, phrase
from tools.lib.cli import STANDARD_STREAM, Invocation
from tools.lib.review import export as exports
from tools.lib.review.decided import WORDS
from tools.lib.review.draw import Draw
from tools.lib.review.export import Export, Form, Rows
from tools.lib.review.frames import MEGABYTE, EvidenceFrames
from tools.lib.review.inputs import ScanChoice, ScanReading
from tools.lib.review.join import ObjectResult, ObjectStatus, TruthTable, result_of
from tools.lib.review.page import PageData, page_data, render, size_of
from tools.lib.review.sample import CleanSample, SampleChoice
from tools.lib.review.summary import Review, review_of
from tools.lib.scans import warnings_of

# Objects whose decisions are read at a time, a hundred with one BatchGetItem.
BATCH = 500

# Bytes of a page for what is said about its evidence frames.
_FOR_WARNINGS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files that a review writes: the page, and exports with a row for each video or segment.

    `language` is the code of the page's language, None: the deployment's.
    """

    html: Path | None = None
    exports: tuple[tuple[Form, Path], ...] = ()
    rows: Rows = Rows.VIDEOS
    language: str | None = None
    # The most megabytes of a page with evidence frames; None: a page without them.
    evidence_mb: int | None = None

    @property
    def paths(self) -> list[Path]:
        return [*(path for _, path in self.exports), *([self.html] if self.html else [])]


def make_review(run: Invocation, choice: ScanChoice, files: Files, sample: SampleChoice) -> Review:
    """Review the chosen scan, and write the files, each of which is opened before anything is read."""
    with ExitStack() as stack:
        written = stack.enter_context(exports.writers(files.exports, files.rows, run.terminal))
        page = None if files.html is None else stack.enter_context(exports.replaced(files.html, run.terminal))
        review = _reviewed(run, choice, files, written, sample)
        if page is not None:
            _write_page(run, review, page, files)
    for path in files.paths:
        run.terminal.info(f"Wrote {'to stdout' if str(path) == STANDARD_STREAM else path}")
    return review


def _reviewed(run: Invocation, choice: ScanChoice, files: Files, written: Sequence[Export], sample: SampleChoice) -> Review:
    scan = choice.find(run)
    truth = TruthTable(expected=scan.objects)

    @lru_cache(maxsize=1)  # an export and the review need the segments of a video one after the other
    def read(video_id: str, attempt: int) -> Sequence[Segment]:
        return list(run.table.records.segments(video_id, scan.id, attempt))

    def segments_of(outcome: ObjectResult) -> Sequence[Segment]:
        return read(outcome.video.id, outcome.record.attempt) if outcome.record else ()

    def exported(outcome: ObjectResult) -> Sequence[Segment] | Sequence[LogEntry]:
        if files.rows is Rows.DECISIONS:
            return _log_of(outcome, run.table.decisions)
        return segments_of(outcome) if files.rows is Rows.SEGMENTS else ()

    # A million clean videos are only counted, unless each is exported.
    statuses = [status for status in WORDS if written or status is not ObjectStatus.CLEAN]
    with run.terminal.bar("objects") as bar:
        reading = ScanReading(run, scan, choice, truth, bar, whole=bool(files.exports), draw=sample.draw(scan.id))
        decided = _with_decisions(reading.results(), run.table.decisions, truth, statuses)
        review = review_of(scan, _exported(decided, written, exported), truth, segments_of)
    review.sample = _sampled(run, scan, reading.draw) if sample.count else None
    review.warnings += reading.warnings
    review.warnings += warnings_of(run, scan, run.table.scans.totals(scan.id), run.table.control.mail_watch())
    review.warnings += not_closed(scan)
    return review


def not_closed(scan: Scan) -> list[Phrase]:
    """Return the warning about a scan that is not over."""
    if scan.status is ScanStatus.CLOSED:
        return []
    return [phrase("The scan is {status}, not closed: the counts may still change.", status=Phrase(scan.status.value, {}))]


def _with_decisions(
    outcomes: Iterator[ObjectResult], decisions: Decisions, truth: TruthTable, statuses: Collection[ObjectStatus]
) -> Iterator[ObjectResult]:
    """Yield outcomes, those of some statuses with the decisions about their contents, made in this scan or another."""
    while batch := list(islice(outcomes, BATCH)):
        contents = {number: each.content for number, each in enumerate(batch) if each.status in statuses}
        known = {each.content: each for each in decisions.decisions(content for content in contents.values() if content)}
        for number, outcome in enumerate(batch):
            decision = known.get(content) if (content := contents.get(number)) else None
            found = outcome if decision is None else replace(outcome, decision=unless_withdrawn(decision), logged=True)
            truth.count_decision(found)
            yield found


def _exported(
    outcomes: Iterator[ObjectResult],
    written: Sequence[Export],
    found: Callable[[ObjectResult], Sequence[Segment] | Sequence[LogEntry]],
) -> Iterator[ObjectResult]:
    """Yield the outcomes, each once it is written to the exports, with what was found about it."""
    for outcome in outcomes:
        rows = found(outcome) if written and not outcome.again else ()
        for file in written:
            file.add(outcome, rows)
        yield outcome


def _log_of(outcome: ObjectResult, decisions: Decisions) -> Sequence[LogEntry]:
    """Return every decision about a content; it is asked for only where there is one, as of a million videos few have."""
    if not outcome.logged or outcome.content is None:
        return ()
    return whole_log(decisions.log_of(outcome.content), outcome.decision)


def _sampled(run: Invocation, scan: Scan, draw: Draw) -> CleanSample:
    """Return the clean videos that were drawn, as they are now, with the decisions about them."""
    table = run.table
    found = {record.video: record for record in table.records.records((video.id, scan.id) for video in draw.videos)}
    outcomes = [result_of(video, None, found.get(video)) for video in draw.videos]
    clean = [outcome for outcome in outcomes if outcome.status is ObjectStatus.CLEAN]
    counted = _with_decisions(iter(clean), table.decisions, TruthTable(), WORDS)
    return CleanSample(draw.seed, tuple(counted), whole=draw.offered <= draw.count)


def _write_page(run: Invocation, review: Review, file: TextIO, files: Files) -> None:
    data = page_data(
        review,
        totals=run.table.scans.totals(review.scan.id),
        target=run.target,
        region=run.deployment.region,
        made_at=run.clock.now(),
        language=LANGUAGES.get(files.language or run.deployment.language, ENGLISH),
    )
    if files.evidence_mb is not None:
        _put_frames(run, review, data, files.evidence_mb)
    render(data, file)


def _put_frames(run: Invocation, review: Review, data: PageData, limit_mb: int) -> None:
    """Put evidence frames into a page, and what has no room into its warnings and the review's."""
    described = data.values["flagged"]
    room = limit_mb * MEGABYTE - size_of(data) - _FOR_WARNINGS
    with run.terminal.bar("videos") as bar:
        frames = EvidenceFrames(run.clients.s3, bar)
        frames.put(review.flagged[: len(described)], described, room)
    warnings = frames.warnings(limit_mb)
    review.warnings += warnings
    data.values["warnings"].extend(data.language.render(warning) for warning in warnings)

"""One run of `review_report.py`: find the scan, read its reports, join them with manifest and table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from handlers.adapters.table import ScanTable
from handlers.domain.record import Scan, Segment
from handlers.domain.states import ScanStatus
from tools.lib.page import RecordedDecision
from tools.lib.program import Surroundings, Target
from tools.lib.review import FlaggedVideo, Review, review_of
from tools.lib.scan_reading import ScanReading, Wanted
from tools.lib.terminal import Terminal
from tools.lib.truth import ObjectFate, TruthTable
from tools.lib.wording import iso_time


class ReviewRun:
    """The steps of one run."""

    def __init__(self, surroundings: Surroundings, terminal: Terminal, target: Target, wanted: Wanted) -> None:
        self._surroundings = surroundings
        self._terminal = terminal
        self._target = target
        self._wanted = wanted

    def run(self) -> Review:
        """Review the scan that was asked for."""
        reading = ScanReading(self._surroundings, self._target)
        scan = reading.find(self._wanted)
        truth = TruthTable(expected=scan.objects)

        def segments_of(outcome: ObjectFate) -> Sequence[Segment]:
            record = outcome.record
            return list(reading.table.segments(record.video.id, scan.id, record.attempt)) if record else ()

        with self._terminal.bar("objects") as bar:
            outcomes, missing = reading.fates(scan, self._wanted, truth, bar)
            review = review_of(scan, outcomes, truth, segments_of)
        review.flagged = with_decisions(review.flagged, reading.table)
        review.warnings += missing + _unfinished(scan)
        return review


def with_decisions(flagged: Sequence[FlaggedVideo], table: ScanTable) -> list[FlaggedVideo]:
    """Return flagged videos with what was decided about their content, in this scan or another; read a hundred at a time."""
    names = [name for video in flagged if (name := _content(video))]
    found = {(decision.video.id, decision.etag): decision for decision in table.decisions(names)}
    return [replace(video, decision=found.get(name)) if (name := _content(video)) else video for video in flagged]


def recorded_decisions(flagged: Sequence[FlaggedVideo]) -> dict[str, RecordedDecision]:
    """Return the decisions about flagged videos as the page takes them, by video id."""
    return {
        video.outcome.video.id: RecordedDecision(
            decision=video.decision.judgement.value,
            note=video.decision.note,
            decided_by=video.decision.decided_by,
            decided_at=iso_time(video.decision.decided_at),
        )
        for video in flagged
        if video.decision is not None
    }


def _content(video: FlaggedVideo) -> tuple[str, str] | None:
    record = video.outcome.record
    return (record.video.id, record.facts.etag) if record and record.facts else None


def _unfinished(scan: Scan) -> list[str]:
    if scan.status is ScanStatus.CLOSED:
        return []
    return [f"The scan is {scan.status.value}, not closed: this is how it stands now."]

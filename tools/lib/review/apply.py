"""One run of `review_report.py apply`: decisions of a file are written to the table, each if its video is as it was looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handlers.adapters.table import Decisions, Outcome, Records
from handlers.domain.decision import Decision
from handlers.domain.record import Record
from handlers.domain.states import State
from tools.lib.cli import ExitCode, Invocation
from tools.lib.errors import ToolError
from tools.lib.review import decisions as decisions_file
from tools.lib.review.decisions import Entry, Refusal
from tools.lib.text import moment, printable

_BATCH = 100
"""Entries that are read and written at a time: what one BatchGetItem takes, and two transactions."""

_LOOK_AGAIN = "Make a new page of the scan, look at the video there, and decide again."
_JUST_NOW = "it was changed, or decided by another, just now", "Apply the file once more: that tells which."
_JUDGED = frozenset({State.FLAGGED, State.CLEAN})


@dataclass(slots=True)
class Applied:
    """What became of the decisions of a file; `already` were written by an earlier run."""

    scan_id: str
    decided_by: str
    written: int = 0
    already: int = 0
    refused: list[Refusal] = field(default_factory=list)

    @property
    def exit_code(self) -> ExitCode:
        """Return 3 where some were refused."""
        return ExitCode.SOME_FAILED if self.refused else ExitCode.DONE

    def sentences(self) -> list[str]:
        already = f", {self.already:,} stood already" if self.already else ""
        done = f"{self.written:,} decisions by {printable(self.decided_by)} written{already}, {len(self.refused):,} refused"
        return [f"Scan {self.scan_id}: {done}", *(line for refusal in self.refused for line in _refusal_lines(refusal))]

    def as_json(self) -> dict[str, Any]:
        return {
            "scan": self.scan_id,
            "decided_by": self.decided_by,
            "written": self.written,
            "already": self.already,
            "refused": [
                {"entry": refusal.entry, "uri": refusal.uri, "reason": refusal.reason, "cure": refusal.cure}
                for refusal in self.refused
            ],
        }


def apply(run: Invocation, path: Path, *, scan_id: str | None, decided_by: str | None) -> Applied:
    """Apply a file, whose good decisions are written whatever the others are like.

    Raises:
        ToolError: The file is not valid, or is about another scan than the one named, or about an unknown scan.
    """
    file = decisions_file.read(path, decided_by=decided_by, now=run.clock.now())
    if scan_id not in {None, file.scan_id}:
        raise ToolError(
            f"{path}: its decisions are about scan {file.scan_id}, not about {scan_id}.",
            cure="Pass the file of that scan, or omit --scan.",
        )
    table = run.table
    if table.scans.scan(file.scan_id) is None:
        raise ToolError(
            f"{path}: its decisions are about scan {file.scan_id}, which the table of {run.target.stack} does not know.",
            cure="Name the deployment of that scan with --stack, --region and --profile.",
        )
    applied = Applied(file.scan_id, file.decided_by, refused=list(file.refused))
    with run.terminal.bar("decisions") as bar:
        for first in range(0, len(file.entries), _BATCH):
            bar.show("Writing decisions", first, len(file.entries))
            _take(applied, table.records, table.decisions, file.entries[first : first + _BATCH])
    applied.refused.sort(key=lambda refusal: refusal.entry)
    return applied


def _take(applied: Applied, records: Records, decisions: Decisions, entries: Sequence[Entry]) -> None:
    """Write the decisions of some entries that are about their records as they stand."""
    wanted = []
    for entry, record, standing in _as_they_stand(records, decisions, entries):
        refusal = _changed(entry.decision, record) or _superseded(entry.decision, standing)
        if refusal is not None:
            applied.refused.append(Refusal(entry.number, entry.decision.video.uri, *refusal))
        elif standing == entry.decision:
            applied.already += 1
        else:
            wanted.append(entry)
    for entry, outcome in zip(wanted, decisions.note_decisions([entry.decision for entry in wanted]), strict=True):
        applied.written += outcome is Outcome.DONE
        applied.already += outcome is Outcome.DONE_BEFORE
        if outcome is Outcome.BY_ANOTHER:
            applied.refused.append(Refusal(entry.number, entry.decision.video.uri, *_JUST_NOW))


def _as_they_stand(
    records: Records, decisions: Decisions, entries: Sequence[Entry]
) -> Iterator[tuple[Entry, Record | None, Decision | None]]:
    """Yield each entry with the record it is about and the decision in force."""
    new = [entry.decision for entry in entries]
    found = {record.video.id: record for record in records.records((each.video.id, each.scan_id) for each in new)}
    known = {standing.video.id: standing for standing in decisions.decisions((each.video.id, each.etag) for each in new)}
    for entry in entries:
        video_id = entry.decision.video.id
        yield entry, found.get(video_id), known.get(video_id)


def _changed(decision: Decision, record: Record | None) -> tuple[str, str] | None:
    """Return why a decision is not about the record as it stands and what to do, or None where it is."""
    if record is None:
        return (
            f"scan {decision.scan_id} has no record of it",
            "Name the deployment of that scan with --stack, --region and --profile.",
        )
    if record.attempt != decision.attempt:
        return f"it was analysed again: attempt {record.attempt}, decided was about attempt {decision.attempt}", _LOOK_AGAIN
    etag = record.facts.etag if record.facts else None
    if etag != decision.etag:
        return f"another object was analysed: its etag is {etag or 'unknown'}, decided was about {decision.etag}", _LOOK_AGAIN
    if record.state not in _JUDGED:
        return f"its analysis has no result to decide about: it is {record.state.value}", _LOOK_AGAIN
    return None


def _superseded(decision: Decision, standing: Decision | None) -> tuple[str, str] | None:
    """Return why a decision comes too late and what to do, or None: whichever file is applied first, the latest decision stands."""
    if standing is None or standing == decision or standing.decided_at < decision.decided_at:
        return None
    later = f"{standing.judgement} by {standing.decided_by}, {moment(standing.decided_at)}"
    return f"a later decision stands: {later}", "Nothing, if that one is right; else decide anew in a new page."


def _refusal_lines(refusal: Refusal) -> list[str]:
    about = f" ({printable(refusal.uri)})" if refusal.uri else ""
    return [f"  entry {refusal.entry}{about}: {printable(refusal.reason)}", f"    {printable(refusal.cure)}"]

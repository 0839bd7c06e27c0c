"""One run of `review_report.py apply`: writes the decisions of a file, each if its video is still as it was reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from handlers.adapters.table import Outcome, Table
from handlers.domain import Decision, Record, Scan, State, Video
from handlers.domain.decision import DECIDABLE
from handlers.domain.languages import ENGLISH, Phrase, phrase
from tools.lib.cli import ExitCode, Invocation
from tools.lib.errors import ToolError
from tools.lib.json_keys import scan_keys
from tools.lib.review import decisions as decisions_file
from tools.lib.review.completion_report import BucketFiles
from tools.lib.review.decisions import Entry, Refusal
from tools.lib.review.inputs import LeftOut, fetched_set_aside
from tools.lib.text import counted, moment, printable

# Entries that are read and written at a time: as many as one BatchGetItem or two transactions take.
_BATCH = 100

_REVIEW_AGAIN = phrase("Make a new page of the scan, review the video there, and decide again.")
_READ_FIRST = phrase("Let the functions read it, run `review_report.py retry --all-failed`, and decide on a new page.")
_DECIDABLE = f"{', '.join(DECIDABLE[:-1])} or {DECIDABLE[-1]}"
_OTHER_DEPLOYMENT = phrase("Choose the deployment of that scan with --stack, --region and --profile.")
_CONFLICT = "its record or its decision was changed at the same moment", "Apply the file again, which will say what was changed."


@dataclass(slots=True)
class Applied:
    """The result of applying a file; `already` counts decisions that an earlier run wrote."""

    scan_id: str
    decided_by: str
    written: int = 0
    already: int = 0
    refused: list[Refusal] = field(default_factory=list)

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.SOME_FAILED if self.refused else ExitCode.DONE

    def sentences(self) -> list[str]:
        already = f", {self.already:,} written before" if self.already else ""
        done = (
            f"{counted(self.written, 'decision')} by {printable(self.decided_by)} written{already}, {len(self.refused):,} refused"
        )
        return [f"Scan {self.scan_id}: {done}", *(line for refusal in self.refused for line in _refusal_lines(refusal))]

    def as_json(self) -> dict[str, Any]:
        return {
            **scan_keys(self.scan_id),
            "decided_by": self.decided_by,
            "written": self.written,
            "already": self.already,
            "refused": [asdict(refusal) for refusal in self.refused],
        }


def apply_decisions(run: Invocation, path: Path, *, scan_id: str | None, decided_by: str | None) -> Applied:
    """Write the valid decisions of a file to the table, even if others are refused.

    Raises:
        ToolError: The file is not valid, or is about another scan than the one named, or about an unknown scan.
    """
    file = decisions_file.read(path, decided_by=decided_by, now=run.clock.now())
    if scan_id not in {None, file.scan_id}:
        raise ToolError(
            f"{path}: its decisions are about scan {file.scan_id}, not about {scan_id}.",
            cure=f"Pass a file with decisions about {scan_id}, or omit --scan.",
        )
    table = run.table
    scan = table.scans.scan(file.scan_id)
    if scan is None:
        raise ToolError(
            f"{path}: its decisions are about scan {file.scan_id}, which the table of {run.target.stack} does not know.",
            cure=_OTHER_DEPLOYMENT,
        )
    applied = Applied(file.scan_id, file.decided_by, refused=list(file.refused))
    unrecorded = _Unrecorded(run, scan, file.entries)
    with run.terminal.bar("decisions") as bar:
        for first in range(0, len(file.entries), _BATCH):
            bar.show("Writing decisions", first, len(file.entries))
            _apply(applied, table, unrecorded, file.entries[first : first + _BATCH])
    applied.refused.sort(key=lambda refusal: refusal.entry)
    return applied


class _Unrecorded:
    """What was left out of a scan's job, of the objects that a file is about: it has no record until it is decided about.

    The list of it is read when the first record is missing.
    """

    def __init__(self, run: Invocation, scan: Scan, entries: Sequence[Entry]) -> None:
        self._run = run
        self._scan = scan
        self._asked = {entry.decision.video for entry in entries}

    def record(self, video: Video) -> Record | None:
        """Return the record that a function would have written of an object, None if the list does not name it."""
        return self._records.get(video)

    @cached_property
    def _records(self) -> dict[Video, Record]:
        if self._scan.manifest_uri is None:
            return {}
        files = BucketFiles(self._run.clients.s3, self._run.deployment.work_bucket)
        with fetched_set_aside(files, self._scan.manifest_uri) as aside:
            return {each.video: self._record_of(each) for each in aside if each.video in self._asked}

    def _record_of(self, left_out: LeftOut) -> Record:
        return record_of_left_out(self._scan, left_out, self._run.clock.now())


def record_of_left_out(scan: Scan, left_out: LeftOut, now: float) -> Record:
    """Return the record that a function would have written of an object that was left out of a scan's job."""
    record = Record(left_out.video, scan.id, State.WAITING, lane=scan.lane.of(scan.engine), facts=left_out.facts, queued_at=now)
    return replace(record, engine=scan.engine, interval_ms=scan.interval_ms).as_failed(left_out.problem, at=now)


def _apply(applied: Applied, table: Table, unrecorded: _Unrecorded, entries: Sequence[Entry]) -> None:
    """Write the decisions of some entries, except those that their records or later decisions contradict."""
    new = [entry.decision for entry in entries]
    found = {record.video.id: record for record in table.records.records((each.video.id, each.scan_id) for each in new)}
    stored = {each.content: each for each in table.decisions.decisions(each.content for each in new)}
    to_write = []
    for entry in entries:
        decision, earlier = entry.decision, stored.get(entry.decision.content)
        record = found.get(decision.video.id) or unrecorded.record(decision.video)
        now = changed(decision, record)
        refusal = (ENGLISH.render(now[0]), ENGLISH.render(now[1])) if now else _superseded(decision, earlier)
        if refusal is not None:
            applied.refused.append(Refusal(entry.number, decision.video.uri, *refusal))
        elif earlier == decision:
            applied.already += 1
        else:
            to_write.append(entry)
            if record is not None and decision.video.id not in found:
                table.records.register(record, None)
    for entry, outcome in zip(to_write, table.decisions.note_decisions([entry.decision for entry in to_write]), strict=True):
        applied.written += outcome is Outcome.DONE
        applied.already += outcome is Outcome.DONE_BEFORE
        if outcome is Outcome.BY_ANOTHER:
            applied.refused.append(Refusal(entry.number, entry.decision.video.uri, *_CONFLICT))


def changed(decision: Decision, record: Record | None) -> tuple[Phrase, Phrase] | None:
    """Return how a record differs from the one that the decision is about and what to do, or None where it does not."""
    if record is None:
        return phrase("scan {scan} has no record of it", scan=decision.scan_id), _OTHER_DEPLOYMENT
    if record.attempt != decision.attempt:
        attempts = {"now": str(record.attempt), "then": str(decision.attempt)}
        analysed = phrase("it was analysed again: the record is of attempt {now}, the decision of {then}", **attempts)
        return analysed, _REVIEW_AGAIN
    if record.state not in DECIDABLE:
        state = record.state.value
        return phrase(
            "it is {state}: only what is {decidable} can be decided about", state=state, decidable=_DECIDABLE
        ), _REVIEW_AGAIN
    if record.etag is None:
        unread = phrase("its etag is unknown, as nothing has read it: nothing tells which content was decided about")
        return unread, _READ_FIRST
    if record.etag != decision.etag:
        etags = {"now": record.etag, "then": decision.etag}
        other = phrase("another object was analysed: its etag is {now}, that of the decision {then}", **etags)
        return other, _REVIEW_AGAIN
    return None


def _superseded(decision: Decision, stored: Decision | None) -> tuple[str, str] | None:
    """Return why a decision comes too late and what to do, or None: in whatever order files are applied, the latest one wins."""
    if stored is None or stored == decision or stored.decided_at < decision.decided_at:
        return None
    later = f"{stored.judgement} by {stored.decided_by}, {moment(stored.decided_at)}"
    return f"there is a later decision: {later}", "Nothing, if that one is right; otherwise decide again on a new page."


def _refusal_lines(refusal: Refusal) -> list[str]:
    about = f" ({printable(refusal.uri)})" if refusal.uri else ""
    return [f"  entry {refusal.entry}{about}: {printable(refusal.reason)}", f"    {printable(refusal.cure)}"]

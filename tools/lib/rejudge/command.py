"""Judging a scan again: its clean and flagged records are read in batches, compared, and with --apply written.

Each record is written by itself, and only if it is still as it was read. So it does no harm to interrupt a run, to repeat it, or to
run it twice at once: a record that already has the policy's verdict is not written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from handlers.adapters.table import Outcome, Records, Scans
from handlers.domain import Record, Scan, State
from tools.lib.cli import Terminal
from tools.lib.rejudge import policy_file
from tools.lib.rejudge.comparison import Comparison
from tools.lib.rejudge.judge import JUDGED, Blocked, Judgement, judge
from tools.lib.rejudge.policy_file import PolicyFile

# Records that are read at a time: as many as one BatchGetItem takes.
BATCH = 100

# Records that are written at the same time, because each takes a round trip to AWS; boto3 keeps 10 connections.
WRITERS = 8


class Rejudging:
    """One run over the records of a scan."""

    def __init__(self, records: Records, scans: Scans, terminal: Terminal, *, writers: int = WRITERS) -> None:
        self._records = records
        self._scans = scans
        self._terminal = terminal
        self._writers = writers

    def run(self, scan: Scan, path: Path, *, apply: bool = False, mail: bool = False) -> Comparison:
        """Compare a scan's verdicts with those of the policy in a file; `apply` writes them, `mail` mails newly flagged videos.

        Raises:
            ToolError: The file is not a policy.
        """
        file = policy_file.read(path)
        totals = self._scans.totals(scan.id).videos
        comparison = Comparison(scan, file, expected=sum(totals.get(state, 0) for state in JUDGED), applied=apply, mail=mail)
        title = "Judging again" if apply else "Comparing"
        with self._terminal.bar("videos") as bar, ThreadPoolExecutor(self._writers) as pool:
            bar.show(title, 0, comparison.expected)
            for records in self._batches(scan):
                judgements = self._compare(records, file, comparison)
                self._write_and_count(judgements, comparison, pool if apply else None)
                bar.show(title, comparison.total, comparison.expected)
        return comparison

    def _batches(self, scan: Scan) -> Iterator[list[Record]]:
        """Yield the clean and flagged records, read from the table: the index only suggests them."""
        ids = _distinct(video_id for state in (State.CLEAN, State.FLAGGED) for video_id in self._records.in_state(scan.id, state))
        while batch := list(islice(ids, BATCH)):
            yield [record for record in self._records.records((video_id, scan.id) for video_id in batch) if record.state in JUDGED]

    def _compare(self, records: Iterable[Record], file: PolicyFile, comparison: Comparison) -> list[Judgement]:
        judgements: list[Judgement] = []
        for record in records:
            judged = judge(record, file.policy, mail=comparison.mail)
            if isinstance(judged, Blocked):
                comparison.take_blocked(judged)
            else:
                judgements.append(judged)
        return judgements

    def _write_and_count(self, judgements: list[Judgement], comparison: Comparison, pool: ThreadPoolExecutor | None) -> None:
        """Write the judgements that change a record, if there is a pool, and count all of them."""
        to_write = [judgement for judgement in judgements if judgement.to_write] if pool else []
        outcomes = dict(zip(map(id, to_write), pool.map(self._write, to_write), strict=True)) if pool else {}
        for judgement in judgements:
            if outcomes.get(id(judgement)) is Outcome.BY_ANOTHER:
                comparison.overtaken += 1
            else:
                comparison.take(judgement)

    def _write(self, judgement: Judgement) -> Outcome:
        return self._records.judge_again(judgement.record, judgement.judged)


def _distinct(ids: Iterable[str]) -> Iterator[str]:
    """Yield each id once: a record that this run makes flagged appears in the index a second time."""
    seen: set[bytes] = set()
    for video_id in ids:
        key = bytes.fromhex(video_id)
        if key not in seen:
            seen.add(key)
            yield video_id

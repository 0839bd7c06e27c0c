"""Decisions as items of the table: one for each content of a video, in the partition of the object as a manifest names it.

Not on the record: a record belongs to one scan, while a decision holds for every scan of the same content, and for its upload to a
watched bucket, whose video id has the etag. The etag in the sort key (`DECISION#<etag>`) identifies the content (with versions, the
video id does so already). Record and etag give the key, so decisions of many videos are read with BatchGetItem, and an object that
was replaced has none.

Each decision is also kept in a log, whose items are written with it and never change: `DECIDED#<etag>#<its time, milliseconds>`.
Times about a content only grow, so each entry has its own key. Decisions of versions before 0.3 are in the log only as what the
next one replaced.

The index `by_scan` has the log in the order in which it was written (`DECIDED`, milliseconds): a decision of a file is written long
after it was made. One partition takes the decisions about all scans, because a decision holds for all of them; it takes 1,000 a
second, and a program that is faster is throttled and waits. Entries that no index has were written before that key was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from handlers.adapters.table import codec, expressions, items, outbox_items
from handlers.adapters.table.client import ConditionFailedError, TableClient
from handlers.adapters.table.expressions import NEW, Condition, Item
from handlers.adapters.table.outcome import Outcome
from handlers.domain import Decision, Video
from handlers.domain.decision import DECIDABLE, LogEntry, Replaced, unless_withdrawn
from handlers.runtime import Clock

# Decisions of one transaction, which takes 100 actions (DynamoDB developer guide, Constraints): each is a check, a write, an entry
# of the log, and another one where its consequences go into the outbox.
TOGETHER = 25

DECISION_PREFIX = "DECISION#"
LOG_PREFIX = "DECIDED#"


@dataclass(frozen=True, slots=True)
class Noted:
    """What became of a decision.

    Attributes:
        outcome: DONE. DONE_BEFORE: this very decision is in the table. BY_ANOTHER: nothing was written.
        stored: The decision that is in the table now, perhaps a withdrawn one; None if there is none.
        record_changed: Whether nothing was written because the record is not as it was reviewed.
    """

    outcome: Outcome
    stored: Decision | None
    record_changed: bool = False


class Logged(NamedTuple):
    """Names an entry of the log: its content (see `Decision.content`), and when it was decided (milliseconds)."""

    content: tuple[str, str]
    at_ms: int


class Decisions:
    """Reads and writes of decisions."""

    def __init__(self, table: TableClient, clock: Clock, *, has_outbox: bool = False) -> None:
        self._table = table
        self._clock = clock
        self._has_outbox = has_outbox

    def decisions(self, contents: Iterable[tuple[str, str]]) -> Iterator[Decision]:
        """Yield the decisions about contents (see `Decision.content`), in any order; missing ones are skipped."""
        return map(decision_from, self._table.get_many(decision_key(*each) for each in contents))

    def decisions_about(self, video: Video) -> list[Decision]:
        """Return the decisions about every content that a version of a key had, uploads included, the oldest first."""
        found = map(decision_from, self._table.query(f"VIDEO#{video.in_manifest.id}", begins_with=DECISION_PREFIX))
        return sorted(found, key=lambda decision: decision.decided_at)

    def log_about(self, video: Video) -> list[LogEntry]:
        """Return the log of every content that a version of a key had, uploads included, the oldest first."""
        return self._log(video.in_manifest.id, LOG_PREFIX)

    def log_of(self, content: tuple[str, str]) -> list[LogEntry]:
        """Return the log of a content (see `Decision.content`), the oldest first."""
        object_id, etag = content
        return self._log(object_id, f"{LOG_PREFIX}{etag}#")

    def logged_since(self, at: float) -> set[Logged]:
        """Return the entries of the log that were written after a time, by the clocks of their writers, about any scan's videos.

        The index lags: one that was written a moment ago may be missing.
        """
        return {logged_from(item) for item in self._table.query(items.DECIDED_PK, above=items.sort_time(at), index="by_scan")}

    def _log(self, object_id: str, prefix: str) -> list[LogEntry]:
        found = map(log_entry_from, self._table.query(f"VIDEO#{object_id}", begins_with=prefix))
        return sorted(found, key=lambda entry: entry.decision.decided_at)

    def note_decisions(self, decisions: Sequence[Decision]) -> list[Outcome]:
        """Write decisions about different contents whose records are as they were reviewed, and which have no later decision.

        Returns the outcome of each. DONE_BEFORE: this very decision is in the table. BY_ANOTHER: the record has changed, or a later
        decision exists.
        """
        return [each.outcome for each in self._note_all([_Request(decision) for decision in decisions])]

    def note_decisions_as_seen(self, decisions: Sequence[Decision], seen: Sequence[float | None]) -> list[Noted]:
        """As `note_decisions`, each only if the decision that stands is the one that the person saw.

        Args:
            decisions: About different contents; each later than what it replaces (`time_of_decision`).
            seen: The `decided_at` of the decision that each person saw; None if they saw none, or one that was withdrawn.
        """
        return self._note_all([_Request(decision, (at,)) for decision, at in zip(decisions, seen, strict=True)])

    def _note_all(self, requests: Sequence[_Request]) -> list[Noted]:
        noted: list[Noted] = []
        for first in range(0, len(requests), TOGETHER):
            noted += self._note_chunk(requests[first : first + TOGETHER])
        return noted

    def _note_chunk(self, requests: Sequence[_Request]) -> list[Noted]:
        """Write decisions in one transaction; those that another writer was faster than are compared with what is there then."""
        noted: dict[int, Noted] = {}
        while left := [place for place in range(len(requests)) if place not in noted]:
            stored = {each.content: each for each in self.decisions(requests[place].decision.content for place in left)}
            befores = {place: stored.get(requests[place].decision.content) for place in left}
            noted |= {place: Noted(known, befores[place]) for place in left if (known := requests[place].known(befores[place]))}
            to_write = [place for place in left if place not in noted]
            changed = self._note_together([(requests[place].decision, befores[place]) for place in to_write])
            if changed is None:
                noted |= {place: Noted(Outcome.DONE, requests[place].decision) for place in to_write}
            else:
                refused = [to_write[number] for number in changed]
                noted |= {place: Noted(Outcome.BY_ANOTHER, befores[place], record_changed=True) for place in refused}
        return [noted[place] for place in range(len(requests))]

    def _note_together(self, decisions: Sequence[tuple[Decision, Decision | None]]) -> list[int] | None:
        """Write decisions, each with the one that it replaces, or none of them.

        Returns None if they were written; otherwise the numbers of those whose records have changed. That may be none: another
        decision was faster then.
        """
        if not decisions:
            return None
        actions = [self._actions(decision, before) for decision, before in decisions]
        try:
            self._table.transact([action for each in actions for action in each])
        except ConditionFailedError as failure:
            each = len(actions[0])
            return [action // each for action in sorted(failure.failed) if action % each == 0]
        return None

    def _actions(self, decision: Decision, before: Decision | None) -> list[dict[str, dict[str, Any]]]:
        as_before = NEW if before is None else Condition(equal={"decided_at": codec.stored(before.decided_at)})
        now = self._clock.now()
        due = [outbox_items.put_action(decision.video.id, decision.scan_id, at=now)] if self._has_outbox else []
        return [
            {"ConditionCheck": self._as_reviewed(decision)},
            {"Put": expressions.put(decision_item(decision), when=as_before)},
            {"Put": expressions.put({**log_item(decision, before), **log_index(now)})},
            *due,
        ]

    def _as_reviewed(self, decision: Decision) -> dict[str, Any]:
        # The id of an upload has its etag, so its record needs none; one that it has is that of what was looked at.
        named = decision.video.etag == decision.etag
        etag = {"etag": decision.etag}
        return expressions.check(
            items.record_key(decision.video.id, decision.scan_id),
            when=Condition(
                equal={"attempt": decision.attempt} | ({} if named else etag),
                equal_or_absent=etag if named else {},
                one_of={"state": [state.value for state in DECIDABLE]},
            ),
        )


@dataclass(frozen=True, slots=True)
class _Request:
    """A decision to write, and when the decision was made that its person saw, as a tuple of one; empty if that does not matter."""

    decision: Decision
    seen: tuple[float | None, ...] = ()

    def known(self, stored: Decision | None) -> Outcome | None:
        """Return what is clear from what is in the table; None if the decision is to be written."""
        if stored == self.decision:
            return Outcome.DONE_BEFORE
        stands = unless_withdrawn(stored)
        as_seen = {stands.decided_at if stands else None, stored.decided_at if stored else None}
        if self.seen and self.seen[0] not in as_seen:
            return Outcome.BY_ANOTHER
        is_later = stored is None or stored.decided_at < self.decision.decided_at
        return None if is_later else Outcome.BY_ANOTHER


def decision_key(object_id: str, etag: str) -> dict[str, str]:
    """Return the key of the decision about a content."""
    return {"pk": f"VIDEO#{object_id}", "sk": f"{DECISION_PREFIX}{etag}"}


def decision_item(decision: Decision) -> dict[str, Any]:
    """Return the whole item of a decision."""
    known = items.video_attributes(decision.video) | codec.attributes(decision, without=("video", "judgement"))
    return {**decision_key(*decision.content), **known, "decision": decision.judgement.value}


def decision_from(item: Item) -> Decision:
    """Return the decision that an item holds."""
    named = {**item, "etag": item.get("video_etag")}
    return codec.read(Decision, {**item, "video": named, "judgement": item["decision"]})


def log_item(decision: Decision, before: Decision | Replaced | None) -> dict[str, Any]:
    """Return the whole item of the log about a decision and the one that it replaced."""
    object_id, etag = decision.content
    key = {"pk": f"VIDEO#{object_id}", "sk": f"{LOG_PREFIX}{etag}#{items.sort_time(decision.decided_at)}"}
    replaced = (
        None if before is None else Replaced(judgement=before.judgement, decided_by=before.decided_by, decided_at=before.decided_at)
    )
    return {**decision_item(decision), **key, **codec.present({"before": replaced})}


def log_index(at: float) -> dict[str, str]:
    """Return the attributes by which the index `by_scan` finds an entry of the log that is written now."""
    return {"scan_pk": items.DECIDED_PK, "scan_sk": items.sort_time(at)}


def logged_from(item: Item) -> Logged:
    """Return the entry of the log that the key of an item names."""
    etag, _, at_ms = str(item["sk"]).removeprefix(LOG_PREFIX).rpartition("#")
    return Logged((str(item["pk"]).removeprefix("VIDEO#"), etag), int(at_ms))


def log_entry_from(item: Item) -> LogEntry:
    """Return the entry of the log that an item holds."""
    before = item.get("before")
    return LogEntry(decision_from(item), None if before is None else codec.read(Replaced, before))

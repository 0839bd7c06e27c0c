"""Decisions as items of the table: one for each content of a video, in the partition of the object as a manifest names it.

Not on the record: a record belongs to one scan, while a decision holds for every scan of the same content, and for its upload to a
watched bucket, whose video id has the etag. The etag in the sort key (`DECISION#<etag>`) identifies the content (with versions, the
video id does so already). Record and etag give the key, so decisions of many videos are read with BatchGetItem, and an object that
was replaced has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from handlers.adapters.table import codec, expressions, items, outbox_items
from handlers.adapters.table.client import ConditionFailedError, TableClient
from handlers.adapters.table.expressions import Condition, Item
from handlers.adapters.table.outcome import Outcome
from handlers.domain import Decision, Video
from handlers.domain.decision import DECIDABLE
from handlers.runtime import Clock

# Decisions of one transaction, which takes 100 actions (DynamoDB developer guide, Constraints): each is a check, a write, and
# another one where its consequences go into the outbox.
TOGETHER = 33

DECISION_PREFIX = "DECISION#"


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

    def note_decisions(self, decisions: Sequence[Decision]) -> list[Outcome]:
        """Write decisions about different contents whose records are as they were reviewed, and which have no later decision.

        Returns the outcome of each. DONE_BEFORE: this very decision is in the table. BY_ANOTHER: the record has changed, or a later
        decision exists.
        """
        outcomes: list[Outcome] = []
        for first in range(0, len(decisions), TOGETHER):
            outcomes += self._note_chunk(decisions[first : first + TOGETHER])
        return outcomes

    def _note_chunk(self, decisions: Sequence[Decision]) -> list[Outcome]:
        """Write decisions in one transaction; retry without those whose conditions failed until the rest is written."""
        outcomes = dict.fromkeys(range(len(decisions)), Outcome.DONE)
        left, each = list(outcomes), 3 if self._has_outbox else 2
        while left:
            try:
                self._table.transact([action for place in left for action in self._actions(decisions[place])])
            except ConditionFailedError as failure:
                for turn in {action // each for action in failure.failed}:
                    outcomes[left[turn]] = _refusal(decisions[left[turn]], failure.failed, each * turn)
                left = [place for place in left if outcomes[place] is Outcome.DONE]
            else:
                break
        return list(outcomes.values())

    def _actions(self, decision: Decision) -> list[dict[str, dict[str, Any]]]:
        item = decision_item(decision)
        put = expressions.put(item, when=Condition(below={"decided_at": item["decided_at"]}))
        actions: list[dict[str, dict[str, Any]]] = [{"ConditionCheck": self._as_reviewed(decision)}, {"Put": put}]
        if self._has_outbox:
            actions.append(outbox_items.put_action(decision.video.id, decision.scan_id, at=self._clock.now()))
        return actions

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


def _refusal(decision: Decision, failed: Mapping[int, Item | None], check: int) -> Outcome:
    """Return why a decision was not written, by the item at which its check, or the write after it, failed."""
    current = failed.get(check + 1)
    same = check not in failed and current is not None and decision_from(current) == decision
    return Outcome.DONE_BEFORE if same else Outcome.BY_ANOTHER


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

"""The outbox as items of the table, one for each record, in partitions that the sweeper reads.

Whoever carries out an item read its token first and the record after that, so what the record says is at least as new as the token.
Where several records are of one content, whoever is about to write renews the tokens of the others' items, so that what was read
before is not written last. Clocks do not decide: those of people are wrong, and writes are repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from handlers.adapters.table import codec, expressions, items, outbox_items
from handlers.adapters.table.client import TableClient
from handlers.adapters.table.decisions import DECISION_PREFIX, decision_from
from handlers.adapters.table.expressions import Condition
from handlers.adapters.table.outbox_items import SHARDS
from handlers.adapters.table.outcome import Outcome, once
from handlers.domain import Decision, Record, Video, consequence, outbox
from handlers.domain.outbox import Due
from handlers.runtime import Clock


@dataclass(frozen=True, slots=True)
class Content:
    """A record, the decision about its content, and whatever else the table knows of its key, in whatever state."""

    record: Record
    decision: Decision | None
    others: tuple[Record, ...]
    decisions: tuple[Decision, ...]


class Outbox:
    """Reads and writes of the outbox, and what the consequences of a record depend on."""

    def __init__(self, table: TableClient, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def due(self, first_shard: int = 0) -> Iterator[Due]:
        """Yield every item, beginning with a shard."""
        for number in range(SHARDS):
            for item in self._table.query(outbox_items.partition((first_shard + number) % SHARDS)):
                yield codec.read(Due, item)

    def put_again(self, records: Iterable[Record]) -> None:
        """Put records into the outbox, so that their consequences are carried out again."""
        now = self._clock.now()
        self._table.put_all(outbox_items.new_item(each.video.id, each.scan_id, at=now) for each in records)

    def put_closed_again(self, scan_id: str) -> None:
        """Put a scan into the outbox, so that it is told again that it was closed."""
        self._table.put_all([outbox_items.new_item("", scan_id, at=self._clock.now())])

    def done(self, due: Due) -> Outcome:
        """Delete an item. DONE_BEFORE: it is gone, or there is a newer verdict than the one that was carried out."""
        return once(lambda: self._table.delete(expressions.delete(outbox_items.key(due), when=_same(due))))

    def postpone(self, due: Due, *, at: float, event_sent: bool) -> Outcome:
        """Note an attempt that AWS prevented, and when the next one is due."""
        sets = codec.present({"not_before": at + due.wait_seconds, "event_sent": event_sent}) | {"tries": due.tries + 1}
        return once(lambda: self._table.update(expressions.update(outbox_items.key(due), sets=sets, when=_same(due))))

    def content(self, due: Due) -> Content | None:
        """Return a record with what else is known of its object, None if there is no such record; all reads are consistent."""
        found = list(self._table.query(_partition(due.video_id)))
        mine = next((item for item in found if item["sk"] == f"SCAN#{due.scan_id}"), None)
        if mine is None:
            return None
        record = items.record_from(mine)
        for other_id in _other_names(record):
            found += self._table.query(_partition(other_id))
        decisions = tuple(decision_from(item) for item in found if item["sk"].startswith(DECISION_PREFIX))
        return Content(record, consequence.decision_about(record, decisions), tuple(_all_records(found)), decisions)

    def renew(self, records: Iterable[Record]) -> None:
        """Renew the tokens of the items that records have: whoever is at one of these begins anew."""
        for each in records:
            due = self.item(Due(each.video.id, each.scan_id, ""))
            if due is not None:
                self._renew(due)

    def _renew(self, due: Due) -> Outcome:
        sets = {"token": outbox.renewed(due.token)}
        return once(lambda: self._table.update(expressions.update(outbox_items.key(due), sets=sets, when=_same(due))))

    def item(self, due: Due) -> Due | None:
        """Return an item as it is now, None if it is gone."""
        item = self._table.get(outbox_items.key(due))
        return None if item is None else codec.read(Due, item)

    def uploads_of(self, video: Video, etag: str) -> list[Record]:
        """Return the records of the upload of a content, by any scan of a day."""
        return list(_all_records(self._table.query(_partition(Video(video.bucket, video.key, None, etag).id))))


def _all_records(found: Iterable[expressions.Item]) -> Iterator[Record]:
    for item in found:
        # Segments and hits have longer sort keys.
        if item["sk"].startswith("SCAN#") and item["sk"].count("#") == 1:
            yield items.record_from(item)


def _other_names(record: Record) -> list[str]:
    """Return the other ids that the same object has: in a manifest without versions, in one with them, and as an upload."""
    video, facts = record.video, record.facts
    names = {Video(video.bucket, video.key).id}
    if facts is not None and consequence.keeps_content(facts.version_id):
        names.add(Video(video.bucket, video.key, facts.version_id).id)
    elif facts is not None:
        names.add(Video(video.bucket, video.key, None, facts.etag).id)
    return sorted(names - {video.id})


def _partition(video_id: str) -> str:
    return items.record_key(video_id, "")["pk"]


def _same(due: Due) -> Condition:
    return Condition(equal={"token": due.token})

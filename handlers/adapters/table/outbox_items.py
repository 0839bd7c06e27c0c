"""Items of the outbox: one for each record whose consequences are still to be carried out, by its shard."""

from __future__ import annotations

from typing import Any

from handlers.adapters.table import codec, expressions
from handlers.domain import identity, outbox
from handlers.domain.outbox import Due

# Partitions over which the items are spread, because one takes 1,000 writes a second (DynamoDB guide, partition keys).
SHARDS = 16


def key(due: Due) -> dict[str, str]:
    """Return the key of an item; those of scans are in the first partition."""
    shard = identity.shard(due.video_id, SHARDS) if due.video_id else 0
    return {"pk": f"OUTBOX#{shard}", "sk": f"{due.video_id}#{due.scan_id}"}


def partition(shard: int) -> str:
    """Return the hash key of all items whose videos' ids have this shard (`identity.shard`)."""
    return f"OUTBOX#{shard}"


def put_action(video_id: str, scan_id: str, *, at: float) -> dict[str, dict[str, Any]]:
    """Return the action of a transaction that puts a record, or a scan (video id ""), into the outbox."""
    return {"Put": expressions.put(new_item(video_id, scan_id, at=at))}


def new_item(video_id: str, scan_id: str, *, at: float) -> dict[str, Any]:
    """Return an item with a new token, which is due at once."""
    return item(Due(video_id, scan_id, outbox.new_token(), put_at=at))


def item(due: Due) -> dict[str, Any]:
    """Return the whole item."""
    return {**key(due), **codec.attributes(due)}

"""DynamoDB's engine with indexes that lag differently at each moment."""

from tools.emulator.dynamodb.engine import Engine
from tools.emulator.dynamodb.table import Index, KeySchema, Table

INDEX_LAG_SECONDS = 2.0
SCAN_TABLE = "scans"


class Tables:
    """One table, whose keys and indexes are given by `make(clock)`; without it none."""

    def __init__(self, clock, make):
        self.table = make(clock) if make else None
        self.engine = Engine(lambda _: self.table, clock)


class LaggingTable(Table):
    """A table whose indexes lag by 0 to 2 s."""

    def lag_seconds(self):
        """Return after how long a write reaches the indexes."""
        return lag_at(self._clock.now())


def lag_at(moment):
    """Return how far indexes lag behind a write of this moment: anything from 0 to 2 s, but the same for whoever asks."""
    return moment * 7_919.137 % 1.0 * INDEX_LAG_SECONDS


def scan_table(clock):
    """Return the product's table (design, section 4)."""
    key = KeySchema("pk", "sk", {"pk": "S", "sk": "S"})
    carried = frozenset({"bucket", "key", "version_id", "attempt", "lane"})
    indexes = {
        "work": Index("work", KeySchema("work_pk", "work_sk", {"work_pk": "S", "work_sk": "S"}), key, carried),
        "by_scan": Index("by_scan", KeySchema("scan_pk", "scan_sk", {"scan_pk": "S", "scan_sk": "S"}), key, frozenset()),
    }
    return LaggingTable(SCAN_TABLE, key, indexes, clock=clock, lag_seconds=0.0)

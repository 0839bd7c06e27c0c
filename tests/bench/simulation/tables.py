"""DynamoDB's engine with indexes that lag anew for each write, and the units of capacity that the calls consume."""

import math
import random

from tools.emulator.dynamodb.engine import Engine
from tools.emulator.dynamodb.table import Index, KeySchema, Table
from tools.emulator.dynamodb.values import item_size

INDEX_LAG_SECONDS = 2.0
SCAN_TABLE = "scans"


class Tables:
    """One table, whose keys and indexes are given by `make(clock)`; without it none."""

    def __init__(self, clock, seed, make):
        self.table = make(clock, random.Random(f"indexes {seed}")) if make else None
        self.engine = Engine(lambda _: self.table, clock)


class LaggingTable(Table):
    """A table whose indexes lag by 0 to 2 s. `written` are units of 1 KB, those of the indexes included."""

    def __init__(self, name, key, indexes, *, clock, chance):
        super().__init__(name, key, indexes, clock=clock, lag_seconds=0.0)
        self._chance = chance
        self.written = 0

    def lag_seconds(self):
        """Return after how long a write reaches the indexes."""
        return self._chance.uniform(0.0, INDEX_LAG_SECONDS)


def scan_table(clock, chance):
    """Return the product's table (design, section 4)."""
    key = KeySchema("pk", "sk", {"pk": "S", "sk": "S"})
    carried = frozenset({"bucket", "key", "version_id", "attempt", "lane"})
    indexes = {
        "work": Index("work", KeySchema("work_pk", "work_sk", {"work_pk": "S", "work_sk": "S"}), key, carried),
        "by_scan": Index("by_scan", KeySchema("scan_pk", "scan_sk", {"scan_pk": "S", "scan_sk": "S"}), key, frozenset()),
    }
    return LaggingTable(SCAN_TABLE, key, indexes, clock=clock, chance=chance)

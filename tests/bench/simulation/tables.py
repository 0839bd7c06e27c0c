"""DynamoDB's engine with indexes that lag differently at each moment, and the units of capacity that it would bill.

Units: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-unit-calculations.html
"""

from tools.emulator.services.dynamodb.backend import Engine
from tools.emulator.services.dynamodb.errors import DynamoDbError
from tools.emulator.services.dynamodb.table import Index, KeySchema, Table
from tools.emulator.services.dynamodb.values import item_size

INDEX_LAG_SECONDS = 2.0
SCAN_TABLE = "scans"
WRITE_BYTES, READ_BYTES = 1024, 4096
# What is counted without being shown are the items of running analyses: about so large.
_COUNTED_ITEM_BYTES = 250


class Tables(Engine):
    """DynamoDB with one table, made by `make(clock)`. `read` and `written` are the units that were consumed."""

    def __init__(self, clock, make):
        self.table = make(clock) if make else None
        self.read = self.written = 0.0
        super().__init__(lambda _: self.table, clock)

    def call(self, operation, request):
        """Carry out one operation, and bill it."""
        table = self.table
        table.read = table.written = table.indexed = 0
        try:
            answer = super().call(operation, request)
        except DynamoDbError:
            self.written += 1
            raise
        if operation in ("GetItem", "BatchGetItem"):
            self.read += table.read
        elif operation == "Query":
            self.read += _queried(request, answer)
        else:
            self.written += table.indexed + table.written * (2 if operation == "TransactWriteItems" else 1)
        return answer


class _Table(Table):
    """A table whose indexes lag by 0 to 2 s, and that counts the units of one operation."""

    read = written = indexed = 0

    def lag_seconds(self):
        """Return after how long a write reaches the indexes."""
        return lag_at(self._clock.now())

    def get(self, key):
        """Return an item; what is not there is billed as the smallest."""
        row = self.rows.get(self.key.hash_of(key), self.key.sort_of(key))
        self.read += 1 if row is None else _units(row.size, READ_BYTES)
        return None if row is None else row.item

    def write(self, key, new):
        """Replace a row; the larger of both counts."""
        old = self.rows.get(self.key.hash_of(key), self.key.sort_of(key))
        self.written += max(_units(row.size, WRITE_BYTES) if row is not None else 1 for row in (old, new))
        for index in self.indexes.values():
            self.indexed += _index_units(index, None if old is None else old.item, None if new is None else new.item)
        super().write(key, new)


def lag_at(moment):
    """Return how far indexes lag behind a write of this moment: anything from 0 to 2 s, but the same for whoever asks."""
    return moment * 7_919.137 % 1.0 * INDEX_LAG_SECONDS


def scan_table(clock):
    """Return the product's table (docs/architecture.md#the-table)."""
    key = KeySchema("pk", "sk", {"pk": "S", "sk": "S"})
    carried = frozenset({"bucket", "key", "version_id", "attempt", "lane"})
    indexes = {
        "work": Index("work", KeySchema("work_pk", "work_sk", {"work_pk": "S", "work_sk": "S"}), key, carried),
        "by_scan": Index("by_scan", KeySchema("scan_pk", "scan_sk", {"scan_pk": "S", "scan_sk": "S"}), key, frozenset()),
    }
    return _Table(SCAN_TABLE, key, indexes, clock=clock, lag_seconds=0.0)


def _queried(request, answer):
    """Return the units of a query: the bytes of its page together, half of them where an index is asked."""
    size = sum(map(item_size, answer["Items"])) if "Items" in answer else answer["ScannedCount"] * _COUNTED_ITEM_BYTES
    return max(1, _units(size, READ_BYTES)) * (0.5 if "IndexName" in request else 1.0)


def _index_units(index, old, new):
    """Return the units of an index's change: a changed key is one entry deleted and one put."""
    old, new = index.entry(old), index.entry(new)
    if old == new:
        return 0
    sizes = [_units(item_size(entry), WRITE_BYTES) for entry in (old, new) if entry is not None]
    moved = old is not None and new is not None and index.key.pick(old) != index.key.pick(new)
    return sum(sizes) if moved else max(sizes)


def _units(size, unit):
    return -(-size // unit)

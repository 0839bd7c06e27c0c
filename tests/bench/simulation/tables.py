"""DynamoDB's engine with indexes that lag differently at each moment, and the units of capacity that it would bill.

Units: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-unit-calculations.html
"""

from tests.harness.product import TABLE
from tools.emulator.services.dynamodb import DynamoDbError, Table, item_size

INDEX_LAG_SECONDS = 2.0
WRITE_BYTES, READ_BYTES = 1024, 4096
# What is counted without being shown are the items of running analyses: about so large.
_COUNTED_ITEM_BYTES = 250


class BilledTables:
    """DynamoDB's service, of which each operation is billed. `read` and `written` are the units that were consumed."""

    def __init__(self, service):
        self._service = service
        self.read = self.written = 0.0

    def call(self, operation, request):
        """Carry out one operation, and bill it."""
        table = self._service.table(TABLE)
        table.read = table.written = table.indexed = 0
        try:
            answer = self._service.call(operation, request)
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


class BilledTable(Table):
    """A table whose indexes lag by 0 to 2 s, and that counts the units of one operation."""

    read = written = indexed = 0

    def lag_seconds(self):
        """Return after how long a write reaches the indexes: anything from 0 to 2 s, but the same for whoever asks."""
        return self._clock.now() * 7_919.137 % 1.0 * INDEX_LAG_SECONDS

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

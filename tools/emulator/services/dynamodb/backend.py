"""DynamoDB's data plane on plain dicts: one lock over every read and write, so that a transaction is alone with its tables.

A request is what boto3 sends as JSON, a result what it gets; what AWS has and this has not is refused by name.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tools.emulator.core.clock import Clock
from tools.emulator.services.dynamodb import batches, queries, transactions, writes
from tools.emulator.services.dynamodb.state import State
from tools.emulator.services.dynamodb.table import Table

Request = Mapping[str, Any]
Response = dict[str, Any]

OPERATIONS: dict[str, Callable[[State, Request], Response]] = {
    "GetItem": batches.get_item,
    "BatchGetItem": batches.batch_get_item,
    "TransactGetItems": batches.transact_get_items,
    "PutItem": partial(writes.single, "Put"),
    "UpdateItem": partial(writes.single, "Update"),
    "DeleteItem": partial(writes.single, "Delete"),
    "BatchWriteItem": batches.batch_write_item,
    "TransactWriteItems": transactions.transact_write_items,
    "Query": queries.query,
    "Scan": queries.scan,
}


class Engine:
    """The operations on items, of all tables of the account."""

    def __init__(self, find_table: Callable[[str], Table], clock: Clock) -> None:
        """Take how a table is found by its name or ARN (raises `DynamoDbError` where there is none), and the clock."""
        self._state = State(find_table, clock)
        self._lock = threading.RLock()

    def call(self, operation: str, request: Request) -> Response:
        """Carry out one operation.

        Raises:
            DynamoDbError: As DynamoDB answers.
            UnsupportedError: A parameter that the offline world does not implement.
        """
        with self._lock:
            return OPERATIONS[operation](self._state, request)

"""DynamoDB's operations on items: one lock over every read and write makes each transaction atomic.

Requests and responses are dicts, as boto3 sends and receives them in JSON.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tools.emulator.core import Clock, only
from tools.emulator.services.dynamodb import batches, queries, transactions, writes
from tools.emulator.services.dynamodb.table import Table, Tables

Request = Mapping[str, Any]
Response = dict[str, Any]

# What carries out each operation, and the parameters that are implemented.
OPERATIONS: dict[str, tuple[Callable[[Tables, Request], Response], tuple[str, ...]]] = {
    "GetItem": (batches.get_item, ("TableName", "Key", *batches.READ)),
    "BatchGetItem": (batches.batch_get_item, ("RequestItems",)),
    "BatchWriteItem": (batches.batch_write_item, ("RequestItems",)),
    "PutItem": (partial(writes.single, "Put"), (*writes.PARAMETERS["Put"], "ReturnValues")),
    "UpdateItem": (partial(writes.single, "Update"), (*writes.PARAMETERS["Update"], "ReturnValues")),
    "DeleteItem": (partial(writes.single, "Delete"), (*writes.PARAMETERS["Delete"], "ReturnValues")),
    "TransactWriteItems": (transactions.transact_write_items, ("TransactItems", "ClientRequestToken")),
    "Query": (queries.query, (*queries.PARAMETERS, "KeyConditionExpression", "ScanIndexForward")),
    "Scan": (queries.scan, queries.PARAMETERS),
}


class Engine:
    """The operations on the items of all tables of the account."""

    def __init__(self, find_table: Callable[[str], Table], clock: Clock) -> None:
        """Take what finds a table by its name or ARN (it raises `DynamoDbError` if there is none), and the clock."""
        self._tables = Tables(find_table, clock)
        self._lock = threading.RLock()

    def call(self, operation: str, request: Request) -> Response:
        """Carry out one operation.

        Raises:
            DynamoDbError: DynamoDB would refuse the request.
            UnsupportedError: The request has a parameter that is not implemented.
        """
        carry_out, parameters = OPERATIONS[operation]
        only("dynamodb", operation, request, parameters)
        with self._lock:
            return carry_out(self._tables, request)

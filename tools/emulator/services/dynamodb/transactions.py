"""TransactWriteItems: under the engine's lock, all conditions are checked before anything is written.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tools.emulator.core import only
from tools.emulator.services.dynamodb.batches import refuse_duplicates
from tools.emulator.services.dynamodb.errors import DynamoDbError, ValidationError
from tools.emulator.services.dynamodb.rows import Row
from tools.emulator.services.dynamodb.table import Tables
from tools.emulator.services.dynamodb.values import item_size
from tools.emulator.services.dynamodb.writes import PARAMETERS, Write, plan

MAX_ACTIONS = 100
MAX_BYTES = 4 * 1024 * 1024
# For how long a client request token makes a transaction idempotent.
TOKEN_SECONDS = 600.0


def transact_write_items(tables: Tables, request: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out TransactWriteItems."""
    token = request.get("ClientRequestToken")
    content = hashlib.sha256(json.dumps(request["TransactItems"], sort_keys=True).encode()).digest()
    if token is not None and _done_before(tables, token, content):
        return {}
    planned = _plan(tables, request["TransactItems"])
    for write, row in zip(planned, _outcomes(planned), strict=True):
        if write.kind != "ConditionCheck":
            write.table.write(write.key, row)
    if token is not None:
        tables.tokens[token] = (tables.clock.now() + TOKEN_SECONDS, content)
    return {}


def _plan(tables: Tables, actions: list[dict[str, Any]]) -> list[Write]:
    if not 1 <= len(actions) <= MAX_ACTIONS:
        raise ValidationError(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
            f"Member must have length {'greater than or equal to 1' if not actions else f'less than or equal to {MAX_ACTIONS}'}",
        )
    planned = [_action(tables, action) for action in actions]
    keys = ((write.table.name, write.key) for write in planned)
    refuse_duplicates(keys, "Transaction request cannot include multiple operations on one item")
    if sum(item_size(write.item or write.key) for write in planned) > MAX_BYTES:
        raise ValidationError("Transaction request cannot exceed 4 MB")
    return planned


def _action(tables: Tables, action: dict[str, Any]) -> Write:
    if len(action) != 1:
        raise ValidationError("TransactItems can only contain one of Check, Put, Update or Delete")
    kind, request = next(iter(action.items()))
    only("dynamodb", f"{kind} in TransactWriteItems", request, PARAMETERS[kind])
    return plan(tables, kind, request)


def _outcomes(planned: list[Write]) -> list[Row | None]:
    """Return the row that each write will leave, or cancel the transaction with a reason for each."""
    rows: list[Row | None] = []
    reasons: list[dict[str, Any]] = []
    for write in planned:
        try:
            rows.append(write.outcome(write.table.get(write.key)))
            reasons.append({"Code": "None"})
        except ValidationError as error:
            reasons.append({"Code": "ValidationError", "Message": error.message})
        except DynamoDbError as error:
            reasons.append({"Code": "ConditionalCheckFailed", "Message": error.message, **error.extra})
    if len(rows) == len(planned):
        return rows
    codes = ", ".join(reason["Code"] for reason in reasons)
    raise DynamoDbError(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        CancellationReasons=reasons,
    )


def _done_before(tables: Tables, token: str, content: bytes) -> bool:
    now = tables.clock.now()
    for old in [old for old, (until, _) in tables.tokens.items() if until <= now]:
        del tables.tokens[old]
    if token not in tables.tokens:
        return False
    if tables.tokens[token][1] != content:
        raise DynamoDbError(
            "IdempotentParameterMismatchException",
            "Request with the same client request token has already been processed with different parameters",
        )
    return True

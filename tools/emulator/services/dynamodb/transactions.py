"""TransactWriteItems: all conditions are looked at before anything is written, and then all is written, under the engine's lock.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tools.emulator.core.refusal import only
from tools.emulator.services.dynamodb.errors import DynamoDbError, ValidationError
from tools.emulator.services.dynamodb.rows import Row
from tools.emulator.services.dynamodb.state import State
from tools.emulator.services.dynamodb.values import item_size
from tools.emulator.services.dynamodb.writes import COMMON, PARAMETERS, Write, plan, refuse_capacity

MAX_ACTIONS = 100
MAX_BYTES = 4 * 1024 * 1024
TOKEN_SECONDS = 600.0  # for how long a client request token counts


def transact_write_items(state: State, request: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out TransactWriteItems."""
    only(
        "dynamodb",
        "TransactWriteItems",
        request,
        ("TransactItems", "ClientRequestToken", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"),
    )
    refuse_capacity("TransactWriteItems", request)
    token, content = request.get("ClientRequestToken"), _digest(request)
    if token is not None and _done_before(state, token, content):
        return {}
    planned = _plan(state, request["TransactItems"])
    for write, row in zip(planned, _outcomes(planned), strict=True):
        if write.kind != "ConditionCheck":
            write.table.write(write.key, row)
    if token is not None:
        state.tokens[token] = (state.clock.now() + TOKEN_SECONDS, content)
    return {}


def _plan(state: State, actions: list[dict[str, Any]]) -> list[Write]:
    if not 1 <= len(actions) <= MAX_ACTIONS:
        raise ValidationError(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
            f"Member must have length {'greater than or equal to 1' if not actions else f'less than or equal to {MAX_ACTIONS}'}",
        )
    planned = [_action(state, action) for action in actions]
    if len({(id(write.table), json.dumps(write.key, sort_keys=True)) for write in planned}) != len(planned):
        raise ValidationError("Transaction request cannot include multiple operations on one item")
    if sum(item_size(write.item or write.key) for write in planned) > MAX_BYTES:
        raise ValidationError("Transaction request cannot exceed 4 MB")
    return planned


def _action(state: State, action: dict[str, Any]) -> Write:
    if len(action) != 1:
        raise ValidationError("TransactItems can only contain one of Check, Put, Update or Delete")
    kind, request = next(iter(action.items()))
    only("dynamodb", f"{kind} in TransactWriteItems", request, (*COMMON, *PARAMETERS[kind]))
    return plan(state, kind, request)


def _outcomes(planned: list[Write]) -> list[Row | None]:
    """Return what each write will leave, or cancel the transaction with a reason for each."""
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


def _done_before(state: State, token: str, content: bytes) -> bool:
    now = state.clock.now()
    for old in [old for old, (until, _) in state.tokens.items() if until <= now]:
        del state.tokens[old]
    if token not in state.tokens:
        return False
    if state.tokens[token][1] != content:
        raise DynamoDbError(
            "IdempotentParameterMismatchException",
            "Request with the same client request token has already been processed with different parameters",
        )
    return True


def _digest(request: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(request["TransactItems"], sort_keys=True).encode()).digest()

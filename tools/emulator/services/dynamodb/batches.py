"""Reading by key, and writing many items at once without conditions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tools.emulator.core.refusal import only
from tools.emulator.services.dynamodb.errors import ValidationError
from tools.emulator.services.dynamodb.scope import Scope, project
from tools.emulator.services.dynamodb.state import State
from tools.emulator.services.dynamodb.table import Table
from tools.emulator.services.dynamodb.values import Item, item_size
from tools.emulator.services.dynamodb.writes import Write, plan, refuse_capacity

Request = Mapping[str, Any]
Response = dict[str, Any]

MAX_WRITES = 25
MAX_GETS = 100
MAX_BYTES = 16 * 1024 * 1024  # of a batch's answer
_READ = ("ProjectionExpression", "ExpressionAttributeNames")


def get_item(state: State, request: Request) -> Response:
    """Carry out GetItem; every read here is consistent."""
    only("dynamodb", "GetItem", request, ("TableName", "Key", "ConsistentRead", "ReturnConsumedCapacity", *_READ))
    refuse_capacity("GetItem", request)
    found = _read(state.find_table(request["TableName"]), request["Key"], request)
    return {} if found is None else {"Item": found}


def transact_get_items(state: State, request: Request) -> Response:
    """Carry out TransactGetItems."""
    only("dynamodb", "TransactGetItems", request, ("TransactItems", "ReturnConsumedCapacity"))
    refuse_capacity("TransactGetItems", request)
    gets = [action["Get"] for action in request["TransactItems"]]
    if len(gets) > MAX_GETS:
        raise ValidationError(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
            "Member must have length less than or equal to 100",
        )
    for get in gets:
        only("dynamodb", "Get in TransactGetItems", get, ("TableName", "Key", *_READ))
    _refuse_duplicates(
        ((get["TableName"], get["Key"]) for get in gets), "Transaction request cannot include multiple operations on one item"
    )
    found = [_read(state.find_table(get["TableName"]), get["Key"], get) for get in gets]
    return {"Responses": [{} if item is None else {"Item": item} for item in found]}


def batch_get_item(state: State, request: Request) -> Response:
    """Carry out BatchGetItem; items come in another order than they were asked for, as AWS promises none."""
    only("dynamodb", "BatchGetItem", request, ("RequestItems", "ReturnConsumedCapacity"))
    refuse_capacity("BatchGetItem", request)
    tables: Mapping[str, Any] = request["RequestItems"]
    if not 1 <= sum(len(wanted["Keys"]) for wanted in tables.values()) <= MAX_GETS:
        raise ValidationError("Too many items requested for the BatchGetItem call")
    responses: dict[str, list[Item]] = {}
    left: dict[str, Any] = {}
    size = 0
    for name, wanted in tables.items():
        only("dynamodb", "BatchGetItem", wanted, ("Keys", "ConsistentRead", *_READ))
        _refuse_duplicates(((name, key) for key in wanted["Keys"]), "Provided list of item keys contains duplicates")
        table = state.find_table(name)
        responses[name] = []
        for key in reversed(wanted["Keys"]):
            found = _read(table, key, wanted)
            if found is None:
                continue
            size += item_size(found)
            if size > MAX_BYTES:
                left.setdefault(name, {**wanted, "Keys": []})["Keys"].append(key)
            else:
                responses[name].append(found)
    return {"Responses": responses, "UnprocessedKeys": left}


def batch_write_item(state: State, request: Request) -> Response:
    """Carry out BatchWriteItem."""
    only("dynamodb", "BatchWriteItem", request, ("RequestItems", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"))
    refuse_capacity("BatchWriteItem", request)
    tables: Mapping[str, list[dict[str, Any]]] = request["RequestItems"]
    if any(not 1 <= len(writes) <= MAX_WRITES for writes in tables.values()) or not tables:
        raise ValidationError(
            "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: "
            "[Member must have length less than or equal to 25, Member must have length greater than or equal to 1]",
        )
    if sum(map(len, tables.values())) > MAX_WRITES:
        raise ValidationError("Too many items requested for the BatchWriteItem call")
    planned = [_batched(state, name, write) for name, writes in tables.items() for write in writes]
    _refuse_duplicates(((write.table.name, write.key) for write in planned), "Provided list of item keys contains duplicates")
    for write, row in [(write, write.outcome(None)) for write in planned]:
        write.table.write(write.key, row)
    return {"UnprocessedItems": {}}


def _batched(state: State, table: str, write: dict[str, Any]) -> Write:
    if len(write) != 1:
        raise ValidationError(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
        )
    kind, content = next(iter(write.items()))
    return plan(state, kind.removesuffix("Request"), {"TableName": table, **content})


def _read(table: Table, key: Item, request: Request) -> Item | None:
    scope = Scope(request)
    wanted = scope.projection()
    scope.check_all_used()
    found = table.get(table.key_of(key))
    return None if found is None else project(found, wanted)


def _refuse_duplicates(keys: Iterable[tuple[str, Item]], message: str) -> None:
    seen: set[str] = set()
    for table, key in keys:
        text = json.dumps([table, key], sort_keys=True)
        if text in seen:
            raise ValidationError(message)
        seen.add(text)

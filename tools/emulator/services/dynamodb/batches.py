"""Reading items by their keys, and writing many at once without conditions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tools.emulator.core import only
from tools.emulator.services.dynamodb.errors import ValidationError
from tools.emulator.services.dynamodb.scope import Scope, project
from tools.emulator.services.dynamodb.table import Table, Tables
from tools.emulator.services.dynamodb.values import Item, item_size
from tools.emulator.services.dynamodb.writes import Write, plan

Request = Mapping[str, Any]
Response = dict[str, Any]

MAX_WRITES = 25
MAX_GETS = 100
# The largest response of BatchGetItem.
MAX_BYTES = 16 * 1024 * 1024
# How an item is read; every read here is consistent.
READ = ("ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames")


def get_item(tables: Tables, request: Request) -> Response:
    """Carry out GetItem."""
    found = _read(tables.find(request["TableName"]), request["Key"], request)
    return {} if found is None else {"Item": found}


def batch_get_item(tables: Tables, request: Request) -> Response:
    """Carry out BatchGetItem; the items come in reverse, because AWS promises no order."""
    by_table: Mapping[str, Any] = request["RequestItems"]
    if not 1 <= sum(len(part["Keys"]) for part in by_table.values()) <= MAX_GETS:
        raise ValidationError("Too many items requested for the BatchGetItem call")
    responses: dict[str, list[Item]] = {}
    left: dict[str, Any] = {}
    size = 0
    for name, part in by_table.items():
        only("dynamodb", "BatchGetItem", part, ("Keys", *READ))
        refuse_duplicates(((name, key) for key in part["Keys"]), "Provided list of item keys contains duplicates")
        table = tables.find(name)
        responses[name] = []
        for key in reversed(part["Keys"]):
            found = _read(table, key, part)
            if found is None:
                continue
            size += item_size(found)
            if size > MAX_BYTES:
                left.setdefault(name, {**part, "Keys": []})["Keys"].append(key)
            else:
                responses[name].append(found)
    return {"Responses": responses, "UnprocessedKeys": left}


def batch_write_item(tables: Tables, request: Request) -> Response:
    """Carry out BatchWriteItem."""
    by_table: Mapping[str, list[dict[str, Any]]] = request["RequestItems"]
    if any(not 1 <= len(writes) <= MAX_WRITES for writes in by_table.values()) or not by_table:
        raise ValidationError(
            "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: "
            "[Member must have length less than or equal to 25, Member must have length greater than or equal to 1]",
        )
    if sum(map(len, by_table.values())) > MAX_WRITES:
        raise ValidationError("Too many items requested for the BatchWriteItem call")
    planned = [_batched(tables, name, write) for name, writes in by_table.items() for write in writes]
    refuse_duplicates(((write.table.name, write.key) for write in planned), "Provided list of item keys contains duplicates")
    for write, row in [(write, write.outcome(None)) for write in planned]:
        write.table.write(write.key, row)
    return {"UnprocessedItems": {}}


def _batched(tables: Tables, table: str, write: dict[str, Any]) -> Write:
    if len(write) != 1:
        raise ValidationError(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
        )
    kind, content = next(iter(write.items()))
    return plan(tables, kind.removesuffix("Request"), {"TableName": table, **content})


def _read(table: Table, key: Item, request: Request) -> Item | None:
    scope = Scope(request)
    paths = scope.projection()
    scope.check_all_used()
    found = table.get(table.key_of(key))
    return None if found is None else project(found, paths)


def refuse_duplicates(keys: Iterable[tuple[str, Item]], message: str) -> None:
    """Refuse a request with the same key (table and key) twice.

    Raises:
        ValidationError: With this message.
    """
    seen: set[str] = set()
    for table, key in keys:
        text = json.dumps([table, key], sort_keys=True)
        if text in seen:
            raise ValidationError(message)
        seen.add(text)

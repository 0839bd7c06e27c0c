"""Query and Scan, a page at a time; `Limit` and the 1 MB of a page count the rows before they are filtered.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tools.emulator.services.dynamodb import conditions
from tools.emulator.services.dynamodb.errors import ValidationError
from tools.emulator.services.dynamodb.parser import COMPARATORS
from tools.emulator.services.dynamodb.rows import Row, SortKey, Span, everything, prefixed, span
from tools.emulator.services.dynamodb.scope import Scope, project
from tools.emulator.services.dynamodb.syntax import Call, Literal, Node, Path, walk
from tools.emulator.services.dynamodb.table import Index, KeySchema, Table, Tables
from tools.emulator.services.dynamodb.values import Item, Value, canonical, comparable, kind

Request = Mapping[str, Any]
Response = dict[str, Any]

MAX_BYTES = 1024 * 1024
PARAMETERS = (
    "TableName",
    "IndexName",
    "Select",
    "Limit",
    "ExclusiveStartKey",
    "ConsistentRead",
    "FilterExpression",
    "ProjectionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
)


def query(tables: Tables, request: Request) -> Response:
    """Carry out Query."""
    table = tables.find(request["TableName"])
    index = _index(table, request)
    scope = Scope(request)
    condition = scope.condition("KeyConditionExpression")
    if condition is None:
        raise ValidationError("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
    schema = table.key if index is None else index.key
    hash_value, bounds = _key_condition(condition, scope, schema)
    _refuse_key_filter(scope.condition("FilterExpression"), scope, schema)
    start = _start(table, index, request)
    rows = table.rows_of(index).query(
        hash_value,
        bounds,
        forward=request.get("ScanIndexForward", True),
        after=None if start is None else start[1],
    )
    return _page(rows, table, index, scope, request)


def scan(tables: Tables, request: Request) -> Response:
    """Carry out Scan."""
    table = tables.find(request["TableName"])
    index = _index(table, request)
    rows = table.rows_of(index).scan(after=_start(table, index, request))
    return _page(rows, table, index, Scope(request), request)


def _index(table: Table, request: Request) -> Index | None:
    name = request.get("IndexName")
    if name is None:
        return None
    if name not in table.indexes:
        raise ValidationError(f"The table does not have the specified index: {name}")
    if request.get("ConsistentRead"):
        raise ValidationError("Consistent reads are not supported on global secondary indexes")
    return table.indexes[name]


def _start(table: Table, index: Index | None, request: Request) -> tuple[Any, SortKey] | None:
    given = request.get("ExclusiveStartKey")
    if given is None:
        return None
    key = {name: canonical(value) for name, value in given.items()}
    expected = table.key_names if index is None else table.key_names | set(index.key.names)
    if key.keys() != expected:
        raise ValidationError("The provided starting key is invalid")
    if index is None:
        return table.key.hash_of(key), table.key.sort_of(key)
    return index.key.hash_of(key), index.sort_of(key)


def _page(rows: Iterable[Row], table: Table, index: Index | None, scope: Scope, request: Request) -> Response:
    keep = scope.condition("FilterExpression")
    paths = scope.projection()
    scope.check_all_used()
    conditions.check(keep, scope)
    _check_select(request, index, [str(steps[0]) for steps in paths or ()])
    looked_at, last = _look(rows, request.get("Limit"))
    kept = [row.item for row in looked_at if keep is None or conditions.holds(keep, row.item, scope)]
    response: Response = {"Count": len(kept), "ScannedCount": len(looked_at)}
    if request.get("Select") != "COUNT":
        response["Items"] = [project(item, paths) for item in kept]
    if last is not None:
        response["LastEvaluatedKey"] = {**table.key.pick(last), **({} if index is None else index.key.pick(last))}
    return response


def _look(rows: Iterable[Row], limit: int | None) -> tuple[list[Row], Item | None]:
    """Return the rows of one page, and its last item unless all rows were read."""
    if limit is not None and limit < 1:
        raise ValidationError("Limit must be greater than or equal to 1")
    page: list[Row] = []
    size = 0
    for row in rows:
        page.append(row)
        size += row.size
        if len(page) == limit or size >= MAX_BYTES:  # whether or not there is another row, as on AWS
            return page, row.item
    return page, None


def _check_select(request: Request, index: Index | None, names: list[str]) -> None:
    select = request.get("Select")
    if select in ("COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES") and names:
        raise ValidationError(f"Cannot specify the ProjectionExpression when choosing to get {select}")
    if select == "ALL_PROJECTED_ATTRIBUTES" and index is None:
        raise ValidationError("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
    if index is None or index.projected is None:
        return
    if select == "ALL_ATTRIBUTES":
        raise ValidationError(
            "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index "
            f"{index.name} because its projection type is not ALL",
        )
    if missing := sorted(set(names) - index.projected):
        raise ValidationError(
            "One or more parameter values were invalid: "
            f"Global secondary index {index.name} does not project [{', '.join(missing)}]",
        )


def _key_condition(condition: Call, scope: Scope, schema: KeySchema) -> tuple[Any, Span]:
    """Return the hash key's value and the span of range keys that a key condition selects."""
    parts = condition.arguments if condition.function == "AND" else (condition,)
    by_name = {_key_name(part, scope): part for part in parts if isinstance(part, Call)}
    equal = by_name.pop(schema.hash, None)
    if equal is None or equal.function != "=":
        raise ValidationError(f"Query condition missed key schema element: {schema.hash}")
    hash_value = comparable(_key_value(equal.arguments[1], schema.hash, scope, schema))
    if not by_name and len(parts) == 1:
        return hash_value, everything
    if schema.range is None or set(by_name) != {schema.range}:
        raise ValidationError("Query key condition not supported")
    return hash_value, _range_span(by_name[schema.range], schema.range, scope, schema)


def _key_name(part: Call, scope: Scope) -> str:
    subject = part.arguments[0] if part.function in (*COMPARATORS, "BETWEEN", "begins_with") else None
    if not isinstance(subject, Path) or len(steps := scope.steps(subject)) != 1:
        raise ValidationError("Invalid operator used in KeyConditionExpression")
    return str(steps[0])


def _key_value(operand: Node, name: str, scope: Scope, schema: KeySchema) -> Value:
    if not isinstance(operand, Literal):
        raise ValidationError("Invalid condition in KeyConditionExpression: a key is compared with a value")
    value = scope.value(operand)
    if kind(value) != schema.types[name]:
        raise ValidationError("One or more parameter values were invalid: Condition parameter type does not match schema type")
    return value


def _range_span(part: Call, name: str, scope: Scope, schema: KeySchema) -> Span:
    values = [comparable(_key_value(operand, name, scope, schema)) for operand in part.arguments[1:]]
    match part.function:
        case "=":
            return span(values[0], values[0])
        case "<" | "<=" as sign:
            return span(high=values[0], include_high=sign == "<=")
        case ">" | ">=" as sign:
            return span(low=values[0], include_low=sign == ">=")
        case "BETWEEN":
            return span(values[0], values[1])
        case "begins_with":
            return prefixed(values[0])
    raise ValidationError("Query key condition not supported")


def _refuse_key_filter(keep: Call | None, scope: Scope, schema: KeySchema) -> None:
    for node in () if keep is None else walk(keep):
        if isinstance(node, Path) and (name := scope.steps(node)[0]) in schema.names:
            raise ValidationError(
                f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}",
            )

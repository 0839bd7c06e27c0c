"""Writing one item: what a write asks for is worked out first (`plan`), and carried out only then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.emulator.core.refusal import only, refuse
from tools.emulator.services.dynamodb import conditions, updates
from tools.emulator.services.dynamodb.errors import ValidationError
from tools.emulator.services.dynamodb.rows import Row
from tools.emulator.services.dynamodb.scope import Scope
from tools.emulator.services.dynamodb.state import State
from tools.emulator.services.dynamodb.syntax import Call, Update
from tools.emulator.services.dynamodb.table import Table
from tools.emulator.services.dynamodb.values import Item

Request = Mapping[str, Any]
Response = dict[str, Any]

_EXPRESSIONS = (
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
)
COMMON = ("TableName", *_EXPRESSIONS)
# the parameters of the single write, and of the same action in a transaction
PARAMETERS = {"Put": ("Item",), "Update": ("Key", "UpdateExpression"), "Delete": ("Key",), "ConditionCheck": ("Key",)}
_SINGLE = ("ReturnValues", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics")
_RETURNS = {
    "Put": ("NONE", "ALL_OLD"),
    "Delete": ("NONE", "ALL_OLD"),
    "Update": ("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"),
}


@dataclass(frozen=True, slots=True)
class Write:
    """One write, checked as far as it can be without looking at the item."""

    kind: str  # Put, Update, Delete or ConditionCheck
    table: Table
    key: Item
    item: Item | None  # what Put stores, else None
    update: Update | None  # what Update does, else None
    condition: Call | None  # what must hold for the old item
    scope: Scope  # the placeholders of its expressions
    show_old: bool  # whether a failed condition shows the old item

    def outcome(self, old: Item | None) -> Row | None:
        """Return the row that the write leaves, None where it leaves no item; nothing is written.

        Raises:
            ConditionFailedError: The condition does not hold.
            ValidationError: The update does not fit the item, or its result may not be stored.
        """
        conditions.demand(self.condition, old, self.scope, show_old=self.show_old)
        if self.item is not None:
            return self.table.row_of(self.item)
        if self.update is not None:
            return self.table.row_of(updates.apply(self.update, old or self.key, self.scope))
        if self.kind == "ConditionCheck" and old is not None:
            return Row.of(old)
        return None


def plan(state: State, kind: str, action: Request) -> Write:
    """Check a write and say what it is.

    Raises:
        DynamoDbError: The request is wrong in itself.
    """
    table = state.find_table(action["TableName"])
    scope = Scope(action)
    condition = scope.condition()
    update = scope.update() if kind == "Update" else None
    scope.check_all_used()
    conditions.check(condition, scope)
    if update is not None:
        updates.check(update, scope, table.key_names)
    item = table.item_of(action["Item"]) if kind == "Put" else None
    key = table.key_of(action["Key"]) if item is None else table.key.pick(item)
    return Write(kind, table, key, item, update, condition, scope, action.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD")


def refuse_capacity(operation: str, request: Request) -> None:
    """Refuse the question how much capacity a request consumed."""
    for parameter in ("ReturnConsumedCapacity", "ReturnItemCollectionMetrics"):
        if request.get(parameter, "NONE") != "NONE":
            raise refuse("dynamodb", f"the parameter {parameter} of {operation}")


def single(kind: str, state: State, request: Request) -> Response:
    """Carry out PutItem, UpdateItem or DeleteItem, by the kind of write."""
    operation = f"{kind}Item"
    only("dynamodb", operation, request, (*COMMON, *PARAMETERS[kind], *_SINGLE))
    refuse_capacity(operation, request)
    returned = request.get("ReturnValues", "NONE")
    if returned not in _RETURNS[kind]:
        raise ValidationError("Return values set to invalid value")
    write = plan(state, kind, request)
    old = write.table.get(write.key)
    new = write.outcome(old)
    write.table.write(write.key, new)
    shown = _shown(returned, write, old, None if new is None else new.item)
    return {"Attributes": shown} if shown else {}


def _shown(returned: str, write: Write, old: Item | None, new: Item | None) -> Item | None:
    if returned == "NONE":
        return None
    item = old if returned.endswith("OLD") else new
    if item is None or returned.startswith("ALL"):
        return item
    changed = [write.scope.steps(path) for path in (write.update or Update()).paths()]
    if any(len(steps) > 1 for steps in changed):
        raise refuse("dynamodb", f"ReturnValues {returned} for an update of a part of an attribute")
    return {name: item[name] for (name,) in changed if isinstance(name, str) and name in item}

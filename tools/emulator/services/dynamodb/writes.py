"""Writing one item: `plan` checks a write and says what it is; only then is it carried out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.emulator.core import refuse
from tools.emulator.services.dynamodb import conditions, updates
from tools.emulator.services.dynamodb.errors import ConditionFailedError, ValidationError
from tools.emulator.services.dynamodb.rows import Row
from tools.emulator.services.dynamodb.scope import Scope
from tools.emulator.services.dynamodb.syntax import Action, Call
from tools.emulator.services.dynamodb.table import Table, Tables
from tools.emulator.services.dynamodb.values import Item

Request = Mapping[str, Any]
Response = dict[str, Any]

_COMMON = (
    "TableName",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
)
# The parameters that each kind of write has both alone and in a transaction.
PARAMETERS = {
    "Put": (*_COMMON, "Item"),
    "Update": (*_COMMON, "Key", "UpdateExpression"),
    "Delete": (*_COMMON, "Key"),
    "ConditionCheck": (*_COMMON, "Key"),
}
_RETURNS = {
    "Put": ("NONE", "ALL_OLD"),
    "Delete": ("NONE", "ALL_OLD"),
    "Update": ("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"),
}


@dataclass(frozen=True, slots=True)
class Write:
    """One write, checked as far as is possible without the item."""

    kind: str  # Put, Update, Delete or ConditionCheck
    table: Table
    key: Item
    item: Item | None  # what Put stores, else None
    update: tuple[Action, ...] | None  # what Update does, else None
    condition: Call | None  # what must hold for the old item
    scope: Scope  # the placeholders of its expressions
    show_old: bool  # whether a failed condition shows the old item

    def outcome(self, old: Item | None) -> Row | None:
        """Return the row that the write would leave, or None if it would leave no item.

        Raises:
            ConditionFailedError: The condition does not hold.
            ValidationError: The update does not fit the item, or its result must not be stored.
        """
        if self.condition is not None and not conditions.holds(self.condition, old or {}, self.scope):
            raise ConditionFailedError(old if self.show_old else None)
        if self.item is not None:
            return self.table.row_of(self.item)
        if self.update is not None:
            return self.table.row_of(updates.apply(self.update, old or self.key, self.scope))
        if self.kind == "ConditionCheck" and old is not None:
            return Row.of(old)
        return None


def plan(tables: Tables, kind: str, action: Request) -> Write:
    """Check a write and say what it is.

    Raises:
        DynamoDbError: The request is invalid, or there is no such table.
    """
    table = tables.find(action["TableName"])
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


def single(kind: str, tables: Tables, request: Request) -> Response:
    """Carry out PutItem, UpdateItem or DeleteItem, by the kind of write."""
    returned = request.get("ReturnValues", "NONE")
    if returned not in _RETURNS[kind]:
        raise ValidationError("Return values set to invalid value")
    if returned.startswith("UPDATED"):
        raise refuse("dynamodb", f"ReturnValues {returned}")
    write = plan(tables, kind, request)
    old = write.table.get(write.key)
    new = write.outcome(old)
    write.table.write(write.key, new)
    after = None if new is None else new.item
    shown = {"ALL_OLD": old, "ALL_NEW": after}.get(returned)
    return {"Attributes": shown} if shown else {}

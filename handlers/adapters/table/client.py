"""One DynamoDB table as plain items: reads to the last page, and writes that return the item at which their condition failed.

Throttling and transaction conflicts are retried with jittered backoff up to a limit; then `ThrottledError` is raised.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import FAULTS, Fault, ThrottledError, code_of, fault_of
from handlers.adapters.table import expressions
from handlers.adapters.table.expressions import Item, Placeholders
from handlers.runtime import Clock, backoff_seconds

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_dynamodb import DynamoDBClient

# Items of one BatchGetItem and BatchWriteItem (DynamoDB developer guide, Constraints).
MAX_BATCH_GET = 100
MAX_BATCH_WRITE = 25

# Attempts of one request: about 8 s of waiting in all, besides the SDK's own.
ATTEMPTS = 8
_BASE_SECONDS = 0.05
_CAP_SECONDS = 4.0
_REPEATED = frozenset({Fault.REFUSED, Fault.CONFLICT})

# Hash and range key of the table (None) and of its indexes.
INDEX_KEYS = {None: ("pk", "sk"), "work": ("work_pk", "work_sk"), "by_scan": ("scan_pk", "scan_sk")}

T = TypeVar("T")


class ConditionFailedError(Exception):
    """A conditional write did not happen.

    Attributes:
        old: The current item, None if there is none.
        action: Which of a transaction's actions it was; the first one whose condition failed.
        failed: The current item for each action of a transaction whose condition failed.
    """

    def __init__(
        self, old: dict[str, Any] | None, action: int = 0, failed: Mapping[int, dict[str, Any] | None] | None = None
    ) -> None:
        super().__init__("the condition of a write did not hold")
        self.old = old
        self.action = action
        self.failed = failed or {action: old}


class TableClient:
    """Requests to one table; only reads of an index are eventually consistent."""

    def __init__(self, client: DynamoDBClient, name: str, clock: Clock) -> None:
        self._client: Any = client  # requests are built as dicts, which the stubs' TypedDicts do not take
        self.name = name
        self._clock = clock

    # --- reading -----------------------------------------------------------------------------------------------------

    def get(self, key: Item) -> dict[str, Any] | None:
        """Return an item, or None if there is none."""
        answer = self._with_retries(
            lambda: self._client.get_item(TableName=self.name, Key=expressions.serialized_item(key), ConsistentRead=True)
        )
        return expressions.deserialized_item(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Iterable[Mapping[str, str]], names: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """Yield the items of these keys, or only some attributes, in any order and each once; missing ones are skipped."""
        marks = Placeholders()
        projection = {"ProjectionExpression": ", ".join([marks.name(name) for name in names])} if names else {}
        distinct = {(key["pk"], key["sk"]): {"pk": {"S": key["pk"]}, "sk": {"S": key["sk"]}} for key in keys}
        for chunk in _chunks(distinct.values(), MAX_BATCH_GET):
            yield from map(expressions.deserialized_item, self._get_chunk(chunk, projection | marks.parameters()))

    def _get_chunk(self, keys: list[dict[str, Any]], projection: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for attempt in range(ATTEMPTS):
            request = {self.name: {"Keys": keys, "ConsistentRead": True, **projection}}
            answer = self._with_retries(partial(self._client.batch_get_item, RequestItems=request))
            yield from answer.get("Responses", {}).get(self.name, [])
            keys = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if not keys:
                return
            self._wait(attempt)
        raise ThrottledError(f"{len(keys)} keys of a BatchGetItem remained unprocessed")

    def query(
        self,
        pk: str,
        *,
        begins_with: str = "",
        below: str = "",
        above: str = "",
        index: str | None = None,
        limit: int | None = None,
        page: int | None = None,
        backwards: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Yield the items of a partition in order of their sort key, or in the reverse one, at most `limit`, `page` at a time.

        All of them, or those whose sort key has the prefix `begins_with`, is less than `below`, or is greater than `above`: at most
        one of the three, because DynamoDB takes no more.
        """
        request = self._query_request(INDEX_KEYS[index], pk, begins_with=begins_with, below=below, above=above)
        request |= {"IndexName": index} if index else {"ConsistentRead": True}
        request |= {"ScanIndexForward": False} if backwards else {}
        items = (expressions.deserialized_item(item) for each in self._pages(request, page or limit) for item in each["Items"])
        return itertools.islice(items, limit)

    def sort_keys(self, pk: str, *, begins_with: str, index: str) -> Iterator[str]:
        """Yield the sort keys of a partition of an index that have a prefix, in order.

        For a million items: nothing else is transferred or deserialised.
        """
        names = INDEX_KEYS[index]
        request = self._query_request(names, pk, begins_with=begins_with, only=names[1]) | {"IndexName": index}
        for each in self._pages(request, None):
            yield from [item[names[1]]["S"] for item in each["Items"]]

    def count(self, pk: str, *, index: str | None = None, most: int | None = None) -> int:
        """Return how many items a partition holds; counting stops beyond `most`."""
        request = self._query_request(INDEX_KEYS[index], pk) | {"Select": "COUNT"}
        request |= {"IndexName": index} if index else {"ConsistentRead": True}
        found = 0
        for page in self._pages(request, None):
            found += page["Count"]
            if most is not None and found > most:
                break
        return found

    def _query_request(
        self, names: tuple[str, str], pk: str, *, begins_with: str = "", below: str = "", above: str = "", only: str = ""
    ) -> dict[str, Any]:
        marks = Placeholders()
        text = f"{marks.name(names[0])} = {marks.value(pk)}"
        if begins_with:
            text += f" AND begins_with({marks.name(names[1])}, {marks.value(begins_with)})"
        if below:
            text += f" AND {marks.name(names[1])} < {marks.value(below)}"
        if above:
            text += f" AND {marks.name(names[1])} > {marks.value(above)}"
        projection = {"ProjectionExpression": marks.name(only)} if only else {}
        return {"TableName": self.name, "KeyConditionExpression": text, **projection, **marks.parameters()}

    def _pages(self, request: dict[str, Any], limit: int | None) -> Iterator[dict[str, Any]]:
        if limit is not None:
            request = request | {"Limit": limit}
        while True:
            page = self._with_retries(partial(self._client.query, **request))
            yield page
            if "LastEvaluatedKey" not in page:
                return
            request = request | {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    # --- writing -----------------------------------------------------------------------------------------------------

    def put(self, request: dict[str, Any]) -> None:
        """Put one item; raise `ConditionFailedError` if its condition does not hold."""
        self._write(self._client.put_item, request)

    def update(self, request: dict[str, Any]) -> dict[str, Any]:
        """Update one item and return it; raise `ConditionFailedError` if its condition does not hold."""
        answer = self._write(self._client.update_item, request | {"ReturnValues": "ALL_NEW"})
        return expressions.deserialized_item(answer["Attributes"])

    def delete(self, request: dict[str, Any]) -> None:
        """Delete one item; raise `ConditionFailedError` if its condition does not hold."""
        self._write(self._client.delete_item, request)

    def transact(self, actions: Sequence[Mapping[str, dict[str, Any]]]) -> None:
        """Do all actions (`{"Put": put(...)}`, ...) or none; raise `ConditionFailedError` if a condition does not hold."""
        self._with_retries(lambda: self._transact_once(actions))

    def put_all(self, items: Iterable[Item]) -> None:
        """Put items without conditions, 25 at a time, until none remains unprocessed. No two may have the same key."""
        for chunk in _chunks(items, MAX_BATCH_WRITE):
            self._put_chunk([{"PutRequest": {"Item": expressions.serialized_item(item)}} for item in chunk])

    def _put_chunk(self, requests: list[dict[str, Any]]) -> None:
        for attempt in range(ATTEMPTS):
            answer = self._with_retries(partial(self._client.batch_write_item, RequestItems={self.name: requests}))
            requests = answer.get("UnprocessedItems", {}).get(self.name, [])
            if not requests:
                return
            self._wait(attempt)
        raise ThrottledError(f"{len(requests)} items of a BatchWriteItem remained unprocessed")

    def _write(self, operation: Callable[..., dict[str, Any]], request: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._with_retries(lambda: operation(TableName=self.name, **request))
        except ClientError as error:
            if fault_of(error) is not Fault.CONDITION:
                raise
            answer: Mapping[str, Any] = error.response  # which the stubs do not know to hold the old image
            raise ConditionFailedError(_old(answer.get("Item"))) from error

    def _transact_once(self, actions: Sequence[Mapping[str, dict[str, Any]]]) -> None:
        named = [{kind: {"TableName": self.name, **request} for kind, request in action.items()} for action in actions]
        try:
            self._client.transact_write_items(TransactItems=named)
        except ClientError as error:
            answer: Mapping[str, Any] = error.response
            reasons: list[dict[str, Any]] = answer.get("CancellationReasons", [])  # of TransactionCanceledException only
            failed = {
                action: _old(reason.get("Item"))
                for action, reason in enumerate(reasons)
                if FAULTS.get(str(reason.get("Code"))) is Fault.CONDITION
            }
            if failed:
                first = min(failed)
                raise ConditionFailedError(failed[first], first, failed) from error
            if any(FAULTS.get(str(reason.get("Code")), Fault.OURS).transient for reason in reasons):
                raise ThrottledError(f"a transaction was cancelled: {[reason.get('Code') for reason in reasons]}") from error
            raise

    # --- retries -----------------------------------------------------------------------------------------------------

    def _with_retries(self, call: Callable[[], T]) -> T:
        """Repeat a call while DynamoDB throttles it. A write that was done after all fails its own condition then."""
        attempt = 0
        while True:
            try:
                return call()
            except (ClientError, ThrottledError) as error:
                if fault_of(error) not in _REPEATED or (attempt == ATTEMPTS - 1 and isinstance(error, ThrottledError)):
                    raise
                if attempt == ATTEMPTS - 1:
                    raise ThrottledError(f"DynamoDB refused {ATTEMPTS} times, last with {code_of(error)}") from error
            self._wait(attempt)
            attempt += 1

    def _wait(self, attempt: int) -> None:
        self._clock.sleep(backoff_seconds(attempt, base=_BASE_SECONDS, cap=_CAP_SECONDS))


def _old(item: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return expressions.deserialized_item(item) if item else None


def _chunks(values: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(values)
    while chunk := list(itertools.islice(rest, size)):
        yield chunk

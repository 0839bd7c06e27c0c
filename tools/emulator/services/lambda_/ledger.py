"""The record of every invocation: when, by which way, which AWS calls it made, how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.emulator.core.ledger import Ledger


@dataclass(slots=True)
class Entry:
    """One invocation; `ended` and `result` are None while it runs."""

    request_id: str  # Lambda's request id; the retries of an asynchronous invocation share it
    function: str
    source: str  # `RequestResponse`, `Event`, or `SQS`
    started: float  # world's time
    calls: list[str] = field(default_factory=list)  # AWS calls in the order in which they went out, e.g. `dynamodb.PutItem`
    faulted: bool = False  # whether an ordered fault struck
    ended: float | None = None  # world's time
    result: str | None = None  # `success`, the `errorType` of a function error, or `throttled`

    def called(self, operation: str) -> None:
        """Take note of an AWS call that goes out."""
        self.calls.append(operation)

    def struck(self) -> None:
        """Take note that the ordered fault strikes."""
        self.faulted = True


class InvocationLedger(Ledger[Entry]):
    """The last invocations; a rehearsal has some thousands."""

    def __init__(self) -> None:
        super().__init__(50_000)

    def all(self, function: str | None = None) -> list[Entry]:
        """Return the entries, of one function or of all."""
        return [entry for entry in self.entries() if function in (None, entry.function)]

    def of(self, request_id: str) -> list[Entry]:
        """Return the runs of one request; more than one where it was retried."""
        return [entry for entry in self.all() if entry.request_id == request_id]

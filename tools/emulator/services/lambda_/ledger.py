"""The record of every invocation: when and by what it was invoked, which AWS calls it made, how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.emulator.core import Ledger


@dataclass(slots=True)
class Entry:
    """One invocation; `ended` and `result` are None while it runs."""

    request_id: str  # Lambda's request id; the retries of an asynchronous invocation share it
    function: str
    source: str  # `RequestResponse`, `Event`, or `SQS`
    started: float  # epoch seconds of the world
    calls: list[str] = field(default_factory=list)  # its AWS calls, e.g. `dynamodb.PutItem`, in the order in which they began
    faulted: bool = False  # whether a scripted fault struck
    ended: float | None = None  # epoch seconds of the world
    result: str | None = None  # `success`, the `errorType` of a function error, or `throttled`


class InvocationLedger(Ledger[Entry]):
    """The last 50,000 invocations; a rehearsal makes some thousands."""

    def __init__(self) -> None:
        super().__init__(50_000)

    def all(self, function: str | None = None) -> list[Entry]:
        """Return the entries, of one function or of all."""
        return [entry for entry in self.entries() if function in (None, entry.function)]

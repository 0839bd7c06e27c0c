"""EventBridge's default bus. Source: botocore events PutEvents; EventBridge user guide, eb-putevents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.adapters.aws_errors import ThrottledError
from handlers.domain.consequence_event import SOURCE, Event

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_events import EventBridgeClient


class EventBus:
    """The default bus of the account and Region."""

    def __init__(self, client: EventBridgeClient) -> None:
        self._client = client

    def tell(self, event: Event) -> None:
        """Put an event on the bus.

        Raises:
            ThrottledError: EventBridge answered, and did not take it.
        """
        answer = self._client.put_events(
            Entries=[{"Source": SOURCE, "DetailType": event.detail_type.value, "Detail": event.detail}]
        )
        if answer.get("FailedEntryCount"):
            codes = [entry.get("ErrorCode") for entry in answer.get("Entries", [])]
            raise ThrottledError(f"EventBridge did not take the event: {codes}")

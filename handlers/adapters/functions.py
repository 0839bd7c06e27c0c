"""Lambda: invoking `completion`, and enabling and disabling the lanes' event source mappings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_lambda import LambdaClient

# States of a mapping that is not changing (Lambda API, GetEventSourceMapping).
SETTLED = {True: "Enabled", False: "Disabled"}


class CompletionFunction:
    """The function that processes completion notices."""

    def __init__(self, client: LambdaClient, name: str) -> None:
        self._client = client
        self._name = name

    def invoke(self, event: Mapping[str, Any]) -> None:
        """Invoke it asynchronously: Lambda retries the event, and in the end sends it to the dead-letter queue."""
        self._client.invoke(FunctionName=self._name, InvocationType="Event", Payload=json.dumps(event).encode())


class LaneSwitches:
    """The event source mappings of the lanes."""

    def __init__(self, client: LambdaClient, mapping_ids: Sequence[str]) -> None:
        self._client = client
        self._mapping_ids = mapping_ids

    def switch(self, *, enabled: bool) -> int:
        """Enable or disable every mapping that is not changing already; return how many were switched."""
        return sum(self._switched(mapping_id, enabled=enabled) for mapping_id in self._mapping_ids)

    def _switched(self, mapping_id: str, *, enabled: bool) -> bool:
        state = self._client.get_event_source_mapping(UUID=mapping_id).get("State")
        if state != SETTLED[not enabled]:
            return False
        try:
            self._client.update_event_source_mapping(UUID=mapping_id, Enabled=enabled)
        except ClientError as error:
            if fault_of(error) is not Fault.BUSY:
                raise
            return False
        return True

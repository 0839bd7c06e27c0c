"""PutEvents: which entries EventBridge takes, and what it answers to each.

Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html and botocore's model of it
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tools.emulator.core import AwsError, only, refuse
from tools.emulator.services.events.backend import EventBus

MAX_ENTRIES = 10
MAX_DETAIL_TYPE = 128  # characters [bc:PutEventsRequestEntry]
_TIME_BYTES = 14  # what an entry's Time counts [EB:eb-putevents]
_KNOWN = ("Time", "Source", "Resources", "DetailType", "Detail", "EventBusName", "TraceHeader")


def put_events(bus: EventBus, entries: Sequence[Mapping[str, Any]], max_bytes: int) -> dict[str, Any]:
    """Put entries on the bus and return the answer: an id or an error for each entry, in their order.

    All entries together must have fewer bytes than `max_bytes`.

    Raises:
        AwsError: ValidationException; the request as a whole is refused.
        UnsupportedError: An entry is for another bus than the default one.
    """
    if not 1 <= len(entries) <= MAX_ENTRIES:
        raise _invalid(f"Value at 'entries' failed to satisfy constraint: Member must have length from 1 to {MAX_ENTRIES}")
    if sum(map(_size, entries)) >= max_bytes:
        raise _invalid("Total size of the entries in the request is over the limit.")
    for entry in entries:
        only("events", "PutEvents", entry, _KNOWN)
        if entry.get("EventBusName", "default").rpartition("/")[2] != "default":
            raise refuse("events", f"the event bus {entry['EventBusName']}")
    answers = [_put(bus, entry) for entry in entries]
    return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}


def _put(bus: EventBus, entry: Mapping[str, Any]) -> dict[str, str]:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return _error("InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument.")
    if len(entry["DetailType"]) > MAX_DETAIL_TYPE:
        return _error("InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is too long.")
    if entry["Source"].startswith("aws."):
        return _error("NotAuthorizedForSourceException", "Not authorized for the source.")
    try:
        detail = json.loads(entry["Detail"])
    except (ValueError, RecursionError):  # EventBridge reads 1,000 levels [bc:PutEvents], about as many as this parser
        return _error("MalformedDetail", "Detail is malformed.")
    if not isinstance(detail, dict):
        return _error("MalformedDetail", "Detail is malformed.")
    return {"EventId": bus.send(entry["Source"], entry["DetailType"], detail, entry.get("Resources", ()), entry.get("Time"))}


def _size(entry: Mapping[str, Any]) -> int:
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")] + list(entry.get("Resources", ()))
    return sum(len(text.encode()) for text in texts) + (_TIME_BYTES if "Time" in entry else 0)


def _error(code: str, message: str) -> dict[str, str]:
    return {"ErrorCode": code, "ErrorMessage": message}


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)

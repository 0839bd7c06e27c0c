"""The outbox: whose consequences are still to be carried out, and the message that hints at it.

An item is written in the transaction that gives a record its verdict, and deleted once the consequences of that verdict are carried
out; its token tells whether another one was written since.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from handlers.domain import identity, json_text

# How long after an attempt that AWS prevented the next one is due: a minute, doubled each time, up to an hour.
FIRST_WAIT_SECONDS = 60.0
MOST_WAIT_SECONDS = 3_600.0

# The most messages that a sweep sends, which is those of a minute.
MOST_A_MINUTE = 2_000


@dataclass(frozen=True, slots=True)
class Due:
    """One item of the outbox. A `video_id` of "" means the scan itself, which was closed.

    `tries` counts attempts that AWS prevented, `not_before` is when the next one is due (epoch seconds), and `event_sent` says
    whether an earlier one put the event on the bus. `put_at` is when the item was put (epoch seconds), which those of earlier
    versions do not say.
    """

    video_id: str
    scan_id: str
    token: str
    tries: int = 0
    not_before: float | None = None
    event_sent: bool = False
    put_at: float | None = None

    def is_due(self, now: float) -> bool:
        """Tell whether it is time to carry it out."""
        return self.not_before is None or self.not_before <= now

    @property
    def wait_seconds(self) -> float:
        """Return how long to wait after one more attempt that AWS prevented."""
        return min(MOST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(self.tries, 10))


def new_token() -> str:
    """Return the token of an item that is put."""
    return uuid.uuid4().hex


def renewed(token: str) -> str:
    """Return another token for the same put of an item."""
    return f"{_put(token)}-{uuid.uuid4().hex}"


def of_one_put(token: str, other: str) -> bool:
    """Tell whether two tokens are those of one put of an item: the same one, or renewed since."""
    return _put(token) == _put(other)


def _put(token: str) -> str:
    return token.partition("-")[0]


def body(due: Due) -> str:
    """Return the message of an item."""
    names = ("video_id", "scan_id", "token", "tries", "event_sent")
    return json_text.compact({name: getattr(due, name) for name in names})


def parse(text: str) -> Due | None:
    """Return the item that a message is about, or None if it is none of ours."""
    fields = json_text.mapping(json_text.read(text))
    video_id, scan_id, token = (json_text.text_or_empty(fields.get(name)) for name in ("video_id", "scan_id", "token"))
    tries = fields.get("tries")
    if "video_id" not in fields or not identity.is_scan_id(scan_id) or not token or type(tries) is not int:
        return None
    return Due(video_id, scan_id, token, tries, event_sent=fields.get("event_sent") is True)

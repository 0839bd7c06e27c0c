"""Mails, written to files instead of sent: a file for each mail and subscription, in the order of sending."""

from __future__ import annotations

import itertools
import re
import threading
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime
from pathlib import Path

from tools.emulator.services.sns.notification import Notification

SENDER = "AWS Notifications <no-reply@sns.amazonaws.com>"
POLICY = default.clone(max_line_length=None)  # headers on one line each, so that they can be searched
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Outbox:
    """A folder of .eml files.

    The headers `X-SNS-Attribute-<name>` hold a notification's attributes (control characters as %0A), `X-SNS-Topic` and
    `X-SNS-Subscription` where it came from. A file's name is its number and the time, so names sort by time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def put(self, notification: Notification, address: str, subscription_arn: str) -> Path:
        """Write one mail and return the path of its file."""
        content = _mail(notification, address, subscription_arn).as_bytes(policy=POLICY)
        stamp = notification.timestamp.replace(":", "").replace(".", "")
        with self._lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{next(self._numbers):06d}-{stamp}.eml"
            path.write_bytes(content)
        return path


def _mail(notification: Notification, address: str, subscription_arn: str) -> EmailMessage:
    mail = EmailMessage(policy=POLICY)
    mail["From"] = SENDER
    mail["To"] = address
    mail["Subject"] = notification.subject or "AWS Notification Message"
    mail["Date"] = format_datetime(datetime.fromtimestamp(notification.published_at, UTC))
    mail["Message-ID"] = f"<{notification.id}@sns.amazonaws.com>"
    mail["X-SNS-Topic"] = notification.topic_arn
    mail["X-SNS-Subscription"] = subscription_arn
    for name, attribute in notification.attributes.items():
        mail[f"X-SNS-Attribute-{name}"] = _CONTROL.sub(_escaped, str(attribute["Value"]))
    mail.set_content(notification.message, cte="8bit")  # no transfer encoding, which would fold its lines
    return mail


def _escaped(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"

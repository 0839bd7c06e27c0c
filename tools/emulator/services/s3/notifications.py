"""What S3 sends for each write: events to EventBridge, and messages to the queues, topics and functions of a bucket.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html and notification-content-structure.html
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from moto.s3 import notifications
from moto.s3.models import FakeBucket, S3Backend

from tools.emulator.core import AwsError, Clock, Events, Functions, Queues, Topics, moto_hooks
from tools.emulator.core.moto_hooks import After, Replacement
from tools.emulator.services.s3.backend import NULL_VERSION
from tools.emulator.settings import EmulatorSettings

# moto's names of the events of writes, with EventBridge's reason.
_CREATED = {
    "s3:ObjectCreated:Put": "PutObject",
    "s3:ObjectCreated:Post": "POST Object",
    "s3:ObjectCreated:Copy": "CopyObject",
    "s3:ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
}
_TAGGED = {"Object Tags Added": "s3:ObjectTagging:Put", "Object Tags Deleted": "s3:ObjectTagging:Delete"}
_REMOVED = "s3:ObjectRemoved:Delete"
_MARKED = "s3:ObjectRemoved:DeleteMarkerCreated"
_DELETION_TYPES = {_REMOVED: "Permanently Deleted", _MARKED: "Delete Marker Created"}
# The attribute of moto's bucket that holds since when it sends events to EventBridge.
_SINCE = "offline_world_event_bridge_since"
# What the etag of a delete marker is: that of an empty object.
_EMPTY_ETAG = "d41d8cd98f00b204e9800998ecf8427e"


class Notifications:
    """Sends what a bucket's notification configuration asks for; thread-safe.

    Attributes:
        clock: The clock of the world.
        settings: The settings of the world.
    """

    def __init__(
        self, *, clock: Clock, settings: EmulatorSettings, bus: Events, topics: Topics, queues: Queues, functions: Functions
    ) -> None:
        self.clock = clock
        self.settings = settings
        self._bus = bus
        self._topics = topics
        self._queues = queues
        self._functions = functions
        self._lock = threading.Lock()
        self._last = (0, 0)  # the latest sequencer: seconds, and their fraction in 2^-32 s

    def configured(self, bucket: Any) -> None:  # noqa: ANN401 - moto's
        """Note since when a bucket's events go to EventBridge, and send a test message to its topics and queues."""
        configuration = bucket.notification_configuration
        if configuration is None or configuration.event_bridge is None:
            vars(bucket).pop(_SINCE, None)
        else:
            vars(bucket).setdefault(_SINCE, self.clock.now())
        if configuration is not None:
            test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": self._time(), "Bucket": bucket.name}
            for destination in (*configuration.topic, *configuration.queue):
                self._deliver(destination.arn, json.dumps({**test, "RequestId": _request_id(), "HostId": "offline-world"}))

    def created(self, name: str, bucket: Any, key: Any) -> None:  # noqa: ANN401 - moto's
        """Send the event of an object that was written; `name` is moto's of the event."""
        found = {"key": key.name, "size": key.size, "etag": key.etag.strip('"'), **_version(key), "sequencer": self._sequencer()}
        self._send(name, bucket, found, "Object Created", {"reason": _CREATED[name]})

    def tagged(self, detail_type: str, bucket: Any, key: Any) -> None:  # noqa: ANN401 - moto's
        """Send the event of an object whose tags were changed."""
        found = {"key": key.name, "etag": key.etag.strip('"'), **_version(key)}
        self._send(_TAGGED[detail_type], bucket, found, detail_type, {})

    def deleted(self, bucket: Any, name: str, version_id: str | None, *, marker: bool) -> None:  # noqa: ANN401 - moto's
        """Send the event of a key that got a delete marker, or of an object or version that is gone."""
        found = {
            "key": name,
            **({"etag": _EMPTY_ETAG} if marker else {}),
            **({} if version_id in (None, NULL_VERSION) else {"version-id": version_id}),
            "sequencer": self._sequencer(),
        }
        event = _MARKED if marker else _REMOVED
        self._send(event, bucket, found, "Object Deleted", {"reason": "DeleteObject", "deletion-type": _DELETION_TYPES[event]})

    def _send(self, name: str, bucket: Any, found: dict[str, Any], detail_type: str, more: dict[str, str]) -> None:  # noqa: ANN401 - moto's
        configuration = bucket.notification_configuration
        if configuration is None:
            return
        request = _request_id()
        since = vars(bucket).get(_SINCE)
        if since is not None and self.clock.now() - since >= self.settings.event_bridge_switch_seconds:
            self._bus.send("aws.s3", detail_type, self._detail(bucket, found, request, more), [bucket.arn])
        for destination in (*configuration.topic, *configuration.queue, *configuration.cloud_function):
            if destination.matches(name, found["key"]):
                self._deliver(
                    destination.arn, json.dumps({"Records": [self._record(name, bucket, found, request, destination.id)]})
                )

    def _detail(self, bucket: Any, found: dict[str, Any], request: str, more: dict[str, str]) -> dict[str, Any]:  # noqa: ANN401 - moto's
        return {
            "version": "0",
            "bucket": {"name": bucket.name},
            "object": found,
            "request-id": request,
            "requester": self.settings.account_id,
            "source-ip-address": "127.0.0.1",
            **more,
        }

    def _record(self, name: str, bucket: Any, found: dict[str, Any], request: str, configuration_id: str) -> dict[str, Any]:  # noqa: ANN401 - moto's
        names = {"size": "size", "etag": "eTag", "version-id": "versionId", "sequencer": "sequencer"}
        stored = {names[each]: value for each, value in found.items() if each in names}
        return {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": self.settings.region,
            "eventTime": self._time(),
            "eventName": name.removeprefix("s3:"),
            "userIdentity": {"principalId": f"AWS:{self.settings.account_id}"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": request, "x-amz-id-2": "offline-world"},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration_id,
                "bucket": {"name": bucket.name, "ownerIdentity": {"principalId": self.settings.account_id}, "arn": bucket.arn},
                # Here, other than in EventBridge's event, the key is encoded as in a form.
                "object": {"key": quote_plus(found["key"]), **stored},
            },
        }

    def _deliver(self, arn: str, text: str) -> None:
        """Deliver a message; S3 does not report a destination that is gone."""
        try:
            if ":sns:" in arn:
                self._topics.publish(arn, text)
            elif ":sqs:" in arn:
                self._queues.send(arn, text, {})
            else:
                self._functions.invoke_event(arn, text.encode())
        except (LookupError, AwsError):
            return

    def _time(self) -> str:
        return datetime.fromtimestamp(self.clock.now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _sequencer(self) -> str:
        """Return a hexadecimal number, greater than all before: zero, the seconds, and their fraction in 2^-32 s, as on AWS."""
        now = self.clock.now()
        with self._lock:
            seconds, fraction = self._last
            self._last = max((int(now), int(now % 1 * 2**32)), (seconds, fraction + 1))
            return "00{:08X}{:08X}".format(*self._last)


def _request_id() -> str:
    return secrets.token_hex(8).upper()


def _version(key: Any) -> dict[str, str]:  # noqa: ANN401 - moto's
    return {} if key.version_id in (None, NULL_VERSION) else {"version-id": str(key.version_id)}


def hooks(sender: Notifications) -> Iterator[moto_hooks.Hook]:
    """Yield the hooks with which `Notifications` sends what moto would send, and what moto forgets."""

    def written(_: str, name: Any, bucket: Any, key: Any) -> None:  # noqa: ANN401 - moto's
        # moto sends two events of a multipart upload, the first as if it had been put.
        if name.value in _CREATED and (key.multipart is None or name.value != "s3:ObjectCreated:Put"):
            sender.created(name.value, bucket, key)

    def deleted(
        result: tuple[bool, dict[str, str]],
        backend: Any,  # noqa: ANN401 - moto's
        name: str,
        key: str,
        version_id: str | None = None,
        **_: object,
    ) -> None:
        done, answer = result
        if done:
            marker = version_id is None and answer.get("delete-marker") == "true"
            sender.deleted(backend.get_bucket(name), key, version_id or answer.get("version-id"), marker=marker)

    yield Replacement(notifications, "send_event", written)
    yield After(S3Backend, "delete_object", deleted)
    yield After(FakeBucket, "set_notification_configuration", lambda _, bucket, *__: sender.configured(bucket))
    yield Replacement(notifications, "send_test_event", lambda *_, **__: None)

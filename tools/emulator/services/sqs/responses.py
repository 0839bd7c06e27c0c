"""SQS's requests: operations on messages are answered here, those on queues by moto; all others are refused by name."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from moto.sqs import urls
from moto.sqs.models import Message as MotoMessage
from moto.sqs.models import Queue
from moto.sqs.responses import SQSResponse

from tools.emulator.core import Answer, AwsError, ReceivedMessage, moto_hooks, only, refuse
from tools.emulator.services.sqs.backend import SqsService
from tools.emulator.services.sqs.errors import SqsError, invalid_value
from tools.emulator.services.sqs.queue import MAX_VISIBILITY_SECONDS

Request = Mapping[str, Any]
Response = dict[str, Any]

MAX_BATCH = 10
MAX_DELAY = 900
MAX_WAIT = 20
# The operations on messages, and their parameters besides QueueUrl.
OPERATIONS: dict[str, tuple[str, ...]] = {
    "SendMessage": ("MessageBody", "DelaySeconds", "MessageAttributes", "MessageSystemAttributes"),
    "SendMessageBatch": ("Entries",),
    "ReceiveMessage": (
        "AttributeNames",
        "MessageSystemAttributeNames",
        "MessageAttributeNames",
        "MaxNumberOfMessages",
        "VisibilityTimeout",
        "WaitTimeSeconds",
    ),
    "DeleteMessage": ("ReceiptHandle",),
    "DeleteMessageBatch": ("Entries",),
    "ChangeMessageVisibility": ("ReceiptHandle", "VisibilityTimeout"),
    "ChangeMessageVisibilityBatch": ("Entries",),
    "PurgeQueue": (),
    "GetQueueAttributes": ("AttributeNames",),
}
# The operations on queues, which moto answers, and the parameters that it handles correctly.
QUEUE_OPERATIONS: dict[str, tuple[str, ...]] = {
    "CreateQueue": ("QueueName", "Attributes", "tags"),
    "DeleteQueue": ("QueueUrl",),
    "GetQueueUrl": ("QueueName",),
    "ListQueues": ("QueueNamePrefix", "MaxResults", "NextToken"),
    "SetQueueAttributes": ("QueueUrl", "Attributes"),
    "ListDeadLetterSourceQueues": ("QueueUrl",),
    "TagQueue": ("QueueUrl", "Tags"),
    "UntagQueue": ("QueueUrl", "TagKeys"),
    "ListQueueTags": ("QueueUrl",),
}
# SQS takes what XML 1.0 can carry [SQSAPI:API_SendMessage].
_FORBIDDEN = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_BATCH_ID = re.compile(r"[\w-]{1,80}")
_HEADERS = {"Content-Type": "application/x-amz-json-1.0"}


def hooks(service: SqsService) -> tuple[moto_hooks.Hook, ...]:
    """Return the hooks that route moto's SQS requests to a service."""
    return moto_hooks.routes(urls, _response(service).dispatch)


def _response(service: SqsService) -> type[SQSResponse]:
    operations = Operations(service)

    class InstalledQueuesResponse(SQSResponse):  # type: ignore[misc] # moto is untyped
        @classmethod
        def dispatch(cls, request: Any, full_url: str, headers: Any, **path: Any) -> Answer:  # noqa: ANN401 - moto's
            target = headers.get("X-Amz-Target")
            if not target:
                return _fault(refuse("sqs", "the query protocol"))
            operation = target.rpartition(".")[2]
            body = json.loads(request.get_data(as_text=True) or "{}")
            try:
                if operation in OPERATIONS:
                    return 200, _HEADERS, json.dumps(operations.call(operation, body, headers.get("X-Amzn-Trace-Id")))
                _check_queue_operation(operation, body)
            except AwsError as error:
                return _fault(error)
            through: Callable[..., Answer] = super().dispatch
            return through(request, full_url, headers, **path)

    return InstalledQueuesResponse


def _fault(error: AwsError) -> Answer:
    headers = {**_HEADERS, "x-amzn-query-error": f"{error.code};Sender"}
    shape = error.shape if isinstance(error, SqsError) else error.code
    return error.status, headers, json.dumps({"__type": f"com.amazonaws.sqs#{shape}", "message": error.message})


def _check_queue_operation(operation: str, request: Request) -> None:
    known = QUEUE_OPERATIONS.get(operation)
    if known is None:
        raise refuse("sqs", f"the operation {operation}")
    only("sqs", operation, request, known)
    if (request.get("Attributes") or {}).get("FifoQueue", "false") != "false":
        raise refuse("sqs", "FIFO queues")


class Operations:
    """The operations on messages, with requests and responses as boto3 sends and receives them."""

    def __init__(self, service: SqsService) -> None:
        self._service = service
        self._methods: dict[str, Callable[[Queue, Request, str | None], Response]] = {
            "SendMessage": self._send,
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete,
            "ChangeMessageVisibility": self._change_visibility,
            "PurgeQueue": self._purge,
            "GetQueueAttributes": self._attributes,
        }

    def call(self, operation: str, request: Request, trace: str | None = None) -> Response:
        """Carry out one operation; `trace` is the sender's trace header.

        Raises:
            SqsError: SQS would refuse the request.
            UnsupportedError: The request has a parameter that is not implemented.
        """
        only("sqs", operation, request, ("QueueUrl", *OPERATIONS[operation]))
        queue = self._service.queue(str(request["QueueUrl"]).rpartition("/")[2])
        if not operation.endswith("Batch"):
            return self._methods[operation](queue, request, trace)
        single = operation.removesuffix("Batch")
        entries = _entries(operation, request, OPERATIONS[single])
        if single == "SendMessage":
            _check_batch_size(entries, queue.maximum_message_size)
        return _each(entries, lambda entry: self._methods[single](queue, entry, trace))

    def _send(self, queue: Queue, request: Request, trace: str | None) -> Response:
        body, attributes = request["MessageBody"], request.get("MessageAttributes") or {}
        _check_body(body, attributes, queue.maximum_message_size)
        delay = _within("DelaySeconds", request.get("DelaySeconds"), MAX_DELAY)
        given = (request.get("MessageSystemAttributes") or {}).get("AWSTraceHeader", {}).get("StringValue")
        message = self._service.put(queue, body, attributes, delay=delay, trace=given or trace)
        return {"MessageId": message.id, "MD5OfMessageBody": message.md5, **_attributes_md5(attributes)}

    def _receive(self, queue: Queue, request: Request, _: str | None) -> Response:
        count = request.get("MaxNumberOfMessages", 1)
        if not 1 <= count <= MAX_BATCH:
            raise invalid_value("MaxNumberOfMessages", count, "Must be between 1 and 10, if provided.")
        wait = _within("WaitTimeSeconds", request.get("WaitTimeSeconds"), MAX_WAIT)
        visibility = _within("VisibilityTimeout", request.get("VisibilityTimeout"), MAX_VISIBILITY_SECONDS)
        receipts = self._service.take(
            queue, count, visibility=visibility, wait=float(queue.receive_message_wait_time_seconds) if wait is None else wait
        )
        system = {*request.get("AttributeNames", ()), *request.get("MessageSystemAttributeNames", ())}
        found = [_shown(receipt, system, request.get("MessageAttributeNames", ())) for receipt in receipts]
        return {"Messages": found} if found else {}

    def _delete(self, queue: Queue, request: Request, _: str | None) -> Response:
        self._service.messages(queue).delete(request["ReceiptHandle"])
        return {}

    def _change_visibility(self, queue: Queue, request: Request, _: str | None) -> Response:
        seconds = _within("VisibilityTimeout", request.get("VisibilityTimeout"), MAX_VISIBILITY_SECONDS)
        self._service.change_visibility(queue, request["ReceiptHandle"], seconds or 0.0)
        return {}

    def _purge(self, queue: Queue, _: Request, __: str | None) -> Response:
        self._service.messages(queue).purge()
        return {}

    def _attributes(self, queue: Queue, request: Request, _: str | None) -> Response:
        names = request.get("AttributeNames", ())
        depth = self._service.depth(queue.queue_arn)
        known = {
            "ApproximateNumberOfMessages": str(depth.visible),
            "ApproximateNumberOfMessagesNotVisible": str(depth.in_flight),
            "ApproximateNumberOfMessagesDelayed": str(depth.delayed),
        }
        if not known.keys() >= set(names):  # moto makes all the others at once, which takes longer than all else here
            known = {name: str(value) for name, value in queue.attributes.items() if value is not None} | known
        found = {name: value for name, value in known.items() if "All" in names or name in names}
        return {"Attributes": found} if found else {}


def _entries(operation: str, request: Request, known: tuple[str, ...]) -> list[Request]:
    """Check a batch's entries and return them.

    Raises:
        SqsError: There are none or more than ten, or their ids are invalid or not distinct.
    """
    entries: list[Request] = request.get("Entries") or []
    if not entries:
        raise SqsError("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > MAX_BATCH:
        raise SqsError(
            "TooManyEntriesInBatchRequest", f"Maximum number of entries per request are 10. You have sent {len(entries)}."
        )
    ids = [entry["Id"] for entry in entries]
    if not all(_BATCH_ID.fullmatch(one) for one in ids):
        raise SqsError("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores.")
    if len(set(ids)) != len(ids):
        raise SqsError("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
    for entry in entries:
        only("sqs", f"an entry of {operation}", entry, ("Id", *known))
    return entries


def _check_batch_size(entries: list[Request], most: int) -> None:
    if sum(_bytes(entry["MessageBody"], entry.get("MessageAttributes") or {}) for entry in entries) > most:
        raise SqsError("BatchRequestTooLong", f"Batch requests cannot be longer than {most} bytes.")


def _each(entries: list[Request], action: Callable[[Request], Response]) -> Response:
    done: list[Response] = []
    failed: list[Response] = []
    for entry in entries:
        try:
            done.append({"Id": entry["Id"], **action(entry)})
        except SqsError as error:
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message})
    return {"Successful": done, "Failed": failed}


def _within(name: str, value: float | None, highest: int) -> float | None:
    if value is not None and not 0 <= value <= highest:
        raise invalid_value(name, value, f"Must be between 0 and {highest}, if provided.")
    return value


def _check_body(body: str, attributes: Mapping[str, Any], most: int) -> None:
    if not body:
        raise SqsError("MissingParameter", "The request must contain the parameter MessageBody.", "MissingParameter")
    if _FORBIDDEN.search(body):
        raise SqsError(
            "InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to ..."
        )
    if _bytes(body, attributes) > most:
        raise invalid_value("MessageBody", "...", f"Message must be shorter than {most} bytes.")


def _bytes(body: str, attributes: Mapping[str, Any]) -> int:
    contents = (
        name + value["DataType"] + value.get("StringValue", value.get("BinaryValue", "")) for name, value in attributes.items()
    )
    return len(body.encode()) + sum(len(content.encode()) for content in contents)


def _attributes_md5(attributes: Mapping[str, Any]) -> dict[str, str]:
    if not attributes:
        return {}
    message = MotoMessage("", "")
    message.message_attributes = {name: _decoded(value) for name, value in attributes.items()}
    return {"MD5OfMessageAttributes": message.attribute_md5}


def _decoded(value: Mapping[str, Any]) -> dict[str, Any]:
    return {**value, "BinaryValue": base64.b64decode(value["BinaryValue"])} if "BinaryValue" in value else dict(value)


def _shown(receipt: ReceivedMessage, system: set[str], names: list[str]) -> Response:
    shown: Response = {
        "MessageId": receipt.message_id,
        "ReceiptHandle": receipt.receipt_handle,
        "MD5OfBody": receipt.md5_of_body,
        "Body": receipt.body,
    }
    own = {name: value for name, value in receipt.attributes.items() if "All" in system or name in system}
    attributes = {name: value for name, value in receipt.message_attributes.items() if _matches(name, names)}
    if own:
        shown["Attributes"] = own
    if attributes:
        shown |= {"MessageAttributes": attributes, **_attributes_md5(attributes)}
    return shown


def _matches(name: str, names: list[str]) -> bool:
    return any(one in ("All", name) or (one.endswith(".*") and name.startswith(one[:-2])) for one in names)

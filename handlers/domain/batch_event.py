"""The contract with S3 Batch Operations: its event in schema 1.0 and 2.0, and the response.

Source: Amazon S3 user guide, batch-ops-invoke-lambda; botocore s3control LambdaInvokeOperation. Samples: tests/events/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any
from urllib.parse import unquote_plus

from handlers.domain import identity, json_text, reasons
from handlers.domain.engine import DEFAULT_INTERVAL_MS, LONGEST_INTERVAL_MS, SHORTEST_INTERVAL_MS, Engine
from handlers.domain.identity import Video
from handlers.domain.states import SCAN_LANES, Lane

# The completion report truncates a resultString here (aws-samples/sample-replicate-on-tag-for-amazon-s3, tagging-at-scale.md).
MAX_RESULT_TEXT = 1024

# 0 to `identity.MAX_ATTEMPT`.
_RETRY_PATTERN = re.compile(r"0|[1-9][0-9]?")

_INTERVAL_PATTERN = re.compile(r"[1-9][0-9]{3,4}")

# The longest state, scan and reason in a result text, so that there is always room for the message.
_FIELD_LENGTH = 96


class ResultCode(StrEnum):
    """The result codes of S3 Batch; it retries only temporary failures."""

    SUCCEEDED = "Succeeded"
    TEMPORARY_FAILURE = "TemporaryFailure"
    PERMANENT_FAILURE = "PermanentFailure"


# Of two results for one task the more severe is returned: a success must not hide a failure, and a retry may still help.
_SEVERITY = {ResultCode.SUCCEEDED: 0, ResultCode.PERMANENT_FAILURE: 1, ResultCode.TEMPORARY_FAILURE: 2}


@dataclass(frozen=True, slots=True)
class Task:
    """One object to register, or `refusal`: why the task is invalid. Exactly one of the two is None."""

    task_id: str
    video: Video | None
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Request:
    """The request in an event. `refusal` is why it is invalid as a whole; then each task has it, too.

    `scan_id` is None only in a refused request. Task ids are unique.
    """

    schema_version: str
    invocation_id: str
    job_id: str
    scan_id: str | None
    lane: Lane
    retry: int
    tasks: tuple[Task, ...]
    refusal: str | None
    engine: Engine = Engine.VIDEO
    interval_ms: int = DEFAULT_INTERVAL_MS
    # What looks at videos in a format that the engine does not take; None: nothing does.
    others: Engine | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one task; `text` comes from `result_text`."""

    task_id: str
    code: ResultCode
    text: str


def parse(event: object) -> Request:
    """Return the request in an event; never raises, whatever the event holds.

    Schema 1.0 has no arguments: its scan id is the job id, its lane normal. So it is in schema 2.0 without arguments, of a job made
    by hand; otherwise `userArguments` must hold a `scan_id`, and may hold a `lane` ("normal", "express"), a `retry` ("0" to "99"),
    an `engine` ("video", "frames"), an `interval_ms` ("1000" to "60000") and `others` ("frames").
    """
    fields = json_text.mapping(event)
    job = json_text.mapping(fields.get("job"))
    version = fields.get("invocationSchemaVersion")
    given = json_text.mapping(job.get("userArguments")) if version == "2.0" else {}
    arguments = _arguments(given or {"scan_id": job.get("id")})
    scan_id = arguments["scan_id"] if identity.is_scan_id(arguments["scan_id"]) else None
    refusal = _refusal(version, scan_id, arguments, by_hand=not given)
    return Request(
        schema_version=version if isinstance(version, str) else "1.0",
        invocation_id=json_text.text_or_empty(fields.get("invocationId")),
        job_id=json_text.text_or_empty(job.get("id")),
        scan_id=scan_id,
        lane=Lane.NORMAL if refusal else Lane(arguments["lane"]),
        retry=0 if refusal else int(arguments["retry"]),
        tasks=_tasks(fields, refusal),
        refusal=refusal,
        engine=Engine.VIDEO if refusal else Engine(arguments["engine"]),
        interval_ms=DEFAULT_INTERVAL_MS if refusal else int(arguments["interval_ms"]),
        others=None if refusal or not arguments["others"] else Engine(arguments["others"]),
    )


def response(request: Request, results: Iterable[Result]) -> dict[str, Any]:
    """Return the response to S3 Batch, with exactly one result for each task of the request.

    A task without a result fails temporarily. Results of unknown tasks are omitted.
    """
    given: dict[str, Result] = {}
    for result in results:
        before = given.get(result.task_id, result)
        if _SEVERITY[result.code] >= _SEVERITY[before.code]:
            given[result.task_id] = result
    answers = [given.get(task.task_id) or _no_result(request, task) for task in request.tasks]
    return {
        "invocationSchemaVersion": request.schema_version,
        # S3's default, TemporaryFailure, would retry an invalid task.
        "treatMissingKeysAs": ResultCode.PERMANENT_FAILURE.value,
        "invocationId": request.invocation_id,
        "results": [{"taskId": answer.task_id, "resultCode": answer.code.value, "resultString": answer.text} for answer in answers],
    }


def result_text(*, scan: str | None, state: str | None = None, reason: str | None = None, message: str | None = None) -> str:
    """Return a resultString: compact ASCII JSON of at most 1,024 characters, whatever the message is.

    Long values are truncated, the message most, and end with three dots then.
    """
    given = {"state": state, "reason": reason, "scan": scan}
    fields = {name: _cut(value, _FIELD_LENGTH) for name, value in given.items() if value is not None}
    if message is not None:
        room = MAX_RESULT_TEXT - len(json_text.compact(fields | {"message": ""}))
        fields["message"] = _cut(message, room)
    return json_text.compact(fields)


def _no_result(request: Request, task: Task) -> Result:
    text = result_text(scan=request.scan_id, reason=reasons.NO_RESULT, message="The function returned no result for this task.")
    return Result(task.task_id, ResultCode.TEMPORARY_FAILURE, text)


def _cut(text: str, room: int) -> str:
    """Truncate a text so that it takes at most `room` characters in JSON."""
    if len(text) <= room and _json_length(text) <= room:
        return text
    end, used = 0, len("...")
    while (used := used + _json_length(text[end])) <= room:
        end += 1
    return text[:end] + "..."


def _json_length(text: str) -> int:
    return len(_quoted(text)) - len('""')


def _arguments(given: dict[str, object]) -> dict[str, str]:
    """Return the arguments, not yet checked. They are always strings on AWS; any other type counts as empty."""
    defaults = {
        "scan_id": "",
        "lane": Lane.NORMAL.value,
        "retry": "0",
        "engine": Engine.VIDEO.value,
        "interval_ms": str(DEFAULT_INTERVAL_MS),
        "others": "",
    }
    return defaults | {name: json_text.text_or_empty(given[name]) for name in defaults if given.get(name) is not None}


def _refusal(version: object, scan_id: str | None, arguments: dict[str, str], *, by_hand: bool) -> str | None:
    """Return why a request is invalid as a whole, or None."""
    if version not in ("1.0", "2.0"):
        return f"unknown schema {_shown(version)}: this function takes S3 Batch events of schema 1.0 and 2.0"
    if scan_id is None:
        where = "the job id" if by_hand else "scan_id in the job's user arguments"
        return f"{where} is not a scan id: {_shown(arguments['scan_id'])}; submit the job with tools/submit_job.py"
    if arguments["lane"] not in SCAN_LANES:
        return f"unknown lane {_shown(arguments['lane'])}: normal and express exist"
    if not _RETRY_PATTERN.fullmatch(arguments["retry"]):
        return f"retry is not a number from 0 to {identity.MAX_ATTEMPT}: {_shown(arguments['retry'])}"
    return _engine_refusal(arguments)


def _engine_refusal(arguments: dict[str, str]) -> str | None:
    """Return why the arguments about engines are invalid, or None."""
    if arguments["engine"] not in list(Engine):
        return f"unknown engine {_shown(arguments['engine'])}: video and frames exist"
    interval = arguments["interval_ms"]
    if not _INTERVAL_PATTERN.fullmatch(interval) or not SHORTEST_INTERVAL_MS <= int(interval) <= LONGEST_INTERVAL_MS:
        return f"interval_ms is not a number from {SHORTEST_INTERVAL_MS} to {LONGEST_INTERVAL_MS}: {_shown(interval)}"
    if arguments["others"] not in ("", Engine.FRAMES):
        return f"others may go by frames only: {_shown(arguments['others'])}"
    return None


def _tasks(event: dict[str, object], refusal: str | None) -> tuple[Task, ...]:
    """Return the tasks, one for each id. A task without an id cannot be answered and is omitted."""
    tasks: dict[str, Task] = {}
    for entry in map(json_text.mapping, json_text.items(event.get("tasks"))):
        task_id = entry.get("taskId")
        if not isinstance(task_id, str):
            continue
        task = Task(task_id, None, refusal) if refusal else _task(task_id, entry)
        if tasks.setdefault(task_id, task) != task:
            tasks[task_id] = Task(task_id, None, "two different objects have the same task id")
    return tuple(tasks.values())


def _task(task_id: str, entry: dict[str, object]) -> Task:
    """Return one task with its key decoded; anything but strings is refused."""
    bucket, key, version = _bucket(entry), entry.get("s3Key"), entry.get("s3VersionId")
    if not (isinstance(bucket, str) and isinstance(key, str) and isinstance(version, str | None)):
        return Task(task_id, None, "bucket, key or version is missing or not text")
    try:
        decoded = unquote_plus(key, encoding="utf-8", errors="strict")
    except UnicodeDecodeError:
        return Task(task_id, None, f"the key is not UTF-8 once its percent signs are decoded: {_shown(key)}")
    video = Video(bucket, decoded, version or None)
    fault = identity.fault_of(video)
    return Task(task_id, None, fault) if fault else Task(task_id, video, None)


def _bucket(entry: dict[str, object]) -> object:
    """Return the bucket's name; schema 1.0 has only its ARN."""
    if "s3Bucket" in entry:
        return entry["s3Bucket"]
    # AWS's documents show bucket ARNs with and without Region and account; its samples take what follows the last colon.
    arn = entry.get("s3BucketArn")
    return arn.rpartition(":")[2] if isinstance(arn, str) else None


def _shown(value: object) -> str:
    """Return a value for a message, escaped and truncated."""
    return f"{value!r:.80}" if isinstance(value, str) else type(value).__name__

"""The contract with S3 Batch Operations: its event in schema 1.0 and 2.0, and the response it wants.

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
from handlers.domain.identity import Video
from handlers.domain.states import Lane

# The completion report cuts a resultString here (aws-samples/sample-replicate-on-tag-for-amazon-s3, tagging-at-scale.md).
MAX_RESULT_TEXT = 1024

# 0 to `identity.MAX_ATTEMPT`.
_RETRY_PATTERN = re.compile(r"0|[1-9][0-9]?")

_LANES = frozenset(Lane)

# Longest state, scan and reason in a result text, so that room for the message is always left.
_FIELD_LENGTH = 96


class ResultCode(StrEnum):
    """What S3 Batch understands; it repeats only tasks that failed for the moment."""

    SUCCEEDED = "Succeeded"
    TEMPORARY_FAILURE = "TemporaryFailure"
    PERMANENT_FAILURE = "PermanentFailure"


# Of two results for one task the more severe is returned: a success never hides a failure, and a repetition may still help.
_SEVERITY = {ResultCode.SUCCEEDED: 0, ResultCode.PERMANENT_FAILURE: 1, ResultCode.TEMPORARY_FAILURE: 2}


@dataclass(frozen=True, slots=True)
class Task:
    """One object to register, or `refusal`: why the task cannot be understood. Exactly one of both is None."""

    task_id: str
    video: Video | None
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Request:
    """What S3 Batch asks for. `refusal` says why the whole of it cannot be understood; then each task carries it too.

    `scan_id` is None only in a refused request. No two tasks have the same id.
    """

    schema_version: str
    invocation_id: str
    job_id: str
    scan_id: str | None
    lane: Lane
    retry: int
    tasks: tuple[Task, ...]
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """The answer for one task; `text` is what `result_text` makes."""

    task_id: str
    code: ResultCode
    text: str


def parse(event: object) -> Request:
    """Return what an event asks for: never raises, whatever comes.

    Schema 1.0 has no arguments: its scan id is the job id, its lane normal. In schema 2.0 `userArguments` must hold a `scan_id`,
    and may hold a `lane` ("normal", "express") and a `retry` ("0" to "99").
    """
    fields = json_text.mapping(event)
    job = json_text.mapping(fields.get("job"))
    version = fields.get("invocationSchemaVersion")
    arguments = _arguments(version, job)
    scan_id = arguments["scan_id"] if identity.is_scan_id(arguments["scan_id"]) else None
    refusal = _refusal(version, scan_id, arguments)
    return Request(
        schema_version=version if isinstance(version, str) else "1.0",
        invocation_id=json_text.text_or_empty(fields.get("invocationId")),
        job_id=json_text.text_or_empty(job.get("id")),
        scan_id=scan_id,
        lane=Lane.NORMAL if refusal else Lane(arguments["lane"]),
        retry=0 if refusal else int(arguments["retry"]),
        tasks=_tasks(fields, refusal),
        refusal=refusal,
    )


def response(request: Request, results: Iterable[Result]) -> dict[str, Any]:
    """Return what S3 Batch wants back: one result for each task of the request, whatever results there are.

    A task without a result is to be repeated. Results of unknown tasks are left out.
    """
    given: dict[str, Result] = {}
    for result in results:
        before = given.get(result.task_id, result)
        if _SEVERITY[result.code] >= _SEVERITY[before.code]:
            given[result.task_id] = result
    answers = [given.get(task.task_id) or _no_result(request, task) for task in request.tasks]
    return {
        "invocationSchemaVersion": request.schema_version,
        # S3's own default is TemporaryFailure, which would repeat a task that cannot be understood.
        "treatMissingKeysAs": ResultCode.PERMANENT_FAILURE.value,
        "invocationId": request.invocation_id,
        "results": [{"taskId": answer.task_id, "resultCode": answer.code.value, "resultString": answer.text} for answer in answers],
    }


def result_text(*, scan: str | None, state: str | None = None, reason: str | None = None, message: str | None = None) -> str:
    """Return a resultString: compact JSON in ASCII, at most 1,024 characters and valid JSON whatever the message is.

    What is too long is cut within its own value, the message first of all; a cut value ends with three dots.
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
    """Return the longest beginning of a text that takes at most `room` characters in JSON."""
    if len(text) <= room and _json_length(text) <= room:
        return text
    end, used = 0, len("...")
    while (used := used + _json_length(text[end])) <= room:
        end += 1
    return text[:end] + "..."


def _json_length(text: str) -> int:
    return len(_quoted(text)) - len('""')


def _arguments(version: object, job: dict[str, object]) -> dict[str, str]:
    """Return scan id, lane and retry, not yet examined. AWS knows only texts as arguments: another type is as good as empty."""
    given = json_text.mapping(job.get("userArguments")) if version == "2.0" else {"scan_id": job.get("id")}
    wanted = {"scan_id": "", "lane": Lane.NORMAL.value, "retry": "0"}
    return {name: absent if given.get(name) is None else json_text.text_or_empty(given[name]) for name, absent in wanted.items()}


def _refusal(version: object, scan_id: str | None, arguments: dict[str, str]) -> str | None:
    """Return why nothing of a request can be done, or None."""
    if version not in ("1.0", "2.0"):
        return f"unknown schema {_shown(version)}: this function takes S3 Batch events of schema 1.0 and 2.0"
    if scan_id is None:
        where = "the job id" if version == "1.0" else "scan_id in the job's user arguments"
        return f"{where} is not a scan id: {_shown(arguments['scan_id'])}; submit the job with tools/submit_job.py"
    if arguments["lane"] not in _LANES:
        return f"unknown lane {_shown(arguments['lane'])}: normal and express exist"
    if not _RETRY_PATTERN.fullmatch(arguments["retry"]):
        return f"retry is not a number from 0 to {identity.MAX_ATTEMPT}: {_shown(arguments['retry'])}"
    return None


def _tasks(event: dict[str, object], refusal: str | None) -> tuple[Task, ...]:
    """Return the tasks, one for each id. A task without an id cannot be answered, so it is left out."""
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
    """Return one task, its key decoded. Anything but text where text belongs is refused."""
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
    """Return the bucket's name: schema 2.0 gives it plainly, 1.0 as an ARN."""
    if "s3Bucket" in entry:
        return entry["s3Bucket"]
    # AWS shows bucket ARNs with and without Region and account; its own code takes what follows the last colon.
    arn = entry.get("s3BucketArn")
    return arn.rpartition(":")[2] if isinstance(arn, str) else None


def _shown(value: object) -> str:
    """Return a value for use in a sentence: escaped, and not long."""
    return f"{value!r:.80}" if isinstance(value, str) else type(value).__name__

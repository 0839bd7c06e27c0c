"""The invocation of one task: the event that a function gets, and what its answer means [S3:batch-ops-invoke-lambda]."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tools.emulator.core import InvocationResult
from tools.emulator.services.s3_batch.manifest import Row
from tools.emulator.services.s3_batch.request import JobRequest

# Characters of a result that reach the report (docs/aws.md#1-s3-batch-and-lambda).
MAX_RESULT_STRING = 1024

THROTTLED_STATUS = 429
RESULT_CODES = ("Succeeded", "TemporaryFailure", "PermanentFailure")


class TaskOutcome(Enum):
    """What an invocation means for its task."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TEMPORARY = "temporary"
    THROTTLED = "throttled"


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of an invocation; `http_status`, `error_code` and `message` are the last three columns of the report.

    `from_function` says that `message` is the function's resultString, which may be kept out of the report, not a sentence of S3's.
    """

    outcome: TaskOutcome
    http_status: int = 200
    error_code: str = ""
    message: str = ""
    from_function: bool = False


def event(request: JobRequest, job_id: str, row: Row, *, invocation_id: str, task_id: str) -> bytes:
    """Return the event for one task as JSON, with the key encoded exactly as in the manifest."""
    task: dict[str, Any] = {"taskId": task_id, "s3Key": row.key, "s3VersionId": row.version_id}
    job: dict[str, Any] = {"id": job_id}
    if request.schema_version == "1.0":
        task["s3BucketArn"] = f"arn:aws:s3:::{row.bucket}"
    else:
        task["s3Bucket"] = row.bucket
        if request.user_arguments is not None:
            job["userArguments"] = request.user_arguments
    body = {"invocationSchemaVersion": request.schema_version, "invocationId": invocation_id, "job": job, "tasks": [task]}
    return json.dumps(body).encode()


def judge(result: InvocationResult, *, schema_version: str, invocation_id: str, task_id: str) -> Answer:
    """Return what the result of an invocation means for its task."""
    text = result.payload.decode("utf-8", errors="replace")
    if result.status == THROTTLED_STATUS:
        return Answer(TaskOutcome.THROTTLED, 429, "TooManyRequestsException", "Rate Exceeded.")
    if result.status >= 500:  # noqa: PLR2004 - the class of HTTP statuses
        return Answer(TaskOutcome.TEMPORARY, result.status, "TemporaryFailure", f"Lambda answered {result.status}: {text}")
    if result.status != 200:  # noqa: PLR2004 - HTTP's OK
        return Answer(TaskOutcome.FAILED, result.status, "PermanentFailure", f"Lambda answered {result.status}: {text}")
    if result.function_error is not None:
        return _failed(f"Lambda returned function error: {text}")  # [S3:batch-ops-examples-reports]
    return _judge_payload(result.payload, schema_version, invocation_id, task_id)


def _judge_payload(payload: bytes, schema_version: str, invocation_id: str, task_id: str) -> Answer:
    try:
        answer = json.loads(payload)
    except ValueError:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        answer = None
    if not isinstance(answer, Mapping):
        return _failed("Invalid JSON returned in Lambda payload")
    if answer.get("invocationSchemaVersion") != schema_version:
        return _failed(f"Lambda returned another invocationSchemaVersion than {schema_version}")
    if answer.get("invocationId") != invocation_id:
        return _failed("Lambda returned another invocationId than it was given")
    results = answer.get("results")
    if not isinstance(results, list) or not all(isinstance(entry, Mapping) for entry in results):
        return _failed("Lambda returned no list of results")
    for entry in results:
        if entry.get("taskId") == task_id:
            return _result(entry.get("resultCode"), entry.get("resultString"))
    return _result(answer.get("treatMissingKeysAs", "TemporaryFailure"), "Lambda returned no result for the task")


def _result(code: object, text: object) -> Answer:
    text = "" if text is None else text
    if code not in RESULT_CODES:
        return _failed(f"Lambda returned an unknown result code: {code!r}")
    if not isinstance(text, str):
        return _failed("Lambda returned a resultString that is not a string")
    if code == "Succeeded":
        return Answer(TaskOutcome.SUCCEEDED, message=text, from_function=True)
    outcome = TaskOutcome.FAILED if code == "PermanentFailure" else TaskOutcome.TEMPORARY
    return Answer(outcome, 200, str(code), text, from_function=True)


def _failed(message: str) -> Answer:
    return Answer(TaskOutcome.FAILED, 200, "PermanentFailure", message)

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.emulator.core import InvocationResult
from tools.emulator.services.s3_batch.invocation import Answer, TaskOutcome, judge

SCHEMA_2 = {"InvocationSchemaVersion": "2.0", "UserArguments": {"scan_id": "01J", "lane": "express"}}
IDS = {"schema_version": "1.0", "invocation_id": "i", "task_id": "t"}
GOOD = {"invocationSchemaVersion": "1.0", "invocationId": "i", "results": [{"taskId": "t", "resultCode": "Succeeded"}]}


def _operation(bench, **members):
    arn = bench.request()["Operation"]["LambdaInvoke"]["FunctionArn"]
    return {"LambdaInvoke": {"FunctionArn": arn, **members}}


def test_event_of_schema_1(bench):
    """Schema 1.0, the default, has the bucket's ARN, no arguments, and a null version if the manifest has no versions."""
    job_id = bench.run(b"videos,a%20b%2Bc.mp4\n")

    (event,) = bench.functions.events
    (task,) = event["tasks"]
    assert {"invocationSchemaVersion", "invocationId", "job", "tasks"} == set(event)
    assert "1.0" == event["invocationSchemaVersion"]
    assert {"id": job_id} == event["job"]
    assert {"taskId", "s3Key", "s3VersionId", "s3BucketArn"} == set(task)
    assert ("a%20b%2Bc.mp4", None, "arn:aws:s3:::videos") == (task["s3Key"], task["s3VersionId"], task["s3BucketArn"])


def test_event_of_schema_2(bench):
    """Schema 2.0 has the bucket's name, and the user's arguments in the job."""
    job_id = bench.run(b"videos,a.mp4,null\n", fields=("Bucket", "Key", "VersionId"), Operation=_operation(bench, **SCHEMA_2))

    (event,) = bench.functions.events
    (task,) = event["tasks"]
    assert "2.0" == event["invocationSchemaVersion"]
    assert {"id": job_id, "userArguments": SCHEMA_2["UserArguments"]} == event["job"]
    assert {"taskId", "s3Key", "s3VersionId", "s3Bucket"} == set(task)
    assert ("null", "videos") == (task["s3VersionId"], task["s3Bucket"])


def test_ids_are_opaque(bench):
    """A redriven task keeps its id; each of its invocations has a new one."""
    bench.functions.answer = lambda event: InvocationResult(500, b"{}")

    bench.run(b"videos,a\n")

    assert 1 == len({event["tasks"][0]["taskId"] for event in bench.functions.events})
    assert 3 == len({event["invocationId"] for event in bench.functions.events})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Answer(TaskOutcome.SUCCEEDED, from_function=True)),
        ({"treatMissingKeysAs": None}, Answer(TaskOutcome.SUCCEEDED, from_function=True)),
        (
            {"results": [{"taskId": "t", "resultCode": "PermanentFailure", "resultString": "no"}]},
            Answer(TaskOutcome.FAILED, 200, "PermanentFailure", "no", from_function=True),
        ),
        (
            {"results": [{"taskId": "t", "resultCode": "TemporaryFailure", "resultString": "later"}]},
            Answer(TaskOutcome.TEMPORARY, 200, "TemporaryFailure", "later", from_function=True),
        ),
    ],
)
def test_results(changes, expected):
    """Each result code has the meaning that AWS documents."""
    result = InvocationResult(200, json.dumps(GOOD | changes).encode())

    assert expected == judge(result, **IDS)


@pytest.mark.parametrize(
    ("treat", "outcome"),
    [
        ({}, TaskOutcome.TEMPORARY),
        ({"treatMissingKeysAs": "TemporaryFailure"}, TaskOutcome.TEMPORARY),
        ({"treatMissingKeysAs": "PermanentFailure"}, TaskOutcome.FAILED),
        ({"treatMissingKeysAs": "Succeeded"}, TaskOutcome.SUCCEEDED),
        ({"treatMissingKeysAs": "Whatever"}, TaskOutcome.FAILED),
    ],
)
@pytest.mark.parametrize("results", [[], [{"taskId": "another", "resultCode": "Succeeded"}]])
def test_missing_result(results, treat, outcome):
    """TreatMissingKeysAs decides on a task without a result; the default is a temporary failure."""
    result = InvocationResult(200, json.dumps(GOOD | {"results": results} | treat).encode())

    assert outcome is judge(result, **IDS).outcome


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b'"ok"', b"{", b"\xff", b"{'a': 1}"])
def test_no_json(payload):
    """A payload that is not a JSON object fails the task with AWS's message."""
    expected = Answer(TaskOutcome.FAILED, 200, "PermanentFailure", "Invalid JSON returned in Lambda payload")

    assert expected == judge(InvocationResult(200, payload), **IDS)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"invocationSchemaVersion": "2.0"}, "invocationSchemaVersion"),
        ({"invocationSchemaVersion": None}, "invocationSchemaVersion"),
        ({"invocationId": "j"}, "invocationId"),
        ({"results": None}, "list of results"),
        ({"results": ["t"]}, "list of results"),
        ({"results": [{"taskId": "t", "resultCode": "OK"}]}, "unknown result code: 'OK'"),
        ({"results": [{"taskId": "t", "resultCode": ["x"]}]}, "unknown result code"),
        ({"results": [{"taskId": "t", "resultCode": "Succeeded", "resultString": {"a": 1}}]}, "resultString"),
    ],
)
def test_wrong_answers(changes, part):
    """An answer that breaks the contract fails the task permanently, and the report names the fault."""
    verdict = judge(InvocationResult(200, json.dumps(GOOD | changes).encode()), **IDS)

    assert (TaskOutcome.FAILED, "PermanentFailure") == (verdict.outcome, verdict.error_code)
    assert part in verdict.message


def test_function_error():
    """A function that raised fails its task with the message of AWS's sample report."""
    payload = b'{"errorMessage":"2026-01-01 1 Task timed out after 3.00 seconds"}'

    verdict = judge(InvocationResult(200, payload, "Unhandled"), **IDS)

    assert Answer(TaskOutcome.FAILED, 200, "PermanentFailure", f"Lambda returned function error: {payload.decode()}") == verdict


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_any_payload(payload):
    """No payload of a function raises; without a valid contract each is a failure."""
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()

    verdict = judge(InvocationResult(200, raw), **IDS)

    assert TaskOutcome.FAILED is verdict.outcome

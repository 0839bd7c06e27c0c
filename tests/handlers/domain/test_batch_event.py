"""The contract with S3 Batch Operations."""

import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain import batch_event
from handlers.domain.batch_event import Result, ResultCode, result_text
from handlers.domain.identity import Video
from handlers.domain.states import Lane

EVENTS = Path(__file__).parents[2] / "events"
SCAN = "01K9ZZ6Q3M4T5V6W7X8Y9Z0ABC"
JOB = "0b5e1a52-7c1f-4f43-9d3a-5b0f8f6f2c11"
TASK = "dGFzayBvbmUsIG9wYXF1ZQo"

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)
NAMES = ["invocationSchemaVersion", "invocationId", "job", "tasks", "id", "userArguments", "scan_id", "lane", "retry"]
TASK_NAMES = ["taskId", "s3Key", "s3VersionId", "s3Bucket", "s3BucketArn"]
PLAUSIBLE = st.sampled_from(["1.0", "2.0", SCAN, JOB, "express", "1", TASK, "a%20b.mp4", "%ff", "amzn-s3-demo-bucket"])
DISTORTED = st.recursive(
    PLAUSIBLE | JSON,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
        | st.dictionaries(st.sampled_from(TASK_NAMES), inner, max_size=5)
    ),
    max_leaves=30,
)


def event(version):
    """Return a sample event as AWS sends it."""
    return json.loads((EVENTS / f"s3_batch_schema_{version}.json").read_text())


def event_of(*tasks, **arguments):
    """Return an event of schema 2.0 with these tasks and these user arguments beside the scan id."""
    whole = event("2_0")
    whole["tasks"] = list(tasks)
    whole["job"]["userArguments"] = {"scan_id": SCAN, **arguments}
    return whole


def task_of(key="a.mp4", *, task_id=TASK, **fields):
    """Return a task of schema 2.0."""
    return {"taskId": task_id, "s3Key": key, "s3VersionId": None, "s3Bucket": "amzn-s3-demo-bucket"} | fields


def only_task(whole):
    """Return the one task that an event asks for."""
    (task,) = batch_event.parse(whole).tasks
    return task


def test_schema_1_0():
    """A job made by hand in the console: the scan is the job, the bucket is given as an ARN."""
    request = batch_event.parse(event("1_0"))

    assert (request.scan_id, request.job_id, request.lane, request.retry, request.refusal) == (JOB, JOB, Lane.NORMAL, 0, None)
    assert request.tasks == (batch_event.Task(TASK, Video("amzn-s3-demo-bucket", "a b.mp4", "1"), None),)


def test_schema_2_0():
    """A job of submit_job: scan, lane and retry come from the user arguments, the bucket by its plain name."""
    request = batch_event.parse(event("2_0"))

    assert (request.scan_id, request.job_id, request.lane, request.retry, request.refusal) == (SCAN, JOB, Lane.EXPRESS, 1, None)
    assert request.tasks == (batch_event.Task(TASK, Video("amzn-s3-demo-bucket", "a b.mp4", None), None),)


@pytest.mark.parametrize("arguments", [{}, {"userArguments": None}, {"userArguments": {}}], ids=["absent", "null", "empty"])
def test_schema_2_0_without_arguments(arguments):
    """A job made by hand with schema 2.0 is a scan like one with 1.0: under its own id."""
    whole = event_of(task_of()) | {"job": {"id": JOB, **arguments}}

    request = batch_event.parse(whole)

    assert (request.scan_id, request.job_id, request.lane, request.retry, request.refusal) == (JOB, JOB, Lane.NORMAL, 0, None)
    assert "2.0" == batch_event.response(request, [])["invocationSchemaVersion"]


def test_lane_and_retry_may_be_absent():
    """Without these arguments the lane is normal and the attempt is the first."""
    request = batch_event.parse(event_of(task_of()))

    assert (request.lane, request.retry, request.refusal) == (Lane.NORMAL, 0, None)


@pytest.mark.parametrize("arn", ["arn:aws:s3:::amzn-s3-demo-bucket", "arn:aws:s3:us-east-1:111122223333:amzn-s3-demo-bucket"])
def test_bucket_arn_in_both_forms_of_the_documentation(arn):
    """The bucket is what follows the ARN's last colon: AWS's own pages show two forms."""
    whole = event("1_0")
    whole["tasks"][0]["s3BucketArn"] = arn

    assert only_task(whole).video.bucket == "amzn-s3-demo-bucket"


@pytest.mark.parametrize(
    ("given", "version"), [(None, None), ("", None), ("null", "null"), ("3sL4kqtJlcpXroDTDmJ", "3sL4kqtJlcpXroDTDmJ")]
)
def test_version(given, version):
    """No version is None however it is written, and the null version stays what it is called."""
    assert only_task(event_of(task_of(s3VersionId=given))).video.version_id == version


def test_version_absent():
    """A task without the field has no version."""
    task = task_of()
    del task["s3VersionId"]

    assert only_task(event_of(task)).video == Video("amzn-s3-demo-bucket", "a.mp4", None)


@given(KEYS, st.sampled_from([lambda key: quote(key, safe="/"), lambda key: quote_plus(key, safe="/")]))
def test_objects_with_any_key_are_found(key, encode):
    """A key encoded as in a manifest is decoded to itself: folders, spaces, plus and percent signs (seed's defects 1 and 2)."""
    task = only_task(event_of(task_of(encode(key))))

    assert task.video == Video("amzn-s3-demo-bucket", key)


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        (task_of("%ff.mp4"), "not UTF-8"),
        (task_of("%ED%A0%80"), "not UTF-8"),
        (task_of("\ud800.mp4"), "Unicode"),
        (task_of("a.mp4", s3VersionId="\udfff"), "Unicode"),
        (task_of(""), "0 bytes"),
        (task_of("ü" * 513), "1026 bytes"),
        (task_of(None), "not text"),
        (task_of(["a.mp4"]), "not text"),
        (task_of(s3VersionId=7), "not text"),
        (task_of(s3Bucket=None), "not text"),
        (task_of(s3Bucket=""), "bucket"),
        (task_of(s3Bucket="arn:aws:s3:::amzn-s3-demo-bucket"), "bucket"),
        ({"taskId": TASK}, "missing"),
    ],
)
def test_task_that_cannot_be_understood(task, reason):
    """Such a task is refused with its reason and has no video, while others of the event go on."""
    request = batch_event.parse(event_of(task, task_of("good.mp4", task_id="good")))

    refused, good = request.tasks
    assert refused.video is None
    assert reason in refused.refusal
    assert good.video == Video("amzn-s3-demo-bucket", "good.mp4")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"scan_id": None}, "scan_id"),
        ({"scan_id": "my-scan"}, "'my-scan'"),
        ({"scan_id": SCAN.lower()}, "scan_id"),
        ({"scan_id": SCAN + "\n"}, "scan_id"),
        ({"scan_id": {"id": SCAN}}, "scan_id"),
        ({"lane": "fast"}, "'fast'"),
        ({"lane": ["express"]}, "lane"),
        ({"retry": "-1"}, "retry"),
        ({"retry": "100"}, "retry"),
        ({"retry": "1.5"}, "retry"),
        ({"retry": "٣"}, "retry"),
        ({"retry": ""}, "retry"),
        ({"retry": 1}, "retry"),
    ],
)
def test_arguments_that_cannot_be_understood(arguments, reason):
    """The whole request is refused, and each task with it: none may be registered under a guess."""
    request = batch_event.parse(event_of(task_of(), task_of("b.mp4", task_id="other"), **arguments))

    assert reason in request.refusal
    assert [(task.video, task.refusal) for task in request.tasks] == [(None, request.refusal)] * 2


@pytest.mark.parametrize("retry", range(100))
def test_retry(retry):
    """Every attempt that two digits hold can be asked for."""
    assert batch_event.parse(event_of(task_of(), retry=str(retry))).retry == retry


@pytest.mark.parametrize("version", ["3.0", "", None, 2.0, ["2.0"]])
def test_unknown_schema(version):
    """Each task of an unknown schema is refused."""
    whole = event("2_0") | {"invocationSchemaVersion": version}

    task = only_task(whole)

    assert task.video is None
    assert "unknown schema" in task.refusal


def test_schema_1_0_needs_the_id_of_a_batch_job():
    """A job id that is not a uuid makes no scan id."""
    whole = event("1_0") | {"job": {"id": "../../etc"}}

    assert "not a scan id" in only_task(whole).refusal


def test_user_arguments_of_schema_1_0_are_not_read():
    """What only schema 2.0 has does not count in 1.0."""
    whole = event("1_0")
    whole["job"]["userArguments"] = {"scan_id": SCAN, "lane": "express"}

    request = batch_event.parse(whole)

    assert (request.scan_id, request.lane) == (JOB, Lane.NORMAL)


def test_same_task_twice():
    """A task that comes twice is one task."""
    assert len(batch_event.parse(event_of(task_of(), task_of())).tasks) == 1


def test_two_objects_under_one_task_id():
    """Two objects under one id are refused: one answer cannot speak for both."""
    task = only_task(event_of(task_of("a.mp4"), task_of("b.mp4")))

    assert task.video is None
    assert "same task id" in task.refusal


@given(JSON | DISTORTED)
def test_never_an_exception(value):
    """Whatever JSON comes, it is parsed, each task says what it is or why not, and S3 gets its answer."""
    request = batch_event.parse(value)

    answer = batch_event.response(request, [])

    assert all((task.video is None) != (task.refusal is None) for task in request.tasks)
    assert (request.scan_id is not None) or request.refusal
    assert [result["taskId"] for result in answer["results"]] == [task.task_id for task in request.tasks]
    json.dumps(answer)


@given(DISTORTED)
def test_never_an_exception_for_a_task(value):
    """Whatever a task of an otherwise good event holds."""
    request = batch_event.parse(event_of(value, task_of(task_id="good")))

    assert request.refusal is None
    assert request.tasks[-1].task_id == "good"


@pytest.mark.parametrize("value", [None, {}, [], "text", 7, {"tasks": {}}, {"tasks": None}, {"job": [], "tasks": [None, 7, {}]}])
def test_events_of_someone_else(value):
    """What is not an S3 Batch event is refused, with nothing to do."""
    request = batch_event.parse(value)

    assert request.refusal
    assert request.tasks == ()


def test_response_is_what_s3_wants():
    """The sample response: everything echoed, the result code one of three, treatMissingKeysAs set (seed's defect 13)."""
    request = batch_event.parse(event("1_0"))
    result = Result(TASK, ResultCode.SUCCEEDED, result_text(scan=JOB, state="WAITING"))

    answer = batch_event.response(request, [result])

    assert answer == json.loads((EVENTS / "s3_batch_response.json").read_text())


@pytest.mark.parametrize("version", ["1_0", "2_0"])
def test_response_echoes_the_schema(version):
    """The response is in the schema of the event."""
    whole = event(version)

    answer = batch_event.response(batch_event.parse(whole), [])

    assert answer["invocationSchemaVersion"] == whole["invocationSchemaVersion"]
    assert answer["invocationId"] == whole["invocationId"]


@given(
    asked=st.lists(st.sampled_from("abcdef"), max_size=8),
    given_results=st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(ResultCode)), max_size=12),
)
def test_one_result_for_each_task(asked, given_results):
    """Every task gets one result: the most severe given, or a temporary failure without one; no other task gets one."""
    request = batch_event.parse(event_of(*(task_of(task_id=task_id) for task_id in asked)))
    order = [ResultCode.SUCCEEDED, ResultCode.PERMANENT_FAILURE, ResultCode.TEMPORARY_FAILURE]

    answer = batch_event.response(request, [Result(task_id, code, "{}") for task_id, code in given_results])

    expected = {}
    for task_id in asked:
        codes = [code for other, code in given_results if other == task_id]
        expected[task_id] = max(codes, key=order.index, default=ResultCode.TEMPORARY_FAILURE)
    assert [(result["taskId"], result["resultCode"]) for result in answer["results"]] == list(expected.items())


def test_a_task_without_a_result_is_asked_again():
    """Where the flow returns nothing for a task, S3 is asked to repeat it, and the report says why."""
    request = batch_event.parse(event_of(task_of(), task_of("b.mp4", task_id="two")))

    answer = batch_event.response(request, [])

    assert [(TASK, "TemporaryFailure"), ("two", "TemporaryFailure")] == [
        (result["taskId"], result["resultCode"]) for result in answer["results"]
    ]
    result = json.loads(answer["results"][0]["resultString"])
    assert ("no-result", SCAN) == (result["reason"], result["scan"])
    assert "no result" in result["message"]


@pytest.mark.parametrize(
    "task",
    [
        task_of(task_id="one", s3Key=None),
        task_of("%ff", task_id="one"),
        task_of("k" * 1025, task_id="one"),
    ],
)
def test_refused_tasks_keep_their_ids(task):
    """The result of a task that cannot be understood must find its task."""
    request = batch_event.parse(event_of(task, task_of("b.mp4", task_id="two")))

    assert ["one", "two"] == [each.task_id for each in request.tasks]
    assert request.tasks[0].video is None


def test_tasks_of_a_refused_event_keep_their_ids():
    """So must those of an event that as a whole cannot be understood, and of two objects under one id."""
    unknown = batch_event.parse(event_of(task_of(task_id="one"), retry="much"))
    doubled = batch_event.parse(event_of(task_of(task_id="one"), task_of("b.mp4", task_id="one")))

    assert ["one"] == [each.task_id for each in unknown.tasks]
    assert ["one"] == [each.task_id for each in doubled.tasks]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"invocationSchemaVersion": "3.0"}, "'3.0'"),
        ({"invocationSchemaVersion": 3}, "int"),
        ({"job": {"id": JOB, "userArguments": {"scan_id": SCAN, "retry": "many"}}}, "'many'"),
        ({"job": {"id": JOB, "userArguments": {"scan_id": "mine"}}}, "user arguments"),
        ({"invocationSchemaVersion": "1.0", "job": {"id": "mine"}}, "the job id"),
    ],
)
def test_a_refusal_names_the_value(changes, named):
    """The job's report says what to fix, and where."""
    request = batch_event.parse(event_of(task_of()) | changes)

    assert named in request.refusal


def test_the_answer_to_an_unknown_version_has_one_that_s3_knows():
    """Whatever the event's version was, the response says one: text."""
    answer = batch_event.response(batch_event.parse(event_of(task_of()) | {"invocationSchemaVersion": 3}), [])

    assert answer["invocationSchemaVersion"] == "1.0"

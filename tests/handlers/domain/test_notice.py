"""Completion notices: true, foreign, forged and broken ones."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain import notice
from handlers.domain.notice import Notices

EVENT = Path(__file__).parents[2] / "events" / "sns_completion_notice.json"
TOPIC = "arn:aws:sns:us-east-1:111122223333:completions"
JOB = "5f2b7c9d0e1a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4"
JOB_IDS = st.from_regex(r"\A[a-zA-Z0-9_-]{1,64}\Z")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["Records", "EventSource", "Sns", "TopicArn", "Message", "JobId"]),
            inner | st.sampled_from(["aws:sns", TOPIC, "{}"]),
        )
    ),
    max_leaves=20,
)


def sample():
    """Return a notice as AWS sends it."""
    return json.loads(EVENT.read_text())


def record_of(message=None, *, source="aws:sns", topic=TOPIC):
    """Return one record of an event."""
    return {
        "EventSource": source,
        "Sns": {"TopicArn": topic, "Message": message if isinstance(message, str) else json.dumps(message)},
    }


def test_notice_as_aws_sends_it():
    """The sample notice names its job."""
    assert notice.parse_event(sample(), TOPIC) == Notices((JOB,), ())


@given(JOB_IDS, st.floats(0, 4e9))
def test_the_sweepers_notice_is_understood(job_id, timestamp):
    """A notice of our own making says the same as Rekognition's would."""
    event = notice.as_event(job_id, TOPIC, timestamp)

    assert notice.parse_event(event, TOPIC) == Notices((job_id,), ())


def test_the_sweepers_notice_has_the_form_of_a_true_one():
    """Every field of ours is in AWS's, with the same type; and it survives the way through JSON."""
    ours = json.loads(json.dumps(notice.as_event(JOB, TOPIC, 1502230160.926)))["Records"][0]
    theirs = sample()["Records"][0]

    assert {name: type(theirs[name]) for name in ours} == {name: type(ours[name]) for name in ours}
    assert {name: type(theirs["Sns"][name]) for name in ours["Sns"]} == {name: type(value) for name, value in ours["Sns"].items()}
    assert ours["Sns"]["Timestamp"] == theirs["Sns"]["Timestamp"]
    assert json.loads(ours["Sns"]["Message"]).items() <= json.loads(theirs["Sns"]["Message"]).items()


def test_a_notice_through_another_topic_is_not_ours():
    """Notices of other topics are refused."""
    notices = notice.parse_event(sample(), TOPIC + "-other")

    assert notices.job_ids == ()
    assert "topic" in notices.refused[0]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (record_of({"JobId": JOB}, source="aws:s3"), "aws:s3"),
        (record_of({"JobId": JOB}, source=None), "not from SNS"),
        (record_of({"JobId": JOB}, topic=None), "topic"),
        (record_of("Hello from SNS!"), "not a JSON object"),
        (record_of([JOB]), "not a JSON object"),
        (record_of(None), "not a JSON object"),
        (record_of("[" * 100_000), "not a JSON object"),
        (record_of({}), "job id"),
        (record_of({"JobId": ""}), "job id"),
        (record_of({"JobId": None}), "job id"),
        (record_of({"JobId": 7}), "job id"),
        (record_of({"JobId": "x" * 65}), "job id"),
        (record_of({"JobId": JOB + "\n"}), "job id"),
        (record_of({"JobId": "a b"}), "job id"),
        (record_of({"JobId": "é"}), "job id"),
        ({"EventSource": "aws:sns", "Sns": []}, "topic"),
        ({"EventSource": "aws:sns", "Sns": {"TopicArn": TOPIC, "Message": {"JobId": JOB}}}, "not a JSON object"),
        (None, "not from SNS"),
        ("text", "not from SNS"),
    ],
)
def test_record_that_is_no_notice(record, reason):
    """It is refused with a short reason on one line, and the good record beside it is taken (seed's defect 15)."""
    notices = notice.parse_event({"Records": [record, record_of({"JobId": "good"})]}, TOPIC)

    assert notices.job_ids == ("good",)
    (refused,) = notices.refused
    assert reason in refused
    assert len(refused) < 250
    assert refused.isprintable()


def test_several_records():
    """Each job is returned once, in order, however many notices there are."""
    records = [record_of({"JobId": job}) for job in ("b", "a", "b")]

    assert notice.parse_event({"Records": records}, TOPIC).job_ids == ("b", "a")


@pytest.mark.parametrize("api", ["StartContentModeration", "LABEL_DETECTION", None])
@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "ERROR", None])
def test_only_the_job_id_is_read(api, status):
    """Neither API nor status decides: AWS's own sample calls the API otherwise, and the status is asked of Rekognition."""
    record = record_of({"JobId": JOB, "API": api, "Status": status})

    assert notice.parse_event({"Records": [record]}, TOPIC).job_ids == (JOB,)


@pytest.mark.parametrize(
    "event", [None, {}, [], "text", {"Records": None}, {"Records": []}, {"Records": {"0": record_of({"JobId": JOB})}}]
)
def test_no_sns_event(event):
    """An event that is not from SNS is refused."""
    notices = notice.parse_event(event, TOPIC)

    assert notices.job_ids == ()
    assert len(notices.refused) == 1


@given(JSON)
def test_never_an_exception(event):
    """Any JSON is parsed without an exception."""
    notices = notice.parse_event(event, TOPIC)

    assert notices.job_ids or notices.refused


def test_the_log_says_which_topic():
    """A refusal names the foreign topic, and truncates a forged message."""
    foreign = notice.parse_event({"Records": [record_of({"JobId": JOB}, topic=f"{TOPIC}-of-others")]}, TOPIC)
    forged = notice.parse_event({"Records": [record_of({"JobId": "x" * 500})]}, TOPIC)

    assert f"{TOPIC}-of-others" in foreign.refused[0]
    assert "xxxx" in forged.refused[0]
    assert len(forged.refused[0]) < 250


@pytest.mark.parametrize("value", [None, 7, ["a"], {}])
def test_the_log_names_the_type_of_what_is_no_text(value):
    """A value that is not text is named by its type, so that nothing of unknown size gets into a log."""
    refused = notice.parse_event({"Records": [record_of({"JobId": value})]}, TOPIC).refused[0]

    assert refused.endswith(type(value).__name__)


def test_the_sweepers_notice_is_an_sns_notification():
    """What tells a notification from a subscription's confirmation, and the event's version, are as AWS has them."""
    true, ours = sample()["Records"][0], notice.as_event(JOB, TOPIC, 1.5)["Records"][0]

    assert (true["EventSource"], true["EventVersion"], true["Sns"]["Type"]) == (
        ours["EventSource"],
        ours["EventVersion"],
        ours["Sns"]["Type"],
    )

"""The message of a lane."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.domain import lane_message
from handlers.domain.identity import Analysis, Video
from handlers.domain.lane_message import LaneMessage
from handlers.domain.record import Record
from handlers.domain.states import State

SCAN = "01K9ZZ6Q3M4T5V6W7X8Y9Z0ABC"
GOOD = {"bucket": "amzn-s3-demo-bucket", "key": "a.mp4", "version_id": None, "scan_id": SCAN, "attempt": 0}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256)


@given(key=TEXT, version=st.none() | TEXT, attempt=st.integers(0, 99))
@example(key="a.mp4", version=None, attempt=99)
def test_what_is_sent_is_understood(key, version, attempt):
    """A record's message says the record's video, scan and attempt, and holds nothing that SQS refuses."""
    record = Record(Video("amzn-s3-demo-bucket", key, version), SCAN, State.WAITING, attempt=attempt)

    body = lane_message.body(record)

    assert lane_message.parse(body) == LaneMessage(record.video, record.analysis)
    assert body.isascii()
    assert body.isprintable()


def test_form():
    """The form that the starter and the sweeper agree on."""
    body = lane_message.body(Record(Video("amzn-s3-demo-bucket", "a.mp4"), SCAN, State.WAITING))

    assert json.loads(body) == GOOD


@given(st.text(st.characters()))
def test_any_text(body):
    """Any body is parsed without an exception."""
    assert lane_message.parse(body) is None


@pytest.mark.parametrize(
    "change",
    [
        {"bucket": None},
        {"bucket": "b"},
        {"key": ""},
        {"key": 7},
        {"key": "\ud800"},
        {"version_id": 7},
        {"scan_id": "x"},
        {"scan_id": None},
        {"attempt": "0"},
        {"attempt": True},
        {"attempt": 1.0},
        {"attempt": -1},
        {"attempt": 100},
        {"attempt": None},
    ],
)
def test_message_of_someone_else(change):
    """A message with one wrong field is not ours."""
    assert lane_message.parse(json.dumps(GOOD | change)) is None


@pytest.mark.parametrize("body", ["null", "[]", "7", "{}", "[" * 100_000, '{"a":' * 100_000, "9" * 10_000])
def test_json_of_someone_else(body):
    """Neither another JSON value nor a hostile one is taken."""
    assert lane_message.parse(body) is None


def test_version_may_be_absent():
    """A message without the field has no version."""
    fields = {name: value for name, value in GOOD.items() if name != "version_id"}

    message = lane_message.parse(json.dumps(fields))

    video = Video("amzn-s3-demo-bucket", "a.mp4")
    assert message == LaneMessage(video, Analysis(SCAN, video.id, 0))

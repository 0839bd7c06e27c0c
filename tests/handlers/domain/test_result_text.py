"""The resultString of a task, which ends in the completion report."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.batch_event import result_text

SCAN = "01K9ZZ6Q3M4T5V6W7X8Y9Z0ABC"


@given(
    scan=st.none() | st.text(),
    state=st.none() | st.text(),
    reason=st.none() | st.text(),
    message=st.none() | st.text(st.characters(), max_size=3000),
)
def test_result_text_fits_the_report(scan, state, reason, message):
    """Any result text is valid JSON in printable ASCII of at most 1,024 characters."""
    text = result_text(scan=scan, state=state, reason=reason, message=message)

    given_names = {
        name for name, value in [("scan", scan), ("state", state), ("reason", reason), ("message", message)] if value is not None
    }
    assert json.loads(text).keys() == given_names
    assert len(text) <= 1024
    assert text.isascii()
    assert text.isprintable()


@pytest.mark.parametrize("character", ["a", '"', "ü", "😀", "\n"])
def test_long_message_is_cut_and_nothing_else(character):
    """A message that is too long is truncated so that the text is nearly full; the other fields stay whole."""
    text = result_text(scan=SCAN, state="FAILED", reason="analysis-failed", message=character * 5000)

    result = json.loads(text)
    assert result == {"state": "FAILED", "reason": "analysis-failed", "scan": SCAN, "message": result["message"]}
    assert set(result["message"].removesuffix("...")) == {character}
    assert 1024 - 12 <= len(text) <= 1024


def test_message_that_just_fits():
    """A message that fills the text to its last character is not cut, and one more character is."""
    room = 1024 - len(result_text(scan=SCAN, message=""))

    assert json.loads(result_text(scan=SCAN, message="m" * room))["message"] == "m" * room
    assert json.loads(result_text(scan=SCAN, message="m" * (room + 1)))["message"] == "m" * (room - 3) + "..."


def test_short_message_is_not_cut():
    """A message that fits is not truncated."""
    text = result_text(scan=SCAN, reason="forbidden", message="Zugriff verweigert: für »a.mp4«")

    assert json.loads(text)["message"] == "Zugriff verweigert: für »a.mp4«"


def test_result_text_of_an_accepted_task():
    """The usual answer is short."""
    assert result_text(scan=SCAN, state="WAITING") == f'{{"state":"WAITING","scan":"{SCAN}"}}'


@pytest.mark.parametrize("length", [200, 500, 900])
@pytest.mark.parametrize("character", ['"', "ü", "😀"])
def test_message_that_grows_in_json(character, length):
    """What counts is the length in JSON: a message of few characters is cut if its escapes do not fit."""
    text = result_text(scan=SCAN, reason="forbidden", message=character * length)

    assert len(text) <= 1024
    assert (json.loads(text)["message"] == character * length) == (length * len(json.dumps(character)[1:-1]) < 900)

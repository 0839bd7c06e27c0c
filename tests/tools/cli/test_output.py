"""How the tools speak."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.lib.cli import Terminal
from tools.lib.errors import ToolError
from tools.lib.json_keys import range_keys, scan_keys, time_keys
from tools.lib.text import byte_size, iso_time, moment, per_second, printable


class Result:
    def sentences(self):
        """Two lines."""
        return ["a key: 😀 \u202e", "done"]

    def as_json(self):
        """One value."""
        return {"key": "😀"}


class Tty(io.StringIO):
    def isatty(self):
        """Pretend to be one."""
        return True


@pytest.fixture
def streams():
    """Buffers instead of stdout and stderr."""
    return io.StringIO(), io.StringIO()


def test_data_and_talk_go_apart(streams):
    """Standard output holds the result and nothing else, so that it can be piped."""
    out, err = streams
    terminal = Terminal(as_json=True, out=out, err=err, interactive=False)

    terminal.info("talk")
    terminal.error(ToolError("wrong", cure="fix it"))
    with terminal.bar("videos") as bar:
        bar.show("1 of 2", 1, 2)
    terminal.result(Result())

    assert json.loads(out.getvalue()) == {"key": "😀"}
    assert err.getvalue().splitlines() == ["talk", "Error: wrong", "Cure:  fix it", "1 of 2"]


def test_a_log_hears_each_state_once(streams):
    """Off a terminal a line is written only when it says something new."""
    out, err = streams
    terminal = Terminal(as_json=False, out=out, err=err)

    with terminal.bar("videos") as bar:
        for text in ("a", "a", "b", "b", "a"):
            bar.show(text, 0, None)

    assert err.getvalue().split() == ["a", "b", "a"]


def test_a_terminal_sees_a_bar(streams, monkeypatch):
    """On a terminal progress is drawn with its numbers, and taken away at the end."""
    monkeypatch.setenv("TERM", "xterm")
    err = Tty()
    terminal = Terminal(as_json=False, out=streams[0], err=err, interactive=False)

    with terminal.bar("videos") as bar:
        bar.show("analysing", 3, 7)

    assert "analysing" in err.getvalue()
    assert "3/7" in err.getvalue()


def test_markup_in_a_message_is_text(streams):
    """Square brackets of a key are not taken for rich's markup, nor words between colons for emoji."""
    out, err = streams

    Terminal(as_json=False, out=out, err=err).info("[red]a[/] :smile: [/nothing]")

    assert err.getvalue() == "[red]a[/] :smile: [/nothing]\n"


def test_a_poor_encoding_is_survived():
    """A terminal that cannot show a character shows its escape; the program does not fall over."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")

    Terminal(as_json=False, out=out, err=io.StringIO()).result(Result())

    assert out.buffer.getvalue() == b"a key: \\U0001f600 \\u202e\ndone\n"


@given(st.text())
def test_no_control_character_gets_through(text):
    """Whatever a key holds, what is shown of it is printable and on one line."""
    assert printable(text).isprintable()


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_what_is_printable_stays(text):
    """Letters, digits, signs and emoji are shown as they are."""
    assert printable(text) == text


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (1, "1 byte"), (1023, "1,023 bytes"), (1024, "1.0 KiB"), (5 * 1024**3, "5.0 GiB"), (3 * 1024**5, "3.0 PiB")],
)
def test_sizes_are_readable(count, shown):
    """Bytes are counted in powers of 1,024 and named so."""
    assert byte_size(count) == shown


@pytest.mark.parametrize(("number", "shown"), [(1.0, "1 image a second"), (7.5, "7.5 images a second"), (50, "50 images a second")])
def test_rates_have_their_noun(number, shown):
    """A rate of one is singular; whole numbers have no decimals."""
    assert per_second(number, "image") == shown


@pytest.mark.parametrize("seconds", [253_402_300_799.0, 1e15, 1e300, float("inf")])
def test_far_times(seconds):
    """A forecast beyond the calendar, as of a scan that hardly moves, is shown as its end: it is no fault."""
    assert "9999-12-30 00:00 UTC" == moment(seconds)
    assert "9999-12-30T00:00:00.000Z" == iso_time(seconds)


def test_keys_of_times_and_scans():
    """The former keys stand beside the new ones; a time that is not known is null under both."""
    assert {"scan": "s", "scan_id": "s"} == scan_keys("s")
    assert {
        "ready_at": 0.25,
        "ready_time": "1970-01-01T00:00:00.250Z",
        "since": None,
        "since_time": None,
        "at": 1.0,
        "decided_time": "1970-01-01T00:00:01.000Z",
    } == time_keys(ready=0.25, since=None, decided=1.0)
    assert {"finished_at": {"low": 0.0}, "finished_time": {"low": "1970-01-01T00:00:00.000Z"}} == range_keys(
        "finished", {"low": 0.0}
    )

"""Frames of videos at the desk."""

import json
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import anyio
import pytest

from handlers.domain.record import ObjectFacts, Segment
from tests.handlers.adapters.media.made_films import Made, Shown, card_of, film
from tests.tools.review_doubles import BUCKET, SCAN, add_flagged, add_scan, video
from tools.lib.desk import frames
from tools.lib.desk.media import Analysed
from tools.lib.desk.refusal import RefusedError
from tools.lib.evidence import reader

pytestmark = pytest.mark.slow  # each test starts decoders


def path(at=None, key="a.mp4"):
    """Return the path of a frame, or of the list of frames."""
    return f"/frames/{SCAN}/{video(key).id}" + ("" if at is None else f"/{at}.jpg")


@pytest.fixture(name="desk")
def _desk(account, entered, put_film):
    """A desk with a film that shows a card from 4 to 6 seconds, which was found, and something that is no film."""
    add_scan(account, "a.mp4", "b.mp4")
    record = add_flagged(account, "a.mp4", facts=put_film("a.mp4", film(Made("h264 b-frames mp4", 16.0, (Shown(7, 4.0, 6.0),)))))
    account.table.records.write_segments(record, [Segment("Weapons", "Violence", 2, 4_000, 6_000, 99.5, 3)])
    add_flagged(account, "b.mp4", facts=put_film("b.mp4", b"no film"))
    with entered() as served:
        yield served


def test_moments(desk):
    """The frames of a video are at the moments of its segments, and show what was found there."""
    _, browser = desk

    listed = browser.json(path())["frames"]

    assert [("Weapons", 99.5)] * len(listed) == [(each["label"], each["confidence"]) for each in listed]
    assert 5_000 in [each["at"] for each in listed]
    answers = [browser.ask(each["src"]) for each in listed]
    assert {(200, "image/jpeg")} == {(answer.status, answer.headers["content-type"]) for answer in answers}
    assert {7} == {card_of(answer.data) for answer in answers}


def test_moments_of_what_counts(account, entered):
    """Frames show what a video was flagged for, also where something that does not count is surer."""
    add_scan(account, "a.mp4")
    surer = [Segment("Smoking", "Drugs & Tobacco", 2, at, at + 400, 99.9, 1) for at in range(0, 16_000, 1_000)]
    segments = [Segment("Weapons", "Violence", 2, 4_000, 6_000, 99.5, 3), *surer]
    account.table.records.write_segments(add_flagged(account, "a.mp4"), segments)

    with entered() as (_, browser):
        listed = browser.json(path())["frames"]

    assert {"Weapons"} == {each["label"] for each in listed}


def test_any_moment(account, desk):
    """Any moment can be asked for; one that was asked for before is not read again."""
    _, browser = desk
    seen = [card_of(browser.ask(path(at)).data) for at in (5_000, 0, 99_999)]
    before = len(account.wire.of("GetObject"))

    again = browser.ask(path(5_000))

    assert [7, None, None] == seen
    assert 7 == card_of(again.data)
    assert before == len(account.wire.of("GetObject"))


@pytest.mark.parametrize("at", ["-1", "1.5", "1e3", "x", "%D9%A3", "21600001", "9" * 30, "9" * 5_000])
def test_no_moment(desk, at):
    """What is no moment of a film has no frame."""
    served, browser = desk

    answer = browser.ask(path(at))

    assert 404 == answer.status
    assert "Error" not in served.output.getvalue()


def test_replaced(account, desk):
    """Of a film that was replaced no frame is shown."""
    _, browser = desk
    account.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=b"another")

    answer = browser.ask(path(5_000))

    assert (409, True) == (answer.status, "was replaced" in json.loads(answer.data)["reason"])


def test_undecodable(desk):
    """What FFmpeg cannot decode is said to be so, with what to do, and the next film is shown."""
    _, browser = desk

    answer = browser.ask(path(0, "b.mp4"))

    assert (415, True) == (answer.status, "FFmpeg" in json.loads(answer.data)["reason"])
    assert 200 == browser.ask(path(5_000)).status


def test_two_decoders(desk, monkeypatch):
    """Many frames asked for at once are decoded by two decoders at most, one film by one at a time."""
    _, browser = desk
    running, most, films = set(), [], []
    of_reader = frames.FrameReader.frame

    def counted(self, at_ms, *more):
        running.add(self)
        most.append(len(running))
        films.append([each._video for each in running])
        try:
            return of_reader(self, at_ms, *more)
        finally:
            running.discard(self)

    monkeypatch.setattr(frames.FrameReader, "frame", counted)
    asked = [path(at, key) for at in (0, 1_000, 2_000) for key in ("a.mp4", "b.mp4")]

    with ThreadPoolExecutor(6) as browsers:
        statuses = [answer.status for answer in browsers.map(browser.ask, asked)]

    assert {200, 415} == set(statuses)
    assert max(most) <= 2
    assert all(len(set(each)) == len(each) for each in films)


def test_left_in_the_queue(desk, monkeypatch):
    """A frame whose browser left before its turn is not decoded."""
    served, browser = desk
    decoded, going = [], threading.Event()
    monkeypatch.setattr(frames.FrameReader, "frame", lambda _, at_ms: decoded.append(at_ms) or (going.wait(20) and b"jpeg"))
    connections = [browser.connect() for _ in range(3)]
    for number, connection in enumerate(connections):
        connection.request("GET", path(number * 1_000), headers={"Cookie": browser.cookie})
        served.until(lambda: decoded == [0])

    connections[1].close()
    threading.Event().wait(0.2)
    going.set()

    assert [b"jpeg", b"jpeg"] == [connections[number].getresponse().read() for number in (0, 2)]
    assert [0, 2_000] == decoded
    connections[0].close()
    connections[2].close()


def test_little_is_kept(desk, monkeypatch):
    """Frames are kept up to a limit of bytes; the oldest goes first."""
    _, browser = desk
    monkeypatch.setattr(frames, "MOST_KEPT", 1)

    assert [200, 200] == [browser.ask(path(at)).status for at in (0, 5_000)]


def test_cut(desk):
    """A moment is not rounded: forty milliseconds before a cut the scene before it is on screen."""
    _, browser = desk

    assert [None, 7] == [card_of(browser.ask(path(at)).data) for at in (3_960, 4_000)]


@pytest.fixture(name="decoders")
def _decoders(monkeypatch):
    """Return the decoders' processes, as they are started."""
    started = []

    class Noted(reader.Decoder):
        def __init__(self, ranges, *, command):
            super().__init__(ranges, command=command)
            started.append(self._process)

    monkeypatch.setattr(reader, "Decoder", Noted)
    return started


def ask_and_forget(browser):
    """Ask for a frame in a thread, whatever becomes of it."""

    def ask():
        with suppress(OSError):
            browser.ask(path(5_000))

    threading.Thread(target=ask).start()


def test_after_the_end(account):
    """Who still waits for a frame when the desk is closed is told so."""

    async def waits():
        return False

    async def ask():
        closing = frames.Frames(account.s3, account.clock)
        closing.close()
        await closing.get(Analysed(video("a.mp4"), ObjectFacts("e1", 3, None)), 0, gone=waits)

    with pytest.raises(RefusedError, match="The desk is being closed") as refused:
        anyio.run(ask)

    assert 503 == refused.value.status


def test_the_end(account, entered, put_film, decoders, monkeypatch):
    """A decoder that computes for long is killed when the desk is closed, and does not keep it."""
    add_scan(account, "a.mp4")
    add_flagged(account, "a.mp4", facts=put_film("a.mp4"))
    monkeypatch.setattr(reader, "_COMMAND", (sys.executable, "-c", "import time; time.sleep(600)"))

    with entered() as (served, browser):
        ask_and_forget(browser)
        served.until(lambda: decoders)
        running = decoders[0].poll()

    assert (None, -signal.SIGKILL) == (running, decoders[0].poll())


def test_the_end_while_s3_is_read(account, desk, decoders):
    """A decoder whose bytes are on their way is killed, too, and none is started after the end."""
    served, browser = desk
    asked, sent = threading.Event(), threading.Event()
    account.wire.answer("GetObject", lambda _: asked.set() or (sent.wait(20) and None))

    ask_and_forget(browser)
    ask_and_forget(browser)
    assert asked.wait(20)
    served.server.stop()
    served.until(lambda: decoders[0].poll() is not None)
    sent.set()
    served.until(lambda: served.server._socket.fileno() == -1)

    assert [-signal.SIGKILL] == [process.poll() for process in decoders]

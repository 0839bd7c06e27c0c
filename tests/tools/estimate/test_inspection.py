"""Reading many headers at a time, and the options that say how many."""

import threading

import click
import pytest
from click.testing import CliRunner

from handlers.domain.mp4 import Header
from tools.lib.estimate.inspection import read_headers
from tools.lib.estimate.options import estimate_options
from tools.lib.listing import ListedObject


class Bar:
    """Notes what is shown."""

    def __init__(self):
        self.shown = []

    def show(self, text, done, total):
        """Note it."""
        self.shown.append((text, done, total))


class Reader:
    """Reads headers out of nothing; the first of them last."""

    def __init__(self):
        self.asked = 0
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        self._others = threading.Event()

    def read(self, _bucket, found):
        """Return a header as long as the key says."""
        with self._lock:
            self.asked += 1
            self._now += 1
            self.most = max(self.most, self._now)
        if found.key == "0":
            assert self._others.wait(20)
        self._others.set()
        with self._lock:
            self._now -= 1
        return Header(float(found.key), "h264", 1, 1)


def test_in_order():
    """Headers come in the order of the objects, though read side by side, and progress is shown to the end."""
    objects, bar, reader = [ListedObject(str(number), 1) for number in range(200)], Bar(), Reader()

    read = list(read_headers(reader, "bucket", objects, bar=bar, total=200, workers=4))

    assert [(found, float(found.key)) for found in objects] == [(found, header.seconds) for found, header in read]
    assert 2 <= reader.most <= 4
    assert [("Reading the headers of videos", done, 200) for done in range(1, 201)] == bar.shown


def test_page_by_page():
    """Where headers are read for one page of objects after another, the count goes on."""
    bar, reader = Bar(), Reader()

    for before in (0, 2):
        list(read_headers(reader, "bucket", [ListedObject(str(number), 1) for number in (1, 2)], bar=bar, before=before))

    assert [1, 2, 3, 4] == [done for _, done, _ in bar.shown]


def test_bounded():
    """Whoever takes a few of endlessly many has not had many more read."""
    reader, endless = Reader(), (ListedObject(str(number), 1) for number in range(1, 10**9))
    reading = read_headers(reader, "bucket", endless, bar=Bar(), workers=2)

    first = [next(reading)[0].key for _ in range(5)]
    reading.close()

    assert ["1", "2", "3", "4", "5"] == first
    assert reader.asked <= 5 + 2 * 4


@click.command()
@estimate_options
def command(measure, max_cost, prices_file):
    """Say what was understood."""
    click.echo(f"{measure} {measure.all} {measure.sample} {max_cost} {prices_file}")


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ([], "1000 False 1000 None None"),
        (["--measure", "all"], "all True 0 None None"),
        (["--measure", "none", "--max-cost", "$1,500.50"], "none False 0 1500.50 None"),
        (["--measure", "25", "--max-cost", "0", "--prices", "p.json"], "25 False 25 0 p.json"),
    ],
)
def test_options(arguments, shown, tmp_path, monkeypatch):
    """How many headers are read is a number, all or none; amounts may be written as people do."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.json").touch()

    result = CliRunner().invoke(command, arguments)

    assert (0, shown) == (result.exit_code, result.output.strip())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--measure", "some"],
        ["--measure", "0"],
        ["--measure", "-5"],
        ["--max-cost", "much"],
        ["--max-cost", "-1"],
        ["--max-cost", "nan"],
    ],
)
def test_bad_options(arguments):
    """Anything else is bad usage."""
    result = CliRunner().invoke(command, arguments)

    assert 2 == result.exit_code
    assert arguments[1] in result.output

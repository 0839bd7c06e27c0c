"""Exports of a review as CSV and JSON Lines."""

import csv
import io
import json
import os
import tracemalloc
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.identity import Video
from handlers.domain.record import LabelSummary, ObjectFacts, Record, Segment
from handlers.domain.states import State
from tools.lib.cli import Terminal
from tools.lib.review import export as exports
from tools.lib.review.cures import cure_of
from tools.lib.review.export import Form, Rows
from tools.lib.review.join import ObjectResult, ObjectStatus

SCAN = "01JDABCDEFGHJKMNPQRSTVWXYZ"
TERMINAL = Terminal(as_json=False, out=io.StringIO(), err=io.StringIO(), interactive=False)
HOSTILE = st.one_of(
    st.sampled_from(
        [
            '=HYPERLINK("http://example.com","x")',
            "+1",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "'=1",
            "''",
            "\N{FULLWIDTH EQUALS SIGN}1",
            'a";=1',
            "a,\r\nb",
            "<script>alert(1)</script>",
            "\u202egnp.exe",
            "\0",
            "\u2028",
            "é" * 512,
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"])),
)
LABEL = LabelSummary("Drinking", "Alcohol", 2, 91.5, 2_500, 4_000)
SEGMENT = Segment("Drinking", "Alcohol", 2, 4_000, 6_500, 91.5, 5)
FLAGGED = Record(
    Video("bucket", "a.mp4"),
    SCAN,
    State.FLAGGED,
    facts=ObjectFacts("etag", 7, None),
    finished_at=1_760_000_000.25,
    duration_ms=60_500,
    labels=(LABEL, LabelSummary("Alcohol", "", 1, 97.25, 2_500, 4_000)),
)


@dataclass
class Decided:
    """What DECIDE's decisions look like from here."""

    judgement: str = "false-alarm"
    note: str = "apple juice"
    decided_by: str = "reviewer@example.com"
    decided_at: float = 1_760_000_001.0


class Interrupting:
    """A status at which somebody presses Ctrl-C."""

    @property
    def video(self):
        """Interrupt."""
        raise KeyboardInterrupt


def flagged(**fields):
    """Make the status of a flagged video."""
    return ObjectResult(FLAGGED.video, ObjectStatus.FLAGGED, FLAGGED, **fields)


def failed(key, message="no"):
    """Make the status of an object that failed without a record."""
    return ObjectResult(Video("bucket", key), ObjectStatus.FAILED, None, "missing", message)


def written(folder, form, rows, *added):
    """Write an export and return its text, line ends as they are."""
    path = folder / "export"
    with exports.writer(path, form, rows, TERMINAL) as export:
        for each in added:
            export.add(*each)
    return path.read_bytes().decode()


def cells(text):
    """Read CSV as a program does."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_video_as_json(tmp_path):
    """A video is one line with everything that is known: seconds, percent, ISO 8601; what is not known is null."""
    text = written(tmp_path, Form.JSONL, Rows.VIDEOS, (flagged(decision=Decided()),))

    row = json.loads(text)
    assert list(exports.COLUMNS[Rows.VIDEOS]) == list(row)
    assert ("bucket", "a.mp4", None, "flagged", False) == (
        row["bucket"],
        row["key"],
        row["version_id"],
        row["state"],
        row["repeated"],
    )
    assert (60.5, 97.25, "etag", 7) == (row["duration_seconds"], row["confidence"], row["etag"], row["size"])
    assert ["Alcohol", "Drinking"] == [label["name"] for label in row["labels"]]
    assert ("2025-10-09T08:53:20.250+00:00", None) == (row["finished_at"], row["started_at"])
    assert ("false-alarm", "apple juice", "reviewer@example.com", "2025-10-09T08:53:21.000+00:00") == (
        row["decision"],
        row["note"],
        row["decided_by"],
        row["decided_at"],
    )


def test_video_as_csv(tmp_path):
    """A video is one row under a header: texts in quotes, numbers bare, line ends CRLF."""
    text = written(tmp_path, Form.CSV, Rows.VIDEOS, (flagged(),), (flagged(again=True),))

    first, again = cells(text)
    assert ("Alcohol; Drinking", "97.25", "false") == (first["labels"], first["confidence"], first["repeated"])
    assert "true" == again["repeated"]
    assert text.startswith('"bucket","key",')
    assert 3 == text.count("\r\n") == text.count("\n")


@pytest.mark.parametrize("rows", Rows)
def test_csv_without_rows(tmp_path, rows):
    """An export of nothing is a header alone."""
    text = written(tmp_path, Form.CSV, rows)

    assert [list(exports.COLUMNS[rows])] == list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("form", Form)
def test_cure(tmp_path, form):
    """Whoever gets the export sees what to do about a file, where something helps."""
    text = written(tmp_path, form, Rows.VIDEOS, (failed("gone.mp4"),), (flagged(),))

    rows = cells(text) if form is Form.CSV else [json.loads(line) for line in text.splitlines()]
    assert [cure_of("missing"), ""] == [row["cure"] or "" for row in rows]


@pytest.mark.parametrize("form", Form)
def test_segments(tmp_path, form):
    """A segment is one row; a video without any and a repeated row of the manifest have none."""
    text = written(tmp_path, form, Rows.SEGMENTS, (flagged(), [SEGMENT, SEGMENT]), (flagged(again=True), [SEGMENT]), (failed("b"),))

    found = cells(text) if form is Form.CSV else [json.loads(line) for line in text.splitlines()]
    assert 2 == len(found)
    assert ("a.mp4", "Drinking", 4.0, 6.5, 91.5, 5) == (
        found[0]["key"],
        found[0]["label"],
        float(found[0]["start_seconds"]),
        float(found[0]["end_seconds"]),
        float(found[0]["confidence"]),
        int(found[0]["hits"]),
    )


def original(cell):
    """Return the text that `guarded` made a cell of: without the apostrophe it begins with, if it does."""
    return cell.removeprefix("'")


@given(key=HOSTILE, message=HOSTILE)
def test_hostile_csv(tmp_path_factory, key, message):
    """No cell begins like a formula, and each gives back what it was made of, in one row."""
    text = written(tmp_path_factory.getbasetemp(), Form.CSV, Rows.VIDEOS, (failed(key, message),))

    [row] = cells(text)
    assert (key, message) == (original(row["key"]), original(row["message"]))
    assert not any(cell.startswith(exports.FORMULA_STARTS) for cell in row.values())


@given(key=HOSTILE, message=HOSTILE)
def test_hostile_json_lines(tmp_path_factory, key, message):
    """A row is one line of ASCII, whatever it holds, and gives back what it was made of."""
    text = written(tmp_path_factory.getbasetemp(), Form.JSONL, Rows.VIDEOS, (failed(key, message),))

    assert text.isascii()
    assert 1 == len(text.splitlines())
    row = json.loads(text)
    assert (key, message) == (row["key"], row["message"])


@given(HOSTILE)
def test_guard_can_be_taken_off(text):
    """A guarded text begins like no formula and gives itself back."""
    assert text == original(exports.guarded(text))
    assert not exports.guarded(text).startswith(exports.FORMULA_STARTS)


@pytest.mark.parametrize("form", Form)
def test_unpaired_surrogate(tmp_path, form):
    """A message with half a character, which JSON can hold and UTF-8 cannot, is written and not a crash."""
    text = written(tmp_path, form, Rows.VIDEOS, (failed("a", "half \ud83d"),))

    assert "half \\ud83d" in text


@pytest.mark.parametrize("form", Form)
def test_half_a_file_is_none(tmp_path, form):
    """What goes wrong half-way leaves the file that stood there, and nothing beside it."""
    path = tmp_path / "export"
    path.write_text("before")

    with pytest.raises(KeyboardInterrupt):
        written(tmp_path, form, Rows.VIDEOS, (failed("a"),), (Interrupting(),))

    assert "before" == path.read_text()
    assert [path] == list(tmp_path.iterdir())


def test_nothing_under_the_name_before_the_end(tmp_path):
    """The name appears when the file is whole."""
    path = tmp_path / "export"

    with exports.writer(path, Form.CSV, Rows.VIDEOS, TERMINAL):
        before = path.exists()

    assert (False, True) == (before, path.exists())


def test_link_stays_a_link(tmp_path):
    """An export to a link replaces what it points to."""
    (tmp_path / "link").symlink_to(tmp_path / "target")

    with exports.writer(tmp_path / "link", Form.CSV, Rows.VIDEOS, TERMINAL):
        pass

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").is_file()


def test_pipe_is_written_to(tmp_path):
    """A pipe is not a file to be replaced: `--csv /dev/stdout` and process substitution work."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    with exports.writer(pipe, Form.JSONL, Rows.VIDEOS, TERMINAL) as export:
        export.add(failed("a"))
    received = os.read(end, 4096)
    os.close(end)

    assert "a" == json.loads(received)["key"]


def test_folder_is_refused_at_once(tmp_path):
    """A folder is said to be one before anything is written."""
    with pytest.raises(IsADirectoryError, match=tmp_path.name), exports.writer(tmp_path, Form.CSV, Rows.VIDEOS, TERMINAL):
        pytest.fail("the block must not run")


@pytest.mark.slow
@pytest.mark.parametrize("form", Form)
def test_memory_does_not_grow(tmp_path, form):
    """Five thousand rows, some 2 MB of them, take less than 300 KB of memory."""
    tracemalloc.start()
    try:
        with exports.writer(tmp_path / "export", form, Rows.VIDEOS, TERMINAL) as export:
            for _ in range(5_000):
                export.add(flagged())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert 5_000 + (form is Form.CSV) == len((tmp_path / "export").read_text().splitlines())
    assert peak < 300_000


def test_several_files_at_once(tmp_path):
    """CSV and JSON Lines of one review are written side by side."""
    paths = [(Form.CSV, tmp_path / "a.csv"), (Form.JSONL, tmp_path / "a.jsonl")]

    with exports.writers(paths, Rows.VIDEOS, TERMINAL) as files:
        for export in files:
            export.add(failed("a"))

    assert [2, 1] == [len(path.read_text().splitlines()) for _, path in paths]

"""The files that a review writes: to stdout with `-`, refused before anything is read where they cannot be written."""

import csv
import io
import json
import os
import threading

import pytest

from handlers.domain.states import State
from tests.tools.review_doubles import add_record, add_report, add_scan, review

ACCEPTED = '{"state":"WAITING"}'
KEY = "línea,\r\n😀.mp4"


@pytest.fixture(name="scanned")
def _scanned(account):
    """An account with a scan of one clean video."""
    add_scan(account, KEY)
    add_report(account, [(KEY, True, ACCEPTED)])
    add_record(account, KEY, State.CLEAN)
    return account


def test_csv_to_stdout(scanned, tmp_path, monkeypatch):
    """$ export --csv -: the rows and nothing else are on stdout, in UTF-8 with line ends as they are; no file is called "-"."""
    monkeypatch.chdir(tmp_path)

    done = review(scanned, "export", "--csv", "-")

    (row,) = csv.DictReader(io.StringIO(done.stdout_bytes.decode("utf-8"), newline=""))
    assert (0, KEY, "clean") == (done.exit_code, row["key"], row["state"])
    assert "every object is accounted for" in done.stderr
    assert [] == list(tmp_path.glob("-"))


def test_jsonl_to_stdout(scanned):
    """$ export --jsonl - --csv FILE: one of them may be stdout."""
    done = review(scanned, "export", "--jsonl", "-", "--rows", "videos")

    assert (0, KEY) == (done.exit_code, json.loads(done.stdout)["key"])


def test_page_to_stdout(scanned):
    """$ page -: the page is on stdout."""
    done = review(scanned, "page", "-")

    assert (0, "<!doctype html>") == (done.exit_code, done.stdout[:15].lower())
    assert done.stdout.rstrip().endswith("</html>")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "--csv", "-", "--jsonl", "-"], "Only one file can be -"),
        (["export", "--csv", "-", "--json"], "--json writes the result to stdout"),
        (["page", "-", "--json"], "--json writes the result to stdout"),
    ],
)
def test_stdout_twice(account, arguments, message):
    """Two things on stdout would be neither: refused, before AWS is asked."""
    done = review(account, *arguments)

    assert (2, "") == (done.exit_code, done.stdout)
    assert message in done.stderr
    assert [] == account.wire.calls


@pytest.mark.parametrize("arguments", [["page"], ["export", "--csv"], ["export", "--jsonl"]])
def test_missing_folder(account, tmp_path, arguments):
    """A folder that is not there is wrong usage, found before AWS is asked; the message names the folder."""
    done = review(account, *arguments, str(tmp_path / "none" / "file"))

    assert 2 == done.exit_code
    assert str(tmp_path / "none") in done.stderr
    assert [] == account.wire.calls


@pytest.mark.parametrize("arguments", [["page"], ["export", "--csv"]])
def test_file_that_cannot_be_written(account, tmp_path, arguments):
    """A file that cannot be made is refused before AWS is asked, and not after the review was read."""
    name = "x" * 300

    done = review(account, *arguments, str(tmp_path / name))

    assert 1 == done.exit_code
    assert "File name too long" in done.stderr
    assert [] == account.wire.calls


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [["page"], ["export", "--csv"], ["export", "--jsonl"], ["export", "--rows", "segments", "--csv"]]
)
def test_nothing_of_a_review_that_fails(account, arguments):
    """$ export --csv - | program: where there is no such scan, the program gets nothing, not even a header."""
    done = review(account, *arguments, "-")

    assert (1, b"") == (done.exit_code, done.stdout_bytes)
    assert "There is no scan yet" in done.stderr


@pytest.mark.parametrize("arguments", [["page"], ["export", "--csv"]])
def test_old_file_stays(account, tmp_path, arguments):
    """Where a review fails, the file of an earlier one is as it was, and nothing is beside it."""
    path = tmp_path / "old"
    path.write_text("old")

    done = review(account, *arguments, str(path))

    assert 1 == done.exit_code
    assert "There is no scan yet" in done.stderr
    assert ("old", [path]) == (path.read_text(), list(tmp_path.iterdir()))


def test_pipe_by_its_descriptor(scanned):
    """$ export --csv /dev/fd/N, as a shell writes >(gzip): a pipe is written to, whatever the name leads to."""
    end, start = os.pipe()
    received = []

    def read():
        with os.fdopen(end, "rb") as pipe:
            received.append(pipe.read())

    reader = threading.Thread(target=read)
    reader.start()

    done = review(scanned, "export", "--csv", f"/dev/fd/{start}")
    os.close(start)
    reader.join(10)

    assert 0 == done.exit_code, done.stderr
    assert KEY.encode() in received[0]

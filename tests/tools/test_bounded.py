"""Reads of what others wrote: each ends at a limit, with a sentence that names the file, the limit and the cure."""

import csv
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.review_doubles import review
from tests.tools.test_submit_job import BUCKET
from tools.lib.aws import fetch
from tools.lib.bounded import MAX_DOCUMENT, MAX_SETTINGS, csv_rows, read_file
from tools.lib.errors import ToolError

ENDLESS = "/dev/zero"
FIELDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


def run(account, *arguments):
    """Run `submit_job.py` or `review_report.py`, whichever the arguments begin with."""
    program, *rest = arguments
    return account.submit(*rest) if program == "submit" else review(account, *rest)


READERS = [
    (("submit", "--bucket", BUCKET, "--dry-run", "--prices"), MAX_SETTINGS, "a file of prices"),
    (("submit", "--run-plan"), MAX_DOCUMENT, "a plan of submit_job.py"),
    (("submit", "--inventory"), MAX_DOCUMENT, "the manifest.json of an S3 Inventory"),
    (("review", "policy"), MAX_SETTINGS, "a policy"),
    (("review", "apply"), MAX_DOCUMENT, "decisions that the page of a review exported"),
]


@pytest.fixture(name="ready")
def _ready(account):
    """An account with a scan, so that nothing but the file is wrong."""
    account.put("a.mp4")
    account.submit("--bucket", BUCKET, "--yes")
    return account


@pytest.mark.parametrize(("arguments", "most", "what"), READERS)
def test_a_file_without_end(ready, arguments, most, what):
    """A device that never ends, or the wrong file, is refused after as much as the right one could have."""
    tracemalloc.start()

    refused = run(ready, *arguments, ENDLESS)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 1 == refused.exit_code
    assert f"{ENDLESS} has more than {most:,} bytes, which is too much for {what}." in refused.stderr
    assert f"Pass {what}." in refused.stderr
    assert peak < 2 * most + 20_000_000


@pytest.mark.parametrize(("arguments", "_most", "_what"), READERS)
def test_a_file_of_brackets(ready, tmp_path, arguments, _most, _what):
    """JSON that is nested beyond what Python reads is a fault of the file, not of the program."""
    path = tmp_path / "deep.json"
    path.write_text("[" * 200_000)

    refused = run(ready, *arguments, str(path))

    assert 1 == refused.exit_code
    assert str(path) in refused.stderr
    assert "unexpected" not in refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "_most", "_what"), READERS)
def test_a_file_of_other_bytes(ready, tmp_path, arguments, _most, _what):
    """What is not text is not written to the terminal by the message that says so."""
    path = tmp_path / "video.mp4"
    path.write_bytes(b"\xff\xfe{" + b"\xd8" * 50_000)

    refused = run(ready, *arguments, str(path))

    assert (1, True) == (refused.exit_code, str(path) in refused.stderr)
    assert len(refused.stderr) < 1_000
    assert "unexpected" not in refused.stderr


@pytest.mark.parametrize("size", [0, 5, 6, 100])
def test_an_object_is_fetched_up_to_a_limit(account, size):
    """Of an object that is too large no more is fetched than shows that it is."""
    account.s3.put_object(Bucket=BUCKET, Key="object", Body=b"x" * size)
    target = io.BytesIO()

    assert fetch(account.clients.s3, BUCKET, "object", target, 5)
    assert min(size, 6) == len(target.getvalue())
    assert not fetch(account.clients.s3, BUCKET, "none", target, 5)


@pytest.mark.parametrize(
    "content",
    ["x" * 200, ",".join("x" * 101), '"' + "a\n" * 100 + '"', "a\n" + ",".join(['"\n"'] * 60)],
    ids=["field", "fields", "lines in quotes", "fields of lines"],
)
def test_a_row_without_end(content):
    """A row is too long whatever makes it so: one field, many of them, or many short lines within quotes."""
    with pytest.raises(csv.Error, match="a row of 100 characters or more"):
        list(csv_rows(io.StringIO(content, newline=""), 100))


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), min_size=2, max_size=4)
    )
)
def test_rows_as_they_are(rows):
    """Rows within the limit are those of csv, however many there are, and wherever the blocks that are read end."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    longest = max((len(written(row)) for row in rows), default=0)

    for most in range(longest + 1, longest + 4):
        text.seek(0)
        assert rows == list(csv_rows(text, most))


def test_where_it_is_no_longer_text():
    """What is not UTF-8 is found with most of the rows before it read, so that their number shows where to look."""
    content = io.TextIOWrapper(io.BytesIO(b"bucket,key.mp4\n" * 20_000 + b"\xff\n"), encoding="utf-8", newline="")
    rows = []

    with pytest.raises(UnicodeDecodeError):
        rows.extend(csv_rows(content))

    assert 15_000 < len(rows) <= 20_000


def written(row):
    """Return a row as CSV."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow(row)
    return text.getvalue()


def test_a_limit_has_a_name(tmp_path):
    """The name of a file cannot control a terminal."""
    path = tmp_path / "a\x1b[2J.json"
    path.write_bytes(b"x" * 11)

    with pytest.raises(ToolError, match=r"a\\x1b\[2J\.json has more than 10 bytes"):
        read_file(path, "a plan", 10)

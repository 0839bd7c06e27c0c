"""Files that a command line names and that are not there: wrong usage, in every program and option."""

import pytest
from click.testing import CliRunner

from tools import rehearse, review_report, submit_job
from tools.lib.cli import ProgramContext

BUCKET = ("--bucket", "amzn-s3-demo-bucket")


def connect(*_):
    """Fail the test: AWS must not be asked."""
    pytest.fail("AWS was asked")


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (submit_job.main, (*BUCKET, "--prices")),
        (submit_job.main, (*BUCKET, "--keys-from")),
        (submit_job.main, ("--manifest",)),
        (submit_job.main, ("--inventory",)),
        (submit_job.main, ("--run-plan",)),
        (review_report.main, ("apply",)),
        (review_report.main, ("policy",)),
        (rehearse.main, ()),
    ],
)
@pytest.mark.parametrize("name", ["none.json", "a/none.json"])
def test_missing(tmp_path, main, words, name):
    """A missing file ends with 2, and its name is in the message."""
    done = CliRunner().invoke(main, [*words, str(tmp_path / name)], obj=ProgramContext(connect=connect, interactive=False))

    assert 2 == done.exit_code
    assert name in done.stderr
    assert "does not exist" in done.stderr


@pytest.mark.parametrize(
    "words", [(*BUCKET, "--prices"), (*BUCKET, "--keys-from"), ("--manifest",), ("--inventory",), ("--run-plan",)]
)
def test_folder(tmp_path, words):
    """So does a folder where a file is meant."""
    done = CliRunner().invoke(submit_job.main, [*words, str(tmp_path)], obj=ProgramContext(connect=connect, interactive=False))

    assert 2 == done.exit_code
    assert "is a directory" in done.stderr


@pytest.mark.parametrize("words", [(*BUCKET, "--keys-from"), ("--manifest",), ("--inventory",)])
@pytest.mark.parametrize("uri", ["s3://", "s3://bucket", "s3://bucket/", "s3:///key", "s3://b/key", "s3://a bucket/key"])
def test_uri_of_no_object(words, uri):
    """So does a URI that names no object, before AWS is asked; the message says what one looks like."""
    done = CliRunner().invoke(submit_job.main, [*words, uri], obj=ProgramContext(connect=connect, interactive=False))

    assert 2 == done.exit_code
    assert "s3://bucket/key" in done.stderr

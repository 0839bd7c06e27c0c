"""How many objects of a scan that is over were not looked at."""

import csv
import hashlib
import io
import json

import pytest

from handlers.domain.identity import Video
from handlers.domain.record import BatchJob, Record, Scan, Totals
from handlers.domain.states import State
from tools.lib.review.skipped import not_looked_at

SCAN, JOB, BUCKET = "01K742SG00000G40R40M30E209", "job", "amzn-s3-demo-bucket"
SKIPPED, ACCEPTED = '{"state":"SKIPPED","reason":"not-a-video"}', '{"state":"WAITING"}'


class Files:
    """A work bucket with the report of one job, or without."""

    def __init__(self, *rows):
        text = io.StringIO()
        csv.writer(text).writerows((BUCKET, key, "", "succeeded", "200", "", message) for key, message in rows)
        body = text.getvalue().encode()
        results = [{"Key": "rows.csv", "MD5Checksum": hashlib.md5(body).hexdigest()}]
        manifest = json.dumps({"Results": results}).encode()
        self.files = {f"reports/{SCAN}/job-{JOB}/manifest.json": manifest, "rows.csv": body} if rows else {}
        self.fetched = []

    def fetch(self, key, target):
        """Write a file, and tell whether it is there."""
        self.fetched.append(key)
        target.write(self.files.get(key, b""))
        return key in self.files


class Table:
    """A table with records of these keys."""

    def __init__(self, *keys):
        self._records = {Video(BUCKET, key).id: Record(Video(BUCKET, key), SCAN, State.CLEAN) for key in keys}

    def records(self, keys):
        """Return the records there are."""
        return iter([self._records[video_id] for video_id, _ in keys if video_id in self._records])


def counted(files, *recorded, objects=3, final=1):
    """Return how many objects of a scan were not looked at."""
    scan = Scan(SCAN, BUCKET, objects=objects, jobs=(BatchJob(JOB, "Complete"),))
    return not_looked_at(scan, Totals({State.CLEAN: final}), files, Table(*recorded))


@pytest.mark.parametrize("objects", [3, None])
def test_skipped(objects):
    """What the report calls skipped counts, also where the number of objects is unknown; a row that is there twice does not."""
    assert 1 == counted(Files(("a", ACCEPTED), ("a", ACCEPTED), ("words", SKIPPED)), "a", objects=objects)


def test_found_to_be_a_video_later():
    """What a retry took up after all has a record, whose word counts."""
    assert 1 == counted(Files(("a", SKIPPED), ("words", SKIPPED)), "a")


def test_nothing_to_look_for():
    """Where every object has a record, no report is read: it may have millions of rows."""
    files = Files(("a", SKIPPED))

    assert (0, []) == (counted(files, objects=1), files.fetched)


def test_without_a_report():
    """Where there is no report, every object without a record counts: a review would say that it was never attempted."""
    assert (2, 0) == (counted(Files()), counted(Files(), objects=None))

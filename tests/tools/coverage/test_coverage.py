"""`control_scan.py coverage`: every object as it is now, whichever scan or upload has looked at it."""

import json
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from handlers.domain.engine import Engine
from handlers.domain.identity import Video
from handlers.domain.record import ObjectFacts, Problem, Record, Scan
from handlers.domain.states import ScanStatus, State
from tests.tools.conftest import BUCKET
from tests.tools.uploads import HOSTILE_KEYS, add_day, add_upload
from tools.control_scan import main
from tools.lib.cli import ProgramContext

SCAN, OLDER, OTHERS = "01K742SG00000G40R40M30E209", "01K742SG000000000000000001", "01K742SG000000000000000002"
NAMES = ("current", "in_progress", "failed", "cancelled", "changed", "never")


def cover(account, *arguments):
    """Run `control_scan.py coverage` of the bucket and return click's result."""
    context = ProgramContext(connect=lambda _profile, _region: account.clients, clock=account.clock, interactive=False)
    return CliRunner().invoke(main, ["coverage", BUCKET, *arguments], obj=context)


def counts(account, *arguments):
    """Return how many objects have which status, without those that none has."""
    printed = json.loads(cover(account, *arguments, "--json").stdout)
    return {name: each["objects"] for name, each in printed["statuses"].items() if each["objects"]}


def put(account, *keys):
    """Put objects of five bytes; return their ETags by key."""
    return {key: account.s3.put_object(Bucket=BUCKET, Key=key, Body=b"video")["ETag"].strip('"') for key in keys}


def add(account, key, state, *, etag="another", version=None, scan=SCAN, **fields):
    """Write the record of an object in a scan of a manifest."""
    facts = None if etag is None else ObjectFacts(etag, 3, version)
    problem = Problem("forbidden", "It may not be read.") if state is State.FAILED else None
    record = Record(Video(BUCKET, key, version), scan, state, facts=facts, problem=problem, queued_at=1.0, **fields)
    account.table.records.register(record, None)


@pytest.fixture(name="scanned")
def _scanned(account):
    """An account with two scans of the bucket, and one of another bucket."""
    now = account.clock.now()
    for number, (scan_id, bucket) in enumerate(((OLDER, BUCKET), (SCAN, BUCKET), (OTHERS, "amzn-s3-demo-bucket2"))):
        scan = Scan(scan_id, bucket, created_at=now - 100 + number, objects=1, status=ScanStatus.CLOSED)
        account.table.scans.put_scan(scan)
    return account


@pytest.mark.parametrize(
    ("code", "status", "sentence"),
    [("404", 404, f"There is no bucket named {BUCKET}."), ("403", 403, "You may not look into the bucket")],
)
def test_no_such_bucket(scanned, monkeypatch, code, status, sentence):
    """A bucket that is not there, or may not be looked into, is named with what to do about it."""
    error = ClientError({"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}, "HeadBucket")
    monkeypatch.setattr(scanned.clients.s3, "head_bucket", Mock(side_effect=error))

    result = cover(scanned)

    assert (1, "", True) == (result.exit_code, result.stdout, sentence in result.stderr)
    assert "--debug" not in result.stderr


class TestManifests:
    def test_states(self, scanned):
        """Each state of a record of the same content is counted as what it is; without a record an object was never looked at."""
        states = {f"{state.value.lower()}.mp4": state for state in State}
        etags = put(scanned, *states, "new.mp4")
        for key, state in states.items():
            add(scanned, key, state, etag=etags[key])

        assert {"current": 2, "in_progress": 2, "failed": 1, "cancelled": 1, "never": 1} == counts(scanned)

    def test_another_content(self, scanned):
        """A record of another content says that the object changed, unless it waits: it is analysed as it is then."""
        states = {f"{state.value.lower()}.mp4": state for state in State}
        put(scanned, *states)
        for key, state in states.items():
            add(scanned, key, state)

        assert {"in_progress": 1, "changed": 5} == counts(scanned)

    def test_without_an_etag(self, scanned):
        """What failed before it could be looked at failed; a verdict on an unknown content is not a verdict on this one."""
        put(scanned, "failed.mp4", "clean.mp4")
        add(scanned, "failed.mp4", State.FAILED, etag=None)
        add(scanned, "clean.mp4", State.CLEAN, etag=None)

        assert {"failed": 1, "changed": 1} == counts(scanned)

    @pytest.mark.parametrize(
        ("newer", "older", "status"),
        [
            (State.FAILED, State.CLEAN, "current"),
            (State.WAITING, State.FLAGGED, "current"),
            (State.CANCELLED, State.RUNNING, "in_progress"),
            (State.CANCELLED, State.FAILED, "failed"),
        ],
    )
    @pytest.mark.parametrize("turned", [False, True])
    def test_several_scans(self, scanned, newer, older, status, turned):
        """Of several records the one that says most counts, whichever scan is newer."""
        etags = put(scanned, "a.mp4")
        for state, scan in zip((newer, older), (OLDER, SCAN) if turned else (SCAN, OLDER), strict=True):
            add(scanned, "a.mp4", state, etag=etags["a.mp4"], scan=scan)

        assert {status: 1} == counts(scanned)

    def test_other_buckets(self, scanned):
        """A record in a scan of another bucket is not looked up."""
        etags = put(scanned, "a.mp4")
        add(scanned, "a.mp4", State.CLEAN, etag=etags["a.mp4"], scan=OTHERS)

        assert {"never": 1} == counts(scanned)

    def test_engines(self, scanned):
        """Verdicts are counted by what they were reached by; images have no interval."""
        etags = put(scanned, "a.mp4", "b.mp4", "c.jpg", "d.mp4")
        add(scanned, "a.mp4", State.CLEAN, etag=etags["a.mp4"])
        add(scanned, "b.mp4", State.FLAGGED, etag=etags["b.mp4"], engine=Engine.FRAMES, interval_ms=5_000)
        add(scanned, "c.jpg", State.CLEAN, etag=etags["c.jpg"], engine=Engine.FRAMES)
        add(scanned, "d.mp4", State.FAILED, etag=etags["d.mp4"], engine=Engine.FRAMES, interval_ms=5_000)

        printed = json.loads(cover(scanned, "--suffix", ".mp4", "--suffix", ".jpg", "--json").stdout)

        assert {engine: {"objects": 1, "bytes": 5} for engine in ("video", "frames", "image")} == printed["engines"]
        assert (4, 20, 0.75) == (printed["objects"], printed["bytes"], printed["share"])


class TestVersions:
    @pytest.fixture(autouse=True)
    def _versioned(self, scanned):
        scanned.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    def test_newest_version(self, scanned):
        """A verdict on the newest version is current, one on an older version is not."""
        first = scanned.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=b"old")["VersionId"]
        add(scanned, "a.mp4", State.CLEAN, version=first)
        scanned.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=b"new")
        second = scanned.s3.put_object(Bucket=BUCKET, Key="b.mp4", Body=b"new")["VersionId"]
        add(scanned, "b.mp4", State.CLEAN, version=second)

        assert {"current": 1, "never": 1} == counts(scanned)

    def test_scanned_without_versions(self, scanned):
        """A scan of a list of keys knew no version: its verdict holds as long as the ETag does."""
        etags = put(scanned, "a.mp4", "b.mp4")
        add(scanned, "a.mp4", State.CLEAN, etag=etags["a.mp4"])
        add(scanned, "b.mp4", State.CLEAN)

        assert {"current": 1, "changed": 1} == counts(scanned)

    def test_overwritten_null_version(self, scanned):
        """The version called null can be overwritten, so its ETag decides."""
        scanned.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
        etags = put(scanned, "a.mp4", "b.mp4")
        add(scanned, "a.mp4", State.CLEAN, version="null", etag=etags["a.mp4"])
        add(scanned, "b.mp4", State.CLEAN, version="null")

        assert {"current": 1, "changed": 1} == counts(scanned)

    def test_deleted(self, scanned):
        """A deleted object is not an object."""
        put(scanned, "a.mp4")
        scanned.s3.delete_object(Bucket=BUCKET, Key="a.mp4")

        assert {} == counts(scanned)

    def test_a_newer_version_than_the_upload(self, scanned):
        """An object whose newest known upload is another version has changed."""
        add_day(scanned)
        first = scanned.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=b"old")["VersionId"]
        add_upload(scanned, "a.mp4", State.CLEAN, version_id=first)
        assert {"current": 1} == counts(scanned)

        scanned.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=b"new")

        assert {"changed": 1} == counts(scanned)


class TestUploads:
    def test_states(self, account):
        """The newest upload of a key counts, by its ETag; one that is not a video was never looked at."""
        etags = put(account, "clean.mp4", "waits.mp4", "replaced.mp4", "new.mp4")
        add_day(account)
        add_upload(account, "clean.mp4", State.CLEAN, etag=etags["clean.mp4"])
        add_upload(account, "waits.mp4", State.WAITING, etag=etags["waits.mp4"])
        add_upload(account, "replaced.mp4", State.FLAGGED, etag="another")

        assert {"current": 1, "in_progress": 1, "changed": 1, "never": 1} == counts(account)

    def test_scan_of_all(self, scanned):
        """Where an upload failed, the verdict of a scan counts."""
        etags = put(scanned, "a.mp4")
        add_day(scanned)
        add_upload(scanned, "a.mp4", State.FAILED, etag=etags["a.mp4"], code="forbidden")
        add(scanned, "a.mp4", State.CLEAN, etag=etags["a.mp4"])

        assert {"current": 1} == counts(scanned)


class TestSelection:
    def test_prefixes_and_suffixes(self, scanned):
        """Only what is selected is counted; other suffixes are named, and those of videos apart."""
        put(scanned, "a/1.MP4", "a/2.mkv", "a/3.txt", "b/4.mp4")

        result = cover(scanned, "--prefix", "a/")

        assert 3 == result.exit_code
        assert "s3://amzn-s3-demo-bucket/a/: 1 object whose key ends with .mp4, .m4v, .mov, 5 bytes; 0 with a verdict (0.0 %)" in (
            result.stdout
        )
        assert "2 objects with other suffixes" in result.stdout
        assert "1 of them looks like a video (1 .mkv): pass --suffix to count them." in result.stdout
        assert {"never": 3} == counts(scanned, "--prefix", "a/", "--suffix", "")

    def test_all_have_a_verdict(self, scanned):
        """If every object has a verdict, the exit code is 0, and nothing is left to do."""
        etags = put(scanned, "a.mp4")
        add(scanned, "a.mp4", State.CLEAN, etag=etags["a.mp4"])

        result = cover(scanned)

        assert 0 == result.exit_code
        assert "1 with a verdict (100.0 %)" in result.stdout
        assert "Next" not in result.stdout

    def test_empty(self, scanned):
        """An empty bucket has no share, and every object of it has a verdict."""
        result = cover(scanned, "--json")

        assert (0, None, 0) == (result.exit_code, json.loads(result.stdout)["share"], json.loads(result.stdout)["objects"])

    @pytest.mark.slow
    def test_more_than_a_page(self, scanned):
        """Shares are rounded down: nearly all is not all; and nearly none is not none."""
        etags = put(scanned, *(f"{number:04}.mp4" for number in range(1_001)))
        for key in sorted(etags)[:1_000]:
            add(scanned, key, State.CLEAN, etag=etags[key])

        result = cover(scanned)

        assert "1,000 with a verdict (99.9 %)" in result.stdout
        assert "less than 0.1 %" in result.stdout

    def test_no_such_bucket(self, account):
        """A bucket that does not exist is an error with its cure."""
        account.s3.delete_bucket(Bucket=BUCKET)

        result = cover(account)

        assert 1 == result.exit_code
        assert "Cure:" in result.stderr


class TestKeys:
    def test_scanned_next(self, scanned, tmp_path):
        """The keys that changed or were never looked at are what `--keys-from` submits, whatever their characters."""
        keys = [key for key in HOSTILE_KEYS if key.endswith(".mp4")]
        etags = put(scanned, "seen.mp4", "failed.mp4", "changed.mp4", *keys)
        add(scanned, "seen.mp4", State.CLEAN, etag=etags["seen.mp4"])
        add(scanned, "failed.mp4", State.FAILED, etag=etags["failed.mp4"])
        add(scanned, "changed.mp4", State.CLEAN)
        path = tmp_path / "unseen.keys"

        result = cover(scanned, "--keys", str(path))
        planned = scanned.submit("--bucket", BUCKET, "--keys-from", str(path), "--dry-run")

        assert {"changed.mp4", *keys} == {each.decode() for each in path.read_bytes().split(b"\0")[:-1]}
        assert f"Wrote {len(keys) + 1} keys to {path}" in result.stdout
        assert 0 == planned.exit_code, planned.stderr
        [manifest] = scanned.manifests.glob("*.csv")
        assert len(keys) + 1 == len(manifest.read_text("utf-8").splitlines())

    def test_none(self, scanned, tmp_path):
        """If everything was looked at, the file is empty: an old one must not be taken for today's."""
        path = tmp_path / "unseen.keys"
        path.write_bytes(b"old.mp4\0")

        result = cover(scanned, "--keys", str(path))

        assert (0, b"") == (result.exit_code, path.read_bytes())

    def test_interrupted(self, scanned, tmp_path):
        """If the table cannot be read, the old file stays as it was."""
        put(scanned, "a.mp4")
        path = tmp_path / "unseen.keys"
        path.write_bytes(b"old.mp4\0")
        scanned.clients.dynamodb.delete_table(TableName="videos")

        result = cover(scanned, "--keys", str(path))

        assert (1, b"old.mp4\0") == (result.exit_code, path.read_bytes())
        assert [path] == list(tmp_path.iterdir())

    def test_standard_output(self, scanned):
        """Keys do not go to stdout, which has the result."""
        result = cover(scanned, "--keys", "-")

        assert 2 == result.exit_code
        assert "stdout has the result" in result.stderr


def test_nothing_is_written(scanned):
    """Measuring changes nothing in AWS."""
    put(scanned, "a.mp4")
    scanned.wire.calls.clear()

    cover(scanned)

    assert [] == scanned.wire.writes


def test_requests(scanned):
    """What has a verdict in the newest scan is not looked up in older ones."""
    etags = put(scanned, *(f"{number}.mp4" for number in range(9)))
    for key, etag in etags.items():
        add(scanned, key, State.CLEAN, etag=etag)
    scanned.wire.calls.clear()

    cover(scanned)

    assert 1 == len(scanned.wire.of("BatchGetItem"))

"""`control_scan.py republish`: which records are put into the outbox again, and what it says and refuses."""

import json
import re
import threading
from dataclasses import replace

import pytest
from click.testing import CliRunner

from handlers.domain.identity import Video
from handlers.domain.outbox import Due
from handlers.domain.record import ObjectFacts, Problem, Record, Scan
from handlers.domain.states import ScanStatus, State
from tests.tools.conftest import BUCKET
from tests.tools.uploads import HOSTILE_KEYS, add_day, add_upload
from tools.control_scan import main
from tools.lib import republish
from tools.lib.cli import ProgramContext

SCAN, LATER = "01K742SG00000G40R40M30E209", "01K742SG000000000000000002"
STACK = "Consequences"


def again(account, what, *arguments, stack=STACK):
    """Run `control_scan.py republish` and return click's result."""
    context = ProgramContext(connect=lambda _profile, _region: account.clients, clock=account.clock, interactive=False)
    return CliRunner().invoke(main, ["republish", what, "--stack", stack, *arguments], obj=context)


def add(account, key, state, *, scan=SCAN, version=None, code="forbidden", **fields):
    """Write the record of an object in a scan, and return it."""
    problem = Problem(code, "said so") if state is State.FAILED else None
    facts = ObjectFacts("abc", 3, version)
    record = Record(Video(BUCKET, key, version), scan, state, facts=facts, problem=problem, queued_at=1.0, **fields)
    account.table.records.register(record, None)
    return record


def put_again(account):
    """Return (video id, scan id) of all items of the outbox, in order."""
    return sorted((due.video_id, due.scan_id) for due in account.table.outbox.due())


def names(*records):
    """Return (video id, scan id) of records, in order."""
    return sorted((record.video.id, record.scan_id) for record in records)


@pytest.fixture(name="deployed")
def _deployed(account):
    """An account with a deployment whose verdicts have consequences, and an open scan."""
    account.deploy(STACK, **dict.fromkeys(("OutboxQueueUrl", "OutboxDeadLettersUrl"), "https://sqs.invalid/outbox"))
    for scan in (SCAN, LATER):
        account.table.scans.put_scan(Scan(scan, BUCKET, created_at=account.clock.now(), objects=1))
    return account


class TestScans:
    def test_all_final_records(self, deployed):
        """Of a scan that is what was judged or has failed; what is not final, cancelled, superseded or gone is left out."""
        chosen = [add(deployed, f"{state}.mp4", state) for state in (State.CLEAN, State.FLAGGED, State.FAILED)]
        for state in (State.WAITING, State.RUNNING, State.CANCELLED):
            add(deployed, f"{state}.mp4", state)
        add(deployed, "replaced.mp4", State.FLAGGED, superseded_at=2.0)
        add(deployed, "gone.mp4", State.FAILED, code="missing")
        add(deployed, "other.mp4", State.CLEAN, scan=LATER)

        result = again(deployed, SCAN)

        assert (0, names(*chosen)) == (result.exit_code, put_again(deployed))
        assert [
            f"3 records of scan {SCAN} put into the outbox; consequences follow within minutes.",
            "2 records without consequences left out: superseded, gone or not final.",
        ] == result.stdout.splitlines()

    @pytest.mark.parametrize(
        ("put", "time"),
        [
            (2_000, "minutes"),
            (2_001, "2 minutes, 2,000 a minute"),
            (180_001, "2 hours, 2,000 a minute"),
            (1_000_000, "9 hours, 2,000 a minute"),
        ],
    )
    def test_how_long_it_takes(self, put, time):
        """Of many records it is said how long their consequences take, at the pace of the sweeper."""
        [first, *_] = republish.Republished("scan X", {}, put, 0).sentences()

        assert f"{put:,} records of scan X put into the outbox; consequences follow within {time}." == first

    def test_closed(self, deployed):
        """That a scan is closed is told again, too."""
        deployed.table.scans.put_scan(Scan("01K742SG000000000000000003", BUCKET, status=ScanStatus.CLOSED, created_at=1.0))

        result = again(deployed, "01K742SG000000000000000003", "--json")

        assert {"put": 0, "closed": True}.items() <= json.loads(result.stdout).items()
        assert [("", "01K742SG000000000000000003")] == put_again(deployed)

    def test_batches(self, deployed, monkeypatch):
        """More records than a batch holds are put there once each."""
        monkeypatch.setattr(republish, "BATCH", 7)
        chosen = [add(deployed, f"{number}.mp4", (State.CLEAN, State.FLAGGED)[number % 2]) for number in range(60)]

        result = again(deployed, SCAN, "--json")

        assert 60 == json.loads(result.stdout)["put"]
        assert names(*chosen) == put_again(deployed)

    def test_judged_anew_meanwhile(self, deployed):
        """A video that becomes flagged between index and table is put there once, as what it is then."""
        record = add(deployed, "a.mp4", State.CLEAN)
        judged = replace(record, state=State.FLAGGED, policy_hash="p2", judged_at=5.0)
        is_judged = threading.Event()

        def judge(_):
            deployed.table.records.judge_again(record, judged)
            is_judged.set()

        def wait_for_it(given):
            """Read those that are flagged only then: else the video would be no longer clean, and not yet flagged."""
            assert "FLAGGED" not in str(given) or is_judged.wait(60)

        deployed.wire.answer("Query", wait_for_it)
        deployed.wire.answer("BatchGetItem", judge)

        result = again(deployed, SCAN, "--json")

        assert {"put": 1, "left_out": 0}.items() <= json.loads(result.stdout).items()
        assert names(record) == put_again(deployed)

    def test_what_was_put_off(self, deployed):
        """An item that AWS prevented, and that was to wait an hour, is due at once, by a new token."""
        record = add(deployed, "a.mp4", State.FLAGGED)
        again(deployed, SCAN)
        (before,) = deployed.table.outbox.due()
        deployed.table.outbox.postpone(before, at=deployed.clock.now() + 3_600, event_sent=True)

        again(deployed, SCAN)

        (due,) = deployed.table.outbox.due()
        assert (Due(record.video.id, SCAN, due.token, put_at=due.put_at), True) == (due, due.token != before.token)

    def test_unknown(self, deployed):
        """A scan that does not exist is refused."""
        result = again(deployed, "01K742SG000000000000000009")

        assert (1, []) == (result.exit_code, put_again(deployed))
        assert "There is no scan 01K742SG000000000000000009" in result.stderr


class TestObjects:
    @pytest.mark.parametrize("key", HOSTILE_KEYS)
    def test_all_of_an_object(self, deployed, key):
        """Of an object that is its records in all scans, of all its versions and known uploads, whatever its key holds."""
        deployed.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        version = deployed.s3.put_object(Bucket=BUCKET, Key=key, Body=b"video")["VersionId"]
        add_day(deployed)
        chosen = [
            add(deployed, key, State.CLEAN),
            add(deployed, key, State.FLAGGED, scan=LATER),
            add(deployed, key, State.FLAGGED, version=version),
            add_upload(deployed, key, State.CLEAN, etag="abc"),
        ]
        add(deployed, f"{key}2", State.FLAGGED)

        result = again(deployed, f"s3://{BUCKET}/{key}", "--json")

        assert (0, names(*chosen)) == (result.exit_code, put_again(deployed))
        printed = json.loads(result.stdout)
        assert (BUCKET, key, None, 4) == tuple(printed[name] for name in ("bucket", "key", "version_id", "put"))

    def test_one_version(self, deployed):
        """With a version it is that one alone."""
        chosen = add(deployed, "a.mp4", State.FLAGGED, version="v1")
        add(deployed, "a.mp4", State.FLAGGED, version="v2")
        add(deployed, "a.mp4", State.FLAGGED)

        again(deployed, f"s3://{BUCKET}/a.mp4?versionId=v1")

        assert names(chosen) == put_again(deployed)

    def test_nothing(self, deployed):
        """An object without any record that has consequences is refused, and where to look is said."""
        add(deployed, "a.mp4", State.WAITING)

        result = again(deployed, f"s3://{BUCKET}/a.mp4?versionId=v1")

        assert (1, []) == (result.exit_code, put_again(deployed))
        assert f"No record of s3://{BUCKET}/a.mp4?versionId=v1 has consequences." in result.stderr
        assert re.search(r"review_report\.py video .*versionId=v1", result.stderr)

    def test_versions_that_may_not_be_listed(self, deployed, errors):
        """Where versions may not be listed, what the table knows by the key alone is put there, with a warning."""
        chosen = add(deployed, "a.mp4", State.FLAGGED)
        deployed.wire.answer("ListObjectVersions", lambda _: errors.http("AccessDenied", 403))

        result = again(deployed, f"s3://{BUCKET}/a.mp4")

        assert (0, names(chosen)) == (result.exit_code, put_again(deployed))
        assert "Warning: The versions of this key could not be listed" in result.stdout


@pytest.mark.parametrize("what", [SCAN, f"s3://{BUCKET}/a.mp4"])
def test_without_consequences(deployed, what):
    """A deployment whose verdicts have no consequences refuses, and names the settings."""
    add(deployed, "a.mp4", State.FLAGGED)

    result = again(deployed, what, stack="VideoModeration")

    assert (1, []) == (result.exit_code, put_again(deployed))
    assert "publish_events, tag_objects or annotate_objects" in result.stderr


def test_no_object(deployed):
    """A URI without a key is wrong usage."""
    assert 2 == again(deployed, f"s3://{BUCKET}").exit_code

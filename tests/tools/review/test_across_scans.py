"""`review_report.py video` and `list`: one video over all scans, and all scans in a line each."""

import pytest

from handlers.domain.decision import Judgement
from handlers.domain.states import State
from tests.tools.review_doubles import (
    BUCKET,
    ETAG,
    HOSTILE,
    LATER_SCAN,
    SCAN,
    add_flagged,
    add_record,
    add_scan,
    decision,
    output_of,
    review,
)

NOW = 1_760_000_000.0


def decide(account, key, version_id=None):
    """Write a decision about a video."""
    made = decision(key, version_id, judgement=Judgement.FALSE_ALARM, note="a toy", decided_at=NOW - 60)
    account.table.decisions.note_decisions([made])


def test_history(account):
    """All records of a video are in order of their scans, the newest first, with what was decided."""
    add_scan(account, HOSTILE)
    add_scan(account, HOSTILE, scan_id=LATER_SCAN, created_at=NOW)
    add_flagged(account, HOSTILE)
    add_record(account, HOSTILE, State.FAILED, scan_id=LATER_SCAN, code="forbidden", attempt=2)
    decide(account, HOSTILE)

    result = review(account, "video", f"s3://{BUCKET}/{HOSTILE}", "--json")

    [chapter] = output_of(result)["versions"]
    output = [(record["scan"], record["state"], record["attempt"], record["reason"]) for record in chapter["records"]]
    assert [(LATER_SCAN, "failed", 2, "forbidden"), (SCAN, "flagged", 0, None)] == output
    assert [("false-alarm", "Ada", ETAG)] == [(each["decision"], each["by"], each["etag"]) for each in chapter["decisions"]]


def test_history_for_a_person(account):
    """The history is told in lines, and a key steers no terminal."""
    add_scan(account, HOSTILE)
    add_flagged(account, HOSTILE)
    decide(account, HOSTILE)

    lines = review(account, "video", f"s3://{BUCKET}/{HOSTILE}").stdout.splitlines()

    assert [
        "  without a version",
        f"    scan {SCAN}  2025-10-09 08:53 UTC  flagged",
        "      Weapons 99.5 %",
        f"    false-alarm by Ada, 2025-10-09 08:52 UTC: a toy (etag {ETAG}, scan {SCAN})",
    ] == lines[1:]
    assert lines[0].isprintable()


@pytest.mark.slow
def test_versions_are_shown_one_by_one(account):
    """Without a version all those that the bucket has are told, with one only that; keys that only begin so are not."""
    account.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    versions = [account.s3.put_object(Bucket=BUCKET, Key="a", Body=b"x")["VersionId"] for _ in range(2)]
    other = account.s3.put_object(Bucket=BUCKET, Key="a2", Body=b"x")["VersionId"]
    add_scan(account, "a")
    for version in versions:
        add_record(account, "a", State.CLEAN, version_id=version)
    add_record(account, "a", State.CLEAN, version_id=other)

    output = output_of(review(account, "video", f"s3://{BUCKET}/a", "--json"))
    one = output_of(review(account, "video", f"s3://{BUCKET}/a?versionId={versions[0]}", "--json"))

    assert set(versions) == {chapter["version_id"] for chapter in output["versions"]}
    assert [versions[0]] == [chapter["version_id"] for chapter in one["versions"]]


def test_versions_that_may_not_be_listed(account, errors):
    """Where S3 refuses the list the history is told all the same, with a warning."""
    add_scan(account, "a")
    add_record(account, "a", State.CLEAN)
    account.wire.answer("ListObjectVersions", lambda _: errors.http("AccessDenied", 403))

    output = output_of(review(account, "video", f"s3://{BUCKET}/a", "--json"))

    assert (1, 1) == (len(output["versions"]), len(output["warnings"]))


def test_an_unknown_video(account):
    """That there are no records is not an error."""
    result = review(account, "video", f"s3://{BUCKET}/a")

    assert (0, "no scan has a record of it") == (result.exit_code, result.stdout.splitlines()[1].strip().partition(" (")[0])


def test_scans_in_a_line_each(account):
    """The scans since a time are listed, the newest first, counted by their totals: no record is read."""
    add_scan(account, "a", "b", scan_id=SCAN, created_at=NOW - 8 * 86_400)
    add_scan(account, "a", "b", scan_id=LATER_SCAN, created_at=NOW - 86_400)
    add_record(account, "a", State.FAILED, scan_id=LATER_SCAN, code="empty")
    add_flagged(account, "b", scan_id=LATER_SCAN, duration_ms=5_400_000)
    account.wire.calls.clear()

    week, fortnight = (review(account, "list", "--since", since) for since in ("7d", "2w"))

    counts = "2 of 2 done, 1 flagged, 1 ineligible, 0 running, the scan is closed"
    line = f"{LATER_SCAN}  2025-10-08 08:53 UTC  {BUCKET}  {counts}\n"
    assert (0, line) == (week.exit_code, week.stdout)
    assert [LATER_SCAN, SCAN] == [line.split()[0] for line in fortnight.stdout.splitlines()]
    assert [] == account.wire.of("BatchGetItem")


def test_scans_are_listed_however_old_they_are_unless_a_time_is_named(account):
    """Without --since the list goes back to the first scan, while there are few."""
    add_scan(account, "a", scan_id=SCAN, created_at=1.0)
    add_scan(account, "a", scan_id=LATER_SCAN, created_at=NOW)

    listed = output_of(review(account, "list", "--json"))

    assert (None, [LATER_SCAN, SCAN]) == (listed["since"], [scan["scan"] for scan in listed["scans"]])


def test_keys_of_a_listed_scan(account):
    """The JSON of a listed scan keeps its keys: programs read them."""
    add_scan(account, "a", created_at=NOW - 60)

    listed = output_of(review(account, "list", "--since", "7d", "--json"))

    assert ["since", "since_time", "scans", "more"] == list(listed)
    assert {
        "bucket",
        "closed_at",
        "closed_time",
        "created_at",
        "created_time",
        "day",
        "jobs",
        "lane",
        "mails_sent",
        "objects",
        "scan",
        "scan_id",
        "seconds",
        "status",
        "videos",
    } == set(listed["scans"][0])


def test_no_scan_since(account):
    """An empty list is said, and is not an error."""
    assert "No scan since 2025-11-01 00:00 UTC.\n" == review(account, "list", "--since", "2025-11-01").stdout

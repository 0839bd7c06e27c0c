"""`review_report.py` on the scan of a day's uploads: its rows are its records, and what was superseded has no consequences."""

import csv
import json
from dataclasses import replace

import pytest

from handlers.domain import watch
from handlers.domain.record import LabelSummary, Segment, StartParameters
from handlers.domain.states import ScanStatus, State
from tests.tools.review_doubles import BUCKET, HOSTILE, SCAN, add_flagged, add_scan, output_of, review, video
from tests.tools.uploads import DAY, DAY_SCAN, HOSTILE_KEYS, add_day, add_flagged_upload, add_upload
from tools.lib.cli import ExitCode

EVERY = {"clean": 1, "flagged": 2, "failed": 1, "ineligible": 1, "cancelled": 1, "running": 1, "waiting": 1, "superseded": 2}


@pytest.fixture(name="day")
def _day(account):
    """Return an account with a day on which every status occurs."""
    add_day(account, status=ScanStatus.OPEN)
    add_upload(account, "clean.mp4", State.CLEAN, version_id="v1", duration_ms=60_000)
    add_flagged_upload(account, "a.mp4", etag="e1", superseded=True)
    add_flagged_upload(account, "a.mp4", etag="e2")
    add_flagged_upload(account, "missed.mp4", version_id="v1", missed=True)
    add_upload(account, HOSTILE, State.FAILED, etag="e1", code="forbidden", facts=None)
    add_upload(account, "empty.mp4", State.FAILED, etag="e1", code="empty")
    add_upload(account, "gone.mp4", State.FAILED, etag="e1", code="superseded", superseded=True)
    add_upload(account, "cancelled.mp4", State.CANCELLED, etag="e1")
    add_upload(account, "running.mp4", State.RUNNING, etag="e1", started_at=account.clock.now())
    add_upload(account, "waiting.mp4", State.WAITING, etag="e1", superseded=True)
    return account


def states(output):
    """Return the counts that are not 0."""
    return {name: count for name, count in output["states"].items() if count}


def rows_of(account, tmp_path, *arguments):
    """Return the rows of an export as JSON Lines."""
    path = tmp_path / "rows.jsonl"
    review(account, "export", "--jsonl", str(path), *arguments)
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


# --- the truth table ----------------------------------------------------------------------------------------------------


def test_every_record_is_a_row(day):
    """Each record is counted once, no manifest and no report is missed, and what is not final makes it 3."""
    result = review(day, "--json")

    output = output_of(result)
    assert (ExitCode.SOME_FAILED, EVERY) == (result.exit_code, states(output))
    assert (DAY, 10, 10, True) == (output["day"], output["objects"], output["expected"], output["adds_up"])
    assert ["The scan is open, not closed: the counts may still change."] == output["warnings"]
    assert [] == [name for name, _ in day.wire.calls if name in {"GetObject", "DescribeJob"}]


def test_superseded_uploads_are_in_no_other_list(day):
    """A superseded video is named with its state on its own; one that is not final yet is still not final."""
    output = output_of(review(day, "--json"))

    assert {("a.mp4", "e1", "flagged"), ("gone.mp4", "e1", "ineligible")} == {
        (each["key"], each["etag"], each["state"]) for each in output["superseded"]
    }
    assert {("a.mp4", "e2", False, False), ("missed.mp4", "of-a-version", True, False)} == {
        (each["key"], each["etag"], each["missed"], each["superseded"]) for each in output["flagged"]
    }
    assert [(HOSTILE, "e1")] == [(each["key"], each["etag"]) for each in output["failed"]]
    assert {("running.mp4", "running", False), ("waiting.mp4", "waiting", True), ("cancelled.mp4", "cancelled", False)} == {
        (each["key"], each["state"], each["superseded"]) for each in output["unfinished"]
    }


def test_for_a_person(day):
    """Two uploads under one key are told apart, with when they came; hostile keys stay in their line."""
    lines = review(day).stdout.splitlines()

    assert f"Scan {DAY_SCAN} of the uploads of {DAY} to {BUCKET}, open" == lines[0]
    assert f"  s3://{BUCKET}/a.mp4 (etag e2), uploaded {DAY} 01:00 UTC" in lines
    assert f"  s3://{BUCKET}/a.mp4 (etag e1), uploaded {DAY} 01:00 UTC  flagged" in lines
    assert f"  s3://{BUCKET}/missed.mp4 (version v1), uploaded {DAY} 01:00 UTC, found by the daily comparison" in lines
    assert any("<script>alert(1)</script> %2B+\\u202e" in line for line in lines)
    assert not any("suffix" in line for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("status", [ScanStatus.CLOSED, ScanStatus.CANCELLED])
def test_superseded_failures_need_nothing(account, status):
    """A day on which everything has a verdict, or was superseded, is done; one with a failure is not."""
    add_day(account, status=status)
    add_upload(account, "a.mp4", State.CLEAN, etag="e2")
    add_upload(account, "a.mp4", State.FAILED, etag="e1", code="forbidden", superseded=True)
    # Replaced by what is not watched, such as an empty object: its analysis found that out, and no upload did.
    add_upload(account, "b.mp4", State.FAILED, etag="e1", code="superseded")
    done = review(account)
    add_upload(account, "c.mp4", State.FAILED, etag="e2", code="forbidden")

    assert (ExitCode.DONE, ExitCode.SOME_FAILED) == (done.exit_code, review(account).exit_code)


def test_an_empty_day(account):
    """A scan of a day without records, such as the first upload is making, has nothing and adds up."""
    add_day(account)

    result = review(account, "--json")

    assert (ExitCode.DONE, 0, 0, []) == (
        result.exit_code,
        output_of(result)["objects"],
        output_of(result)["expected"],
        output_of(result)["warnings"],
    )


def test_the_manifest_options_change_nothing(day):
    """A day has no manifest to go without."""
    assert EVERY == states(output_of(review(day, "--scan", DAY_SCAN, "--without-manifest", "--json")))


# --- the index lags -----------------------------------------------------------------------------------------------------


class Lag:
    """An index that names nothing until it has caught up."""

    def __init__(self, account):
        self.lags = True
        account.wire.answer("Query", self._answer)

    def _answer(self, params):
        lost = {"Items": [], "Count": 0}
        return lost if self.lags and params.get("IndexName") == "by_scan" and "FLAGGED#" in str(params) else None

    def catch_up(self):
        """Name everything."""
        self.lags = False


def test_a_lagging_index_is_read_again(account):
    """What the totals count and the index does not name yet is found a moment later, and nothing is listed twice."""
    add_day(account)
    add_upload(account, "clean.mp4", State.CLEAN, etag="e1")
    add_flagged_upload(account, "a.mp4", etag="e1")
    account.clock.planned = [Lag(account).catch_up]

    output = output_of(review(account, "--json"))

    assert ({"clean": 1, "flagged": 1}, True, ["a.mp4"]) == (
        states(output),
        output["adds_up"],
        [each["key"] for each in output["flagged"]],
    )


def test_an_index_that_lags_for_longer(account):
    """What the index does not name for seconds is missing: the counts do not add up, which is said with what to do."""
    add_day(account)
    add_upload(account, "clean.mp4", State.CLEAN, etag="e1")
    add_flagged_upload(account, "a.mp4", etag="e1")
    Lag(account)

    result = review(account, "--json")

    output = output_of(result)
    assert (ExitCode.SOME_FAILED, 1, 2, False) == (result.exit_code, output["objects"], output["expected"], output["adds_up"])
    assert [True] == ["run the review again in a minute" in warning for warning in output["warnings"]]
    assert [1.0, 2.0, 4.0] == account.clock.sleeps


def test_put_too_often(account):
    """An upload that has no attempt left is warned of: the same bytes may have been put again, and other ones in between."""
    add_day(account)
    add_upload(account, "a.mp4", State.CLEAN, etag="e1", attempt=99)
    add_upload(account, "b.mp4", State.CLEAN, etag="e1", attempt=98)

    (warning,) = output_of(review(account, "--json"))["warnings"]

    assert "analysed 99 times: 1 upload. What was put after that was not analysed, so look at it yourself." in warning


def test_a_video_that_ends_while_it_is_read(account):
    """The index names it twice then, as waiting and as clean: it is one row, with the state that the table has."""
    add_day(account, status=ScanStatus.OPEN)
    waiting = add_upload(account, "a.mp4", State.WAITING, etag="e1")
    planned = [replace(waiting, state=State.CLEAN, finished_at=1.0)]

    def end(params):
        if planned and "CLEAN#" in str(params):
            account.table.records.finish(planned.pop())

    account.wire.answer("Query", end)

    output = output_of(review(account, "--json"))

    assert ({"clean": 1}, True, []) == (states(output), output["adds_up"], account.clock.sleeps)


# --- exports ------------------------------------------------------------------------------------------------------------


def test_exports_have_a_row_for_each_upload(day, tmp_path):
    """Each upload is a row with its state as the table has it, its etag, when it came, and whether it is superseded."""
    rows = rows_of(day, tmp_path)

    same_key = {row["etag"]: row for row in rows if row["key"] == "a.mp4"}
    assert 10 == len(rows)
    assert {"e1": ("flagged", True), "e2": ("flagged", False)} == {
        etag: (row["state"], row["superseded"]) for etag, row in same_key.items()
    }
    assert {f"{DAY}T01:00:00.000Z"} == {row["uploaded_time"] for row in rows}
    assert {"missed.mp4"} == {row["key"] for row in rows if row["missed"]}
    assert [("e1", "forbidden")] == [(row["etag"], row["reason"]) for row in rows if row["key"] == HOSTILE]


def test_segments_tell_uploads_apart(account, tmp_path):
    """Segments of two uploads under one key have their etags."""
    add_day(account)
    for etag, superseded in (("e1", True), ("e2", False)):
        record = add_flagged_upload(account, HOSTILE, etag=etag, superseded=superseded)
        account.table.records.write_segments(record, [Segment("Weapons", "Violence", 2, 0, 1_000, 99.0, 2)])

    rows = rows_of(account, tmp_path, "--rows", "segments")

    assert {("e1", True, HOSTILE), ("e2", False, HOSTILE)} == {(row["etag"], row["superseded"], row["key"]) for row in rows}


def test_csv_of_hostile_keys(account, tmp_path):
    """Keys with anything in them, of up to 1,024 bytes, come out of a spreadsheet's CSV as they are."""
    add_day(account)
    for key in HOSTILE_KEYS:
        add_flagged_upload(account, key, etag="e1")
    path = tmp_path / "rows.csv"

    review(account, "export", "--csv", str(path))

    with path.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert set(HOSTILE_KEYS) == {row["key"].removeprefix("'") for row in rows}


def test_exports_of_other_scans_have_the_columns_empty(account, tmp_path):
    """A video of a manifest was not uploaded to a watched bucket: the columns are there, and say so."""
    add_scan(account, "a.mp4")
    add_flagged(account, "a.mp4")

    [row] = rows_of(account, tmp_path)

    assert (None, False, False) == (row["uploaded_time"], row["missed"], row["superseded"])


# --- the page -----------------------------------------------------------------------------------------------------------


def page_of(account, tmp_path):
    """Return the data of the page, and its text."""
    path = tmp_path / "page.html"
    review(account, "page", str(path))
    text = path.read_text("utf-8")
    begin = text.index('id="data">') + len('id="data">')
    return json.loads(text[begin : text.index("</script>", begin)]), text


def test_the_page_of_a_day(day, tmp_path):
    """The page is that of a day; superseded videos come apart with what they were, without segments, and nothing to decide."""
    data, _ = page_of(day, tmp_path)

    assert (DAY, BUCKET) == (data["scan"]["day"], data["scan"]["bucket"])
    assert {("a.mp4", "e2"), ("missed.mp4", "of-a-version")} == {(each["key"], each["etag"]) for each in data["flagged"]}
    assert {("a.mp4", "flagged"), ("gone.mp4", "ineligible")} == {(each["key"], each["was"]) for each in data["superseded"]}
    assert {"name": "superseded", "count": 2} in data["states"]
    assert 2 == sum(count for _, count in data["confidences"])
    assert ([], 1) == (data["not_selected"], len(data["costs"]["parts"]))
    assert {watch.begin_of(DAY) + 3_600} == {each["uploaded"] for name in ("flagged", "superseded") for each in data[name]}


def test_hostile_keys_on_the_page(account, tmp_path):
    """No key ends the script that holds the data."""
    add_day(account)
    for key in HOSTILE_KEYS:
        add_flagged_upload(account, key, etag="e1")

    data, text = page_of(account, tmp_path)

    assert set(HOSTILE_KEYS) == {each["key"] for each in data["flagged"]}
    assert "<script>alert(1)" not in text


# --- decisions ----------------------------------------------------------------------------------------------------------


def decided(scan_id, *entries):
    """Return a file as the page exports it: (id, key, version, etag, decision) of each video."""
    return {
        "format": "video-moderation-decisions-1",
        "scan": scan_id,
        "decided_by": "Ada",
        "decisions": [
            {
                "video_id": video_id,
                "bucket": BUCKET,
                "key": key,
                "version_id": version_id,
                "etag": etag,
                "attempt": 0,
                "decision": decision,
                "note": "",
                "decided_at": "2025-10-09T08:30:00.000Z",
            }
            for video_id, key, version_id, etag, decision in entries
        ],
    }


def apply(account, tmp_path, content):
    """Apply a file, and return the result."""
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(content))
    return review(account, "apply", str(path), "--json")


@pytest.mark.slow
def test_decisions_about_uploads_come_back(account, tmp_path):
    """What the page exports of two uploads under one key is applied to each, and the next page and export have it."""
    add_day(account)
    for etag in ("e1", "e2"):
        add_flagged_upload(account, HOSTILE, etag=etag)
    data, _ = page_of(account, tmp_path)
    choices = {"e1": "confirmed", "e2": "false-alarm"}
    entries = [(each["id"], each["key"], each.get("version"), each["etag"], choices[each["etag"]]) for each in data["flagged"]]

    applied = apply(account, tmp_path, decided(DAY_SCAN, *entries))

    after, _ = page_of(account, tmp_path)
    assert (ExitCode.DONE, 2) == (applied.exit_code, output_of(applied)["written"])
    assert choices == {each["etag"]: each["recorded"]["decision"] for each in after["flagged"]}
    assert choices == {row["etag"]: row["decision"] for row in rows_of(account, tmp_path)}


def test_a_decision_about_an_upload_holds_for_a_scan(account, tmp_path):
    """The same content in a scan by manifest, and in another day, has the decision; another content of the key has none."""
    add_day(account)
    add_day(account, "2025-10-08")
    record = add_flagged_upload(account, "a.mp4", etag="e1")
    add_flagged_upload(account, "a.mp4", etag="e1", day="2025-10-08")
    add_scan(account, "a.mp4")
    add_flagged(account, "a.mp4", etag="e1")

    apply(account, tmp_path, decided(DAY_SCAN, (record.video.id, "a.mp4", None, "e1", "false-alarm")))

    decisions = [
        [each["decision"]["decision"] for each in output_of(review(account, "--scan", scan_id, "--json"))["flagged"]]
        for scan_id in (SCAN, watch.scan_id(BUCKET, "2025-10-08"))
    ]
    assert [["false-alarm"], ["false-alarm"]] == decisions


def test_a_decision_about_a_scan_holds_for_an_upload(account, tmp_path):
    """What was decided in a scan by manifest is shown where the same content is uploaded, and not where another one is."""
    add_scan(account, "a.mp4")
    add_flagged(account, "a.mp4", etag="e1")
    apply(account, tmp_path, decided(SCAN, (video("a.mp4").id, "a.mp4", None, "e1", "confirmed")))
    add_day(account)
    add_flagged_upload(account, "a.mp4", etag="e1")
    add_flagged_upload(account, "a.mp4", etag="e2")

    flagged = output_of(review(account, "--scan", DAY_SCAN, "--json"))["flagged"]

    assert {"e1": "confirmed", "e2": None} == {each["etag"]: each["decision"] and each["decision"]["decision"] for each in flagged}


def test_an_entry_with_another_identity_is_refused(account, tmp_path):
    """A video id must be that of bucket, key and version, or also of the etag; one of a version and an etag is none."""
    add_day(account)
    add_flagged_upload(account, "a.mp4", etag="e1")
    other = replace(video("a.mp4"), etag="e2").id
    both = replace(video("a.mp4", "v1"), etag="e1").id
    entries = ((other, "a.mp4", None, "e1", "confirmed"), (both, "a.mp4", "v1", "e1", "confirmed"))

    refused = output_of(apply(account, tmp_path, decided(DAY_SCAN, *entries)))["refused"]

    assert [True, True] == [each["reason"].startswith("video_id is") for each in refused]


def test_one_content_under_two_identities_is_decided_once(account, tmp_path):
    """Two records of one content share their decision: the later entry of a file counts, the other is refused with why."""
    add_day(account)
    for etag in (None, "e1"):
        add_flagged_upload(account, "a.mp4", etag=etag, facts=add_flagged(account, "x", scan_id=SCAN, etag="e1").facts)
    ids = (video("a.mp4").id, replace(video("a.mp4"), etag="e1").id)
    content = decided(DAY_SCAN, *((each, "a.mp4", None, "e1", "confirmed") for each in ids))
    content["decisions"][1]["decided_at"] = "2025-10-09T08:31:00.000Z"

    result = apply(account, tmp_path, content)

    assert (ExitCode.SOME_FAILED, 1, [1]) == (
        result.exit_code,
        output_of(result)["written"],
        [each["entry"] for each in output_of(result)["refused"]],
    )


# --- the history of a key -----------------------------------------------------------------------------------------------


def history(account, key, *, version_id=None):
    """Return the chapters of a key's history, by version and etag: the state of each record, and the decisions."""
    version = f"?versionId={version_id}" if version_id else ""
    output = output_of(review(account, "video", f"s3://{BUCKET}/{key}{version}", "--json"))
    return {
        (chapter["version_id"], chapter["etag"]): (
            [(record["scan_id"], record["state"], record["superseded"]) for record in chapter["records"]],
            [decision["decision"] for decision in chapter["decisions"]],
        )
        for chapter in output["versions"]
    }


@pytest.fixture(name="overwritten")
def _overwritten(account, tmp_path):
    """Return an account in which a key was uploaded on three days, decided on at first, and scanned by manifest."""
    days = ("2025-10-07", "2025-10-08", DAY)
    for number, day in enumerate(days):
        add_day(account, day)
        add_flagged_upload(account, HOSTILE, etag=f"e{number}", day=day, superseded=day != DAY)
    decision = decided(watch.scan_id(BUCKET, days[0]), (replace(video(HOSTILE), etag="e0").id, HOSTILE, None, "e0", "confirmed"))
    apply(account, tmp_path, decision)
    add_scan(account, HOSTILE)
    add_flagged(account, HOSTILE, etag="e1")
    return account


def test_the_history_of_a_key_has_its_uploads(overwritten):
    """The newest upload, those that were decided on and those that a scan has seen are chapters of their own."""
    first, second = (watch.scan_id(BUCKET, day) for day in ("2025-10-07", "2025-10-08"))

    assert {
        (None, None): ([(SCAN, "flagged", False)], []),
        (None, "e0"): ([(first, "flagged", True)], ["confirmed"]),
        (None, "e1"): ([(second, "flagged", True)], []),
        (None, "e2"): ([(DAY_SCAN, "flagged", False)], []),
    } == history(overwritten, HOSTILE)


def test_the_history_for_a_person(overwritten):
    """Each upload has its heading, and what was superseded says so."""
    lines = review(overwritten, "video", f"s3://{BUCKET}/{HOSTILE}").stdout.splitlines()

    assert "  upload with the etag e2" in lines
    assert [True] == [
        ", superseded" in line for line in lines if watch.scan_id(BUCKET, "2025-10-07") in line and "confirmed" not in line
    ]


def test_the_upload_that_the_newest_one_replaced(account):
    """Without a decision and without another scan, the note of the newest upload names the one that it replaced."""
    add_day(account)
    old = add_upload(account, "a.mp4", State.CLEAN, etag="e1", superseded=True)
    new = add_upload(account, "a.mp4", State.CLEAN, etag="e2")
    noted = account.table.watches.current(BUCKET, "a.mp4")
    replacing = replace(noted, replaced_video_id=old.video.id, replaced_scan_id=old.scan_id)
    account.table.watches.note_current(replacing, noted)

    assert {(None, "e1"), (None, new.video.etag)} == set(history(account, "a.mp4"))


def test_the_history_of_an_uploaded_version(account):
    """With versions, uploads and scans by manifest are about the same video."""
    add_day(account)
    add_flagged_upload(account, "a.mp4", version_id="v1")
    add_scan(account, "a.mp4", versions={"a.mp4": "v1"})
    add_flagged(account, "a.mp4", version_id="v1")

    chapters = history(account, "a.mp4", version_id="v1")

    assert {("v1", None): ([(DAY_SCAN, "flagged", False), (SCAN, "flagged", False)], [])} == {
        identity: (sorted(records), decisions) for identity, (records, decisions) in chapters.items()
    }


# --- judging again -------------------------------------------------------------------------------------------------------


def test_a_policy_on_a_day(account, tmp_path):
    """All verdicts of a day are judged again, uploads under one key apart; what is superseded is judged and not mailed."""
    add_day(account)
    label = LabelSummary("Alcohol", "", 1, 70.0, 1_000, 0)
    start = StartParameters(None, 50.0, "topic", "role")
    judged = {"labels": (label,), "hits_key": "hits/x", "start": start, "policy_hash": "old", "duration_ms": 60_000}
    uploads = [add_upload(account, HOSTILE, State.CLEAN, etag=etag, superseded=etag == "e1", **judged) for etag in ("e1", "e2")]
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"default": {"min_confidence": 60, "alert": True}, "labels": {}}))

    result = review(account, "policy", str(path), "--apply", "--mail-newly-flagged", "--json")

    output = output_of(result)
    records = [account.table.records.record(each.video.id, DAY_SCAN) for each in uploads]
    assert (ExitCode.DONE, 2, 1) == (result.exit_code, output["counts"]["newly flagged"], output["mails"])
    assert {("e1", True), ("e2", False)} == {(each["etag"], each["superseded"]) for each in output["changes"]}
    assert [(State.FLAGGED, False), (State.FLAGGED, True)] == [(record.state, record.mail_due) for record in records]

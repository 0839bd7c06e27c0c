"""What a desk that stays open says of a scan that goes on, is retried, judged anew or closed: what a desk says that opens then."""

import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from handlers.domain import Judgement
from handlers.domain.record import BatchJob, LabelSummary, ObjectFacts, Problem, Record
from handlers.domain.states import ScanStatus, State
from tests.tools.conftest import http_error
from tests.tools.review_doubles import (
    ETAG,
    JOB,
    SCAN,
    add_flagged,
    add_record,
    add_report,
    add_scan,
    decision,
    set_aside,
    video,
)
from tools.lib.review.apply import record_of_left_out
from tools.lib.review.inputs import LeftOut

pytestmark = pytest.mark.slow

LABEL = LabelSummary("Weapons", "Violence", 2, 99.5, 1_500, 2_000)
OTHER_LABEL = LabelSummary("Smoking", "Drugs & Tobacco", 2, 70.0, 1_500, 2_000)
TOO_LARGE = ObjectFacts(ETAG, 11_000_000_000, None)
LISTS = ("flagged", "failed", "ineligible")
SUMMARY = ("objects", "expected", "adds_up", "states", "warnings", "found", "confidences", "cures", "decided")


@pytest.fixture(name="records")
def _records(account):
    """A scan that goes on, whose job is over; returns the records of its objects by name."""
    names = ("flagged.mp4", "failed.mp4", "waiting.mp4")
    add_scan(account, *names, "unrecorded.mp4", status=ScanStatus.OPEN)
    add_report(account, [*((name, True, "") for name in names), ("unrecorded.mp4", False, "boom")])
    set_aside(account, [("large.mp4", "", "too-large", "11 GB", ETAG, str(TOO_LARGE.size))])
    return {
        "flagged": add_flagged(account, "flagged.mp4"),
        "failed": add_record(account, "failed.mp4", State.FAILED, code="throttled"),
        "waiting": add_record(account, "waiting.mp4", State.WAITING),
    }


def finish(account, record, state, **fields):
    """Finish the analysis of a record that waits."""
    account.table.records.finish(replace(record, state=state, finished_at=account.clock.now(), **fields))


def retry(account, records):
    """Have what failed wait again, and return its record."""
    again = replace(records["failed"], state=State.WAITING, problem=None, attempt=1)
    account.table.records.register(again, records["failed"])
    return again


def fail_again(account, records):
    """Have a retry fail for another reason: no total changes."""
    account.table.records.finish(retry(account, records).as_failed(Problem("codec", "VP9"), at=account.clock.now()))


def retry_unrecorded(account, _records):
    """Have what failed without a record wait again, and return the record that it has then."""
    record = Record(video("unrecorded.mp4"), SCAN, State.WAITING, attempt=1, facts=ObjectFacts(ETAG, 3, None))
    account.table.records.register(record, None)
    return record


def flag_unrecorded(account, records):
    """Have it flagged."""
    finish(account, retry_unrecorded(account, records), State.FLAGGED, labels=(LABEL,), counted=("Weapons",))


def register_left_out(account, _records):
    """Write the record of what was left out of the job, as the first decision about it does."""
    left_out = LeftOut(video("large.mp4"), Problem("too-large", "11 GB"), TOO_LARGE)
    record = record_of_left_out(account.table.scans.scan(SCAN), left_out, account.clock.now())
    account.table.records.register(record, None)


def judge_otherwise(account, records):
    """Write the verdict of another policy: it is flagged for another label."""
    record = records["flagged"]
    account.table.records.judge_again(record, replace(record, policy_hash="b", labels=(OTHER_LABEL,), counted=("Smoking",)))


def pause(account, _records):
    """Pause the scan."""
    account.table.scans.pause_scan(SCAN, "by hand")


def described(values, name):
    """Return the videos of a list, with the names of their labels in place of the numbers, which each desk gives."""
    named = [
        {**each, "labels": [(values["labels"][number]["name"], *rest) for number, *rest in each.get("labels", ())]}
        for each in values[name]
    ]
    return sorted(map(str, named))


@pytest.mark.parametrize(
    "change", [retry, fail_again, retry_unrecorded, flag_unrecorded, register_left_out, judge_otherwise, pause]
)
def test_as_a_desk_that_is_opened_later(account, records, follow, change):
    """What an open desk tells, and a page of it that is loaded again, is what a desk says that is opened after the change."""
    desk, ask = follow()

    change(account, records)
    answer, later, anew = ask(), desk.page()[0].values, follow()[0].page()[0].values

    for name in LISTS:
        assert described(anew, name) == described(later, name)
    for name in SUMMARY:
        assert [anew[name]] * 2 == [later[name], answer[name]], name
    assert later["adds_up"]


def test_closed_meanwhile(account, follow):
    """When a scan is closed, an open desk has what only the reports tell: what was skipped, and what failed without a record."""
    scan = add_scan(account, "a.mp4", "notes.txt", "unrecorded.mp4", status=ScanStatus.OPEN, job_status="Active")
    waiting = add_record(account, "a.mp4", State.WAITING)
    desk, ask = follow()
    before = ask()
    finish(account, waiting, State.FLAGGED, labels=(LABEL,), counted=("Weapons",))
    skipped = json.dumps({"state": "SKIPPED", "reason": "not-a-video"})
    add_report(account, [("a.mp4", True, ""), ("notes.txt", True, skipped), ("unrecorded.mp4", False, "boom")])
    account.table.scans.note_jobs(SCAN, (BatchJob(JOB, "Complete"),))
    account.table.scans.close_scan(account.table.scans.scan(scan.id))

    answer, later, anew = ask(before["number"]), desk.page()[0].values, follow()[0].page()[0].values

    assert ("closed", []) == (answer["status"], answer["warnings"])
    assert (["a.mp4"], ["unrecorded.mp4"]) == tuple([each["key"] for each in answer[name]] for name in ("flagged", "failed"))
    for name in SUMMARY:
        assert [anew[name]] * 2 == [later[name], answer[name]], name
    assert ([], []) == tuple(ask(answer["number"])[name] for name in ("flagged", "failed"))


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("operation", ["Query", "BatchGetItem"])
def test_a_look_that_fails(account, follow, operation, number):
    """Whichever read AWS refuses, the next looks have every new verdict."""
    names = ("a.mp4", "b.mp4", "c.mp4")
    add_scan(account, *names, status=ScanStatus.OPEN, job_status="Active")
    first, second, third = (add_record(account, name, State.WAITING) for name in names)
    _, ask = follow()
    shown = ask()["number"]
    for record in (first, second):
        finish(account, record, State.FLAGGED, labels=(LABEL,), counted=("Weapons",))
    account.table.records.finish(third.as_failed(Problem("throttled", "later"), at=account.clock.now()))
    calls = iter(range(1_000))
    account.wire.answer(operation, lambda _: http_error("ExpiredTokenException", 400) if next(calls) == number else None)

    with pytest.raises(ClientError):
        ask(shown)
    answer = ask(shown)

    assert {"a.mp4", "b.mp4"} == {each["key"] for each in answer["flagged"]}
    assert ["c.mp4"] == [each["key"] for each in answer["failed"]]


def test_a_review_at_the_end_that_fails(account, follow):
    """A scan that is closed while AWS refuses is reviewed by the next look."""
    scan = add_scan(account, "unrecorded.mp4", status=ScanStatus.OPEN)
    _, ask = follow()
    ask()
    add_report(account, [("unrecorded.mp4", False, "boom")])
    account.table.scans.close_scan(account.table.scans.scan(scan.id))
    refused = [http_error("ExpiredToken", 400)]
    account.wire.answer("GetObject", lambda _: refused.pop() if refused else None)
    with pytest.raises(ClientError):
        ask()

    answer = ask()

    assert ("closed", ["unrecorded.mp4"]) == (answer["status"], [each["key"] for each in answer["failed"]])


def test_one_for_another(account, follow):
    """Where another policy flags one video and clears another, which no total tells, both are in their lists within two looks."""
    add_scan(account, "a.mp4", "b.mp4")
    flagged, clean = add_flagged(account, "a.mp4"), add_record(account, "b.mp4", State.CLEAN, labels=(LABEL,))
    _, ask = follow()
    account.table.records.judge_again(flagged, replace(flagged, state=State.CLEAN, policy_hash="b", counted=()))
    account.table.records.judge_again(clean, replace(clean, state=State.FLAGGED, policy_hash="b", counted=("Weapons",)))

    gone, came = ask()["gone"], ask()["flagged"]

    assert ([flagged.video.id], ["b.mp4"]) == (gone, [each["key"] for each in came])


def test_the_sample_of_a_scan_that_goes_on(account, follow):
    """What a sample says follows the decisions about it, and never speaks of all clean videos once others have come."""
    add_scan(account, "a.mp4", "b.mp4", status=ScanStatus.OPEN)
    add_record(account, "a.mp4", State.CLEAN)
    waiting = add_record(account, "b.mp4", State.WAITING)
    desk, ask = follow(sample=5)
    before = ask()["sample"]
    finish(account, waiting, State.CLEAN)
    cleared = decision("a.mp4", judgement=Judgement.FALSE_ALARM, decided_at=account.clock.now())
    account.table.decisions.note_decisions([cleared])

    answer = ask()["sample"]

    assert ["Still to be looked at: 1 of 1 sampled clean video."] == before
    assert answer == desk.page()[0].values["sample"]
    assert len(answer) == 1
    assert answer[0].startswith("Sample: 0 of 1 looked at were missed.")

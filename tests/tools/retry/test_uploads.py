"""`review_report.py retry` of the scan of a day's uploads: no job, but a message for each upload that is worth another attempt."""

from dataclasses import replace

import pytest

from handlers.domain import upload
from handlers.domain.identity import MAX_ATTEMPT
from handlers.domain.states import ScanStatus, State
from handlers.domain.upload import Retry
from tests.tools.review_doubles import BUCKET, HOSTILE, output_of, review
from tests.tools.uploads import DAY, DAY_SCAN, HOSTILE_KEYS, add_day, add_flagged_upload, add_upload, watching
from tools.lib.cli import ExitCode


class Watched:
    """An account with a day of uploads, and a deployment that watches their bucket."""

    def __init__(self, account, **day):
        self.account = account
        self.stack, self.queue_url = watching(account)
        add_day(account, **day)

    def retry(self, *arguments, **how):
        """Run the retry of the day."""
        return review(self.account, "retry", "--scan", DAY_SCAN, *self.stack, *arguments, **how)

    def messages(self):
        """Return what the messages that were sent say, and take them out of the queue."""
        found = []
        while batch := self.account.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", []):
            found += [upload.parse(message["Body"]) for message in batch]
            for message in batch:
                self.account.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return found


@pytest.fixture(name="watched")
def _watched(account):
    """Return a day on which every status occurs."""
    watched = Watched(account)
    add_upload(account, "clean.mp4", State.CLEAN, etag="e1")
    add_flagged_upload(account, "flagged.mp4", etag="e1")
    add_upload(account, HOSTILE, State.FAILED, etag="e1", code="forbidden", attempt=2)
    add_upload(account, HOSTILE, State.FAILED, etag="e2", code="result-lost")
    add_upload(account, "v.mp4", State.FAILED, version_id="v1", code="forbidden")
    add_upload(account, "vp9.mp4", State.FAILED, etag="e1", code="analysis-failed")
    add_upload(account, "old.mp4", State.FAILED, etag="e1", code="forbidden", superseded=True)
    add_upload(account, "cancelled.mp4", State.CANCELLED, etag="e1")
    add_upload(account, "running.mp4", State.RUNNING, etag="e1", started_at=account.clock.now())
    add_upload(account, "stuck.mp4", State.WAITING, etag="e1", queued_at=account.clock.now() - 7_000)
    account.wire.calls.clear()
    return watched


def counts(plan, which="retried"):
    """Return how many uploads there are for each reason."""
    return {group["reason"]: group["objects"] for group in plan[which]}


def test_a_dry_run_shows_what_and_why_and_changes_nothing(watched):
    """The same is retried as in other scans; what is superseded is not even named."""
    result = watched.retry("--dry-run", "--json")

    plan = output_of(result)
    assert (ExitCode.DONE, DAY, 4) == (result.exit_code, plan["day"], plan["objects"])
    assert {"forbidden": 2, "result-lost": 1, "stuck waiting": 1} == counts(plan)
    assert {"analysis-failed": 1, "cancelled": 1, "running": 1} == counts(plan, "left")
    assert [("e2", HOSTILE)] == [
        (each["etag"], each["key"]) for group in plan["retried"] if group["reason"] == "result-lost" for each in group["examples"]
    ]
    assert [] == watched.account.wire.writes


def test_each_upload_has_a_message(watched):
    """Each message names the upload, in whatever form it is told apart, and its next attempt; no job is created."""
    result = watched.retry("--yes", "--json")

    output = output_of(result)
    messages = watched.messages()
    assert (ExitCode.DONE, 4, DAY_SCAN) == (result.exit_code, output["messages"], output["scan_id"])
    assert {
        (HOSTILE, None, "e1", 3),
        (HOSTILE, None, "e2", 1),
        ("v.mp4", "v1", None, 1),
        ("stuck.mp4", None, "e1", 1),
    } == {(each.video.key, each.video.version_id, each.video.etag, each.attempt) for each in messages}
    assert {(Retry, DAY_SCAN)} == {(type(each), each.scan_id) for each in messages}
    assert ["SendMessageBatch"] == watched.account.wire.writes


def test_all_that_failed(watched):
    """--all-failed takes up what is not retryable and what was cancelled, and still nothing that was superseded."""
    watched.retry("--all-failed", "--yes")

    assert {HOSTILE, "v.mp4", "stuck.mp4", "vp9.mp4", "cancelled.mp4"} == {each.video.key for each in watched.messages()}


def test_running_it_twice_sends_the_same(watched):
    """Until a message was dealt with, a second run asks for the same attempts: repeated messages change nothing."""
    watched.retry("--yes")
    first = watched.messages()

    watched.retry("--yes")

    assert set(map(str, first)) == set(map(str, watched.messages()))


@pytest.mark.slow
def test_hostile_keys(account):
    """Keys of 1,024 bytes, of quotes, line ends or emoji come out of their messages as they are, more than ten of them."""
    watched = Watched(account)
    keys = [*HOSTILE_KEYS, "\x01" * 1_024, *(f"{number:02}{'é' * 500}.mp4" for number in range(20))]
    for key in keys:
        add_upload(account, key, State.FAILED, etag="e1", code="forbidden")

    result = watched.retry("--yes", "--json")

    assert (ExitCode.DONE, len(keys)) == (result.exit_code, output_of(result)["messages"])
    assert set(keys) == {each.video.key for each in watched.messages()}


def test_for_a_person(watched):
    """The plan says of which day, how many and why, and asks; nothing is said of manifests and jobs."""
    result = watched.retry(interactive=True, answer="\n")

    assert (ExitCode.FAILED, []) == (result.exit_code, watched.messages())
    assert f"Retry of scan {DAY_SCAN} of the uploads of {DAY} to {BUCKET}" in result.stderr
    assert "Retry 4 uploads? [y/N]: " in result.stderr
    assert "(etag e2)" in result.stderr
    assert "manifest" not in result.stderr.lower()


def test_nothing_to_retry(account):
    """Where all is well nothing is asked, and nothing is sent; an empty day is well."""
    watched = Watched(account)

    result = watched.retry("--yes")

    assert (ExitCode.DONE, f"Retry of scan {DAY_SCAN} of the uploads of {DAY} to {BUCKET}: nothing to retry\n") == (
        result.exit_code,
        result.stdout,
    )


def test_the_last_attempt(account):
    """An upload that was retried as often as possible is left, the others are retried."""
    watched = Watched(account)
    add_upload(account, "a.mp4", State.FAILED, etag="e1", code="forbidden", attempt=MAX_ATTEMPT)
    add_upload(account, "b.mp4", State.FAILED, etag="e1", code="forbidden")

    plan = output_of(watched.retry("--yes", "--json"))["plan"]

    assert ({"forbidden": 1}, {"retried too often": 1}) == (counts(plan), counts(plan, "left"))


# --- refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bucket", "why"), [(None, "watches no bucket"), ("other-bucket", f"does not watch {BUCKET}")])
def test_without_a_watch(account, bucket, why):
    """Where no function takes messages about the bucket's uploads, that is said with the cure, also of a dry run."""
    stack = () if bucket is None else watching(account, bucket=bucket)[0]
    add_day(account)
    add_upload(account, "a.mp4", State.FAILED, etag="e1", code="forbidden")

    result = review(account, "retry", "--dry-run", *stack)

    assert ExitCode.FAILED == result.exit_code
    assert why in result.stderr
    assert f'Add "{BUCKET}" to "watch" in cdk.json' in result.stderr


def test_a_cancelled_day(account):
    """Of a cancelled scan nothing would be started."""
    watched = Watched(account, status=ScanStatus.CANCELLED)
    add_upload(account, "a.mp4", State.FAILED, etag="e1", code="forbidden")

    assert "was cancelled, so a retry would not be started." in watched.retry("--yes").stderr
    assert [] == watched.messages()


def test_a_message_that_sqs_refuses(watched):
    """What SQS refuses again and again is an error with how far it came; what it refuses once is sent again."""
    refused = {"Failed": [{"Id": "0", "SenderFault": False, "Code": "InternalError"}], "Successful": []}
    answers = [refused, {"Failed": [], "Successful": []}]
    watched.account.wire.answer("SendMessageBatch", lambda _: answers.pop(0))
    once = watched.retry("--yes")
    watched.account.wire.answer("SendMessageBatch", lambda _: refused)

    always = watched.retry("--yes")

    assert (ExitCode.DONE, ExitCode.FAILED) == (once.exit_code, always.exit_code)
    assert "SQS refused 1 message after 3 of 4: InternalError" in always.stderr


# --- waiting for the end ------------------------------------------------------------------------------------------------


@pytest.fixture(name="two")
def _two(account):
    """Return a day with two failed uploads under one key, and their records."""
    watched = Watched(account)
    records = [add_upload(account, "a.mp4", State.FAILED, etag=etag, code="forbidden") for etag in ("e1", "e2")]
    return watched, records


def analysed(account, record, state):
    """Have the next attempt at a record end in a state."""
    waiting = replace(record, state=State.WAITING, attempt=record.attempt + 1, problem=None, finished_at=None)
    account.table.records.register(waiting, record)
    account.table.records.finish(replace(waiting, state=state, finished_at=account.clock.now()))


@pytest.mark.slow
@pytest.mark.parametrize(("last", "code"), [(State.FLAGGED, ExitCode.DONE), (State.FAILED, ExitCode.SOME_FAILED)])
def test_waiting_for_the_end(two, last, code):
    """--wait follows the retried uploads, not the day: it ends with their last one."""
    watched, (first, second) = two
    watched.account.clock.planned = [
        lambda: analysed(watched.account, first, State.CLEAN),
        lambda: analysed(watched.account, second, last),
    ]

    result = watched.retry("--yes", "--wait", "--json")

    output = output_of(result)
    assert (code, 0, code) == (result.exit_code, output["result"]["not_final"], output["result"]["exit_code"])
    assert {"CANCELLED": 0, "CLEAN": 1, "FAILED": 0, "FLAGGED": 0} | {last.value: 1} == output["result"]["videos"]
    assert 2 == len(watched.account.clock.sleeps)


def test_waiting_for_what_is_held(two):
    """If someone pauses the scan of the day meanwhile, waiting ends with who and what to do."""
    watched, _ = two
    watched.account.table.scans.put_scan(replace(add_day(watched.account, "2025-10-08"), id="01K742SG00000G40R40M30E20Z"))
    watched.account.table.scans.ensure_day_scan(DAY_SCAN, BUCKET, DAY, held=None)
    watched.account.clock.planned = [lambda: watched.account.table.scans.pause_scan(DAY_SCAN, "by Ada")]

    result = watched.retry("--yes", "--wait", "--json")

    assert (ExitCode.FAILED, 2, "by Ada") == (
        result.exit_code,
        output_of(result)["result"]["not_final"],
        output_of(result)["result"]["held_reason"],
    )
    assert f"Scan {DAY_SCAN} is paused: by Ada. What waits is not analysed." in result.stderr

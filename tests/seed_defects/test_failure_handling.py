"""Defects 11 to 18 of the seed: failures that it mishandled. Tests are named after the protection."""

import json
from pathlib import Path

import pytest

from handlers.domain.states import State
from tests.harness.line import BUCKET, GET, START, refusing, states
from tests.harness.videos import video

EVENTS = Path(__file__).parents[1] / "events"
WEAPONS = (2_000, "Weapons", 99.0)
MAX_SUBJECT, MAX_MAIL_BYTES = 99, 256 * 1024


def test_11_a_full_account_makes_videos_wait(make_line):
    """Defect 11, no handling of LimitExceeded: with two jobs in the account five videos are analysed one after the other."""
    line = make_line({"account_jobs": 2, "slots": 2}, account_jobs=2, analysis_base_seconds=4.0)
    keys = [f"{number:02}.mp4" for number in range(5)]
    for key in keys:
        line.put(key, video(seconds=1))

    result = line.scan()

    assert {"CLEAN": 5} == states(result)
    assert line.rekognition.ledger.start_answers["LimitExceededException"] > 0
    assert (keys, 2, {}) == (sorted(line.analysed), line.rekognition.ledger.max_open, line.letters)


@pytest.mark.parametrize("code", ["LimitExceededException", "ThrottlingException", "ProvisionedThroughputExceededException"])
def test_11_throttling_makes_videos_wait(line, code):
    """Defect 11 again: thirty refusals in a row, whatever Rekognition calls them, lose no video and pause nothing."""
    line.put("a.mp4")
    line.rekognition.faults.refuse_starts(code, count=30)

    result = line.scan()

    assert ({"CLEAN": 1}, {}) == (states(result), line.letters)
    assert {code: 30, "Started": 1} == line.rekognition.ledger.start_answers


def test_11_an_event_that_fails_for_good_is_kept(line):
    """Defect 11, after two retries the event is gone: here the whole event is kept in a dead-letter queue."""
    line.put("a.mp4")
    line.submit()
    line.stop_sweeping()
    line.before(GET, *[refusing("AccessDeniedException")] * 3)

    line.clock.advance(600)

    ((name, count),) = line.letters.items()
    assert (3, 1) == (len(line.invocations("completion")), count)
    assert "CompletionDeadLetters" in name


def test_11_every_way_has_its_dead_letters(template):
    """Defect 11, no DLQ in the whole stack: asynchronously called functions, lanes and subscriptions have one each."""
    found = {kind: [r["Properties"] for r in template["Resources"].values() if r["Type"] == kind] for kind in WAYS}

    asynchronous = [one for one in found["AWS::Lambda::Function"] if one["Handler"].split(".")[1] in {"completion", "sweeper"}]
    lanes = [one for one in found["AWS::SQS::Queue"] if "VisibilityTimeout" in one]
    notices = [one for one in found["AWS::SNS::Subscription"] if one["Protocol"] == "lambda"]

    assert (2, 2, 1) == (len(asynchronous), len(lanes), len(notices))
    assert all("TargetArn" in one.get("DeadLetterConfig", {}) for one in asynchronous)
    assert all("deadLetterTargetArn" in one.get("RedrivePolicy", {}) for one in lanes + notices)


WAYS = ("AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::SNS::Subscription")


def test_12_a_job_is_polled_only_after_its_notice(line):
    """Defect 12, a useless Get right after Start: each job is polled once, after Rekognition's notice that it is over."""
    for key in ("a.mp4", "b.mp4", "c.mp4"):
        line.put(key)

    line.scan()

    closed = {entry.job_id: entry.closed_at for entry in line.rekognition.ledger.jobs}
    asked = {call.parameters["JobId"]: call.time for call in line.called(GET)}
    assert (3, 3, 3) == (len(line.called(START)), len(line.called(GET)), len(asked))
    assert [] == [job_id for job_id, at in asked.items() if at < closed[job_id]]


def test_12_who_starts_may_not_ask(template):
    """Defect 12, an extra permission: the starter's role cannot read analyses, and the reader's cannot start any."""
    may = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Policy":
            actions = [statement["Action"] for statement in resource["Properties"]["PolicyDocument"]["Statement"]]
            flat = {action for each in actions for action in ([each] if isinstance(each, str) else each)}
            may[name] = {action for action in flat if action.startswith("rekognition:")}

    held = {name.partition("Handler")[0]: actions for name, actions in may.items() if actions}
    assert {
        "StartAnalysis": {"rekognition:StartContentModeration"},
        "Completion": {"rekognition:GetContentModeration"},
        "Sweeper": {"rekognition:GetContentModeration"},
    } == held


@pytest.mark.parametrize("schema", ["1_0", "2_0"])
def test_13_the_reply_is_the_one_that_s3_batch_wants(line, schema):
    """Defect 13, an invalid S3 Batch reply: version and invocation id come back, and a known result code for each own task id."""
    event = json.loads((EVENTS / f"s3_batch_schema_{schema}.json").read_text("utf-8"))
    (task,) = event["tasks"]
    own = [{"taskId": f"task-{number}", "s3Key": f"{number}.mp4", "s3VersionId": None} for number in range(3)]
    event["tasks"] = [task | each for each in own]
    for number in range(2):
        line.put(f"{number}.mp4")

    reply = line.invoke("batch_invoke", event)

    assert {"invocationSchemaVersion", "treatMissingKeysAs", "invocationId", "results"} == set(reply)
    assert ("PermanentFailure", event["invocationId"]) == (reply["treatMissingKeysAs"], reply["invocationId"])
    assert event["invocationSchemaVersion"] == reply["invocationSchemaVersion"]
    assert [("task-0", "Succeeded"), ("task-1", "Succeeded"), ("task-2", "PermanentFailure")] == [
        (result["taskId"], result["resultCode"]) for result in reply["results"]
    ]


def test_13_an_event_without_tasks_has_a_reply(line):
    """Defect 13, `results` unbound without records: an event without tasks gets an empty reply in the right form."""
    event = json.loads((EVENTS / "s3_batch_schema_2_0.json").read_text("utf-8"))

    reply = line.invoke("batch_invoke", event | {"tasks": []})

    assert (event["invocationId"], []) == (reply["invocationId"], reply["results"])


def test_13_s3_batch_takes_the_reply(line):
    """Defect 13, seen from S3: every task of a job counts as succeeded and has a line in the report."""
    rows = [f"{BUCKET},{number}.mp4" for number in range(4)]
    for number in range(4):
        line.put(f"{number}.mp4")

    job = line.run_job(line.upload_manifest(*rows))

    assert ("Complete", 4, 0) == (
        job["Status"],
        job["ProgressSummary"]["NumberOfTasksSucceeded"],
        job["ProgressSummary"]["NumberOfTasksFailed"],
    )


def test_14_no_function_waits_for_an_analysis(line):
    """Defect 14, busy-waiting: a notice that comes too early is ignored at once, and the one at the end brings the verdict."""
    line.put("long.mp4", video(WEAPONS, seconds=600))
    line.submit()
    line.clock.advance(30)
    began = line.clock.now()

    line.invoke("completion", line.notice("long.mp4"))

    (scan,) = line.table.scans.scans()
    early = line.record("long.mp4", scan.id).state
    assert (began, 1, State.RUNNING) == (line.clock.now(), len(line.called(GET)), early)
    line.clock.advance(700)
    assert State.FLAGGED is line.record("long.mp4", scan.id).state


def test_15_one_bad_notice_keeps_no_other_back(line):
    """Defect 15, one bad record fails the batch: the others are processed, and a repetition processes the bad one."""
    line.put("bad.mp4")
    line.put("good.mp4")
    line.rekognition.faults.lose_notices(2)
    line.submit()
    line.stop_sweeping()
    line.clock.advance(120)
    (scan,) = line.table.scans.scans()
    line.before(GET, refusing("AccessDeniedException"))

    line.functions.invoke_event(line.function("completion").arn, json.dumps(line.notice("bad.mp4", "good.mp4")).encode())
    line.clock.advance(1)
    first = [line.record(key, scan.id).state for key in ("bad.mp4", "good.mp4")]
    line.clock.advance(61)

    assert [State.RUNNING, State.CLEAN] == first
    assert State.CLEAN is line.record("bad.mp4", scan.id).state


def test_15_a_mail_that_is_refused_repeats_no_row(line):
    """Defect 15, an SNS error duplicates rows: the mail is retried by itself and arrives once, segments are written once."""
    line.put("a.mp4", video(WEAPONS))
    line.before("sns.Publish", *[refusing("InternalError", 500)] * 2)

    result = line.scan()

    assert {"FLAGGED": 1} == states(result)
    # two refused, one sent, and the digest of the scan
    assert (4, 1) == (len(line.called("sns.Publish")), len(line.mails))
    assert (1, 1) == (len(line.invocations("completion")), len(line.called("dynamodb.BatchWriteItem")))


def test_16_every_mail_can_be_sent(line):
    """Defect 16, SNS refuses subject or body: the longest key, accents, line breaks and 4,800 segments make one valid mail."""
    key = "año/" + "ñ" * 490 + "\nfiesta 🎬.mp4"
    sightings = [(number * 5_000, "Obstructed Female Nipple", 99.0) for number in range(1_600)]
    line.put(key, video(*sightings))

    result = line.scan()

    (mail,) = line.mails
    assert (4_800, {"FLAGGED": 1}) == (len(line.segments(key, result["scan_id"])), states(result))
    assert mail["Subject"].isascii()
    assert len(mail["Subject"]) <= MAX_SUBJECT
    assert len(mail.get_content().encode()) <= MAX_MAIL_BYTES


def test_17_the_table_takes_any_load(template):
    """Defect 17, the table is provisioned 5/5: it is on demand."""
    (table,) = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::DynamoDB::Table"]

    assert "PAY_PER_REQUEST" == table.get("BillingMode")
    assert "ProvisionedThroughput" not in table


def test_17_a_busy_video_is_a_few_writes(line):
    """Defect 17, one item per label: a thousand seconds with a label in every sample are one segment for each label."""
    sightings = [(number * 500, "Weapons", 99.0) for number in range(2_000)]
    line.put("busy.mp4", video(*sightings))

    scan_id = line.scan()["scan_id"]

    found = line.segments("busy.mp4", scan_id)
    assert [("Violence", 2_000), ("Weapons", 2_000)] == [(segment.label, segment.hits) for segment in found]
    assert 1 == len(line.called("dynamodb.BatchWriteItem"))


def test_18_only_videos_are_listed(line):
    """Defect 18, no suffix filter: by default only keys that end in .mp4, in any case, become tasks."""
    for key in ("a.mp4", "B.MP4", "notes.txt", "a.mp4.bak", "mp4"):
        line.put(key)

    result = line.scan()

    assert (2, ["B.MP4", "a.mp4"]) == (result["result"]["job"]["tasks"], sorted(line.analysed))


@pytest.mark.parametrize("body", [b"just text, whatever its name says", b"\x89PNG\r\n\x1a\n" + bytes(100), b"<html></html>"])
def test_18_no_analysis_is_started_for_what_is_no_video(line, body):
    """Defect 18, a text file starts a Rekognition call: what does not begin like one is reported as skipped and costs nothing."""
    line.put("not-a-video.mp4", body)

    line.scan()

    (skipped,) = line.review()["skipped"]
    assert ("not-a-video.mp4", "not-a-video") == (skipped["key"], skipped["reason"])
    assert [] == line.called(START)

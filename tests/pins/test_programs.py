"""What programs read and write: the keys of `--json`, plans, exports, decisions, requests to S3, and items of the table.

`product.COMMANDS` says how a command is called.
"""

import csv
import json

import pytest

from tests.pins import product
from tests.pins.conftest import BUCKET, JOB, SCAN, fill_day, items_in
from tests.pins.pinned import FIXTURES, check, given, keys, merged, without_sentences

FLAGGED = "2024/flagged é +,%2B.mp4"
EXPRESS = "01K742SG00000G40R40M30E20A"
DAY = "01K7348Y005E1GNT1PE9QPAXYJ"
NAMES = {"bucket": BUCKET, "scan": SCAN, "express": EXPRESS, "day": DAY, "job": JOB, "uri": f"s3://{BUCKET}/{FLAGGED}"}
CHANGED = {"redrive": SCAN, "resume a scan": EXPRESS, "pause a scan": EXPRESS, "cancel": EXPRESS}
"""Which scan's item a command changes; the others change the settings."""
FILES = {
    name: FIXTURES / f"{name}.json"
    for name in ("decisions", "decisions_refused", "policy", "policy_lower", "policy_below_reported")
}


def json_of(account, command, **values):
    """Run a command, and return its JSON."""
    done = product.run(account, command, **{**NAMES, **FILES, **values})
    assert done.exit_code in (0, 3), (command, done.stdout, done.stderr)
    return json.loads(done.stdout)


def key_of(item):
    """Return the key of an item."""
    return {name: item[name] for name in ("pk", "sk")}


# --- read: nothing of today's code wrote what lies there --------------------------------------------------------------------


class TestReading:
    """A scan that older code wrote."""

    def test_a_scan_is_read(self, unchanged):
        """Programs read items, manifest, completion report, side list and settings as on the day they were written."""
        for command in ("review", "history of a video", "status", "list"):
            check(f"read/{command.replace(' ', '_')}.json", without_sentences(json_of(unchanged, command)))

    @pytest.mark.parametrize("rows", ["videos", "segments", "decisions"])
    def test_exports(self, unchanged, tmp_path, rows):
        """Exports have these columns in this order, with these values of a record: spreadsheets and queries name them."""
        table, lines = tmp_path / "rows.csv", tmp_path / "rows.jsonl"

        json_of(unchanged, f"export of {rows}", csv=table, jsonl=lines)

        with table.open(encoding="utf-8", newline="") as file:
            header, *cells = csv.reader(file)
        objects = [json.loads(line) for line in lines.read_text("utf-8").splitlines()]
        found = {
            "columns": header,
            "csv": [row for row in cells if FLAGGED in row],
            "jsonl": [row for row in objects if row["key"] == FLAGGED],
        }
        check(f"written/export_{rows}.json", found)


def test_a_day_is_read(account):
    """The scan of a day's uploads is read as on the day on which it was written: two contents of one key, one superseded."""
    fill_day(account)

    check("read/review_of_a_day.json", without_sentences(json_of(account, "review of a day")))


def test_a_plan_is_run(account):
    """A plan saved earlier is submitted unchanged."""
    account.manifests.mkdir()
    for path in sorted((FIXTURES / "plan").iterdir()):
        (account.manifests / path.name).write_bytes(path.read_bytes())
    account.put("2024/a.mp4", "2024/b.mp4")
    (plan,) = account.manifests.glob("*.plan.json")

    json_of(account, "run a plan", plan=plan)

    check("read/plan_create_job.json", account.wire.of("CreateJob"))


# --- printed and written ---------------------------------------------------------------------------------------------------------


def test_review_and_retry(scanned):
    """`review_report.py` prints these keys, and writes this decision, this retry job and its manifest."""
    decision = given("items.json")["decision"]
    fill_day(scanned)
    scanned.session.client("dynamodb").delete_item(TableName=product.TABLE, Key=key_of(decision))
    commands = (
        *(
            "decisions applied",
            "review",
            "review of a sample",
            "review of a job",
            "desk",
            "history of a video",
            "scans since",
            "retry, dry run",
        ),
        *(
            "policy",
            "policy applied",
            "policy with lower thresholds",
            "policy below what is reported",
            "decisions refused",
            "retry",
        ),
        *("review of a day", "retry of a day, dry run", "retry of a day"),
    )

    found = {command: keys(json_of(scanned, command)) for command in commands}

    check("json/review_report.json", found)
    assert [dict(sorted(decision.items()))] == items_in(scanned, decision["sk"]["S"])
    made = {**decision, "sk": {"S": "DECIDED#e4#1759990100250"}, "scan_pk": {"S": "DECIDED"}}
    ((written_ms, found),) = [(each.pop("scan_sk")["S"], each) for each in items_in(scanned, made["sk"]["S"])]
    assert (dict(sorted(made.items())), 13) == (found, len(written_ms))
    (request,) = scanned.wire.of("CreateJob")
    key = request["Manifest"]["Location"]["ObjectArn"].partition("/")[2]
    body = scanned.s3.get_object(Bucket=product.WORK_BUCKET, Key=key)["Body"].read().decode()
    check("written/create_job_retry.json", {"request": request, "manifest": body.splitlines()})


def test_control(scanned):
    """Each command of `control_scan.py` prints these keys and changes these attributes of settings and scans."""
    letters = [{"MessageId": "1", "ReceiptHandle": "1", "Body": next(iter(given("lane_messages.json").values()))}]
    url = scanned.dead_letters["NormalDeadLetters"]
    scanned.wire.answer(
        "ReceiveMessage", lambda asked: {"Messages": [letters.pop()]} if letters and asked["QueueUrl"] == url else {}
    )
    scanned.wire.answer("DeleteMessage", lambda _: {})
    scanned.wire.answer("UpdateJobStatus", lambda _: {})
    scanned.jobs.states = [{"Status": "Active"}]
    shapes, items = {}, {}

    scanned.deploy_functions(reader=["s3:GetObject"])

    for command in ("status", "status of a scan", "list", "coverage", "gate"):
        shapes[command] = keys(json_of(scanned, command))
    for command in ("resume", "slots", "redrive", "resume a scan", "pause a scan", "cancel"):
        shapes[command] = keys(json_of(scanned, command))
        items[command] = items_in(scanned, CHANGED.get(command, "SETTINGS"))
    shapes["status"] = merged(shapes["status"], keys(json_of(scanned, "status")))  # ready at some time, where nothing is paused
    shapes["pause"] = keys(json_of(scanned, "pause"))
    items["pause"] = items_in(scanned, "SETTINGS")
    scanned.deploy("Consequences", OutboxQueueUrl=url, OutboxDeadLettersUrl=url)
    for command in ("republish a scan", "republish an object"):
        shapes[command] = keys(json_of(scanned, command))

    check("json/control_scan.json", shapes)
    check("written/control.json", items)


def test_watching(account):
    """Each command of `control_scan.py watch` prints these keys, and writes these attributes about the bucket."""
    product.watch_bucket(account, BUCKET)
    commands = ("watch on", "watch status", "watch pause", "watch status", "watch resume", "watch release", "watch off")
    shapes, items = {}, {}

    for command in commands:
        printed = keys(json_of(account, command))
        shapes[command] = merged(shapes.get(command, printed), printed)
        items[command] = items_in(account, "WATCH")

    check("json/control_scan_watch.json", shapes)
    check("written/watching.json", items)


def test_submission(account):
    """A submission prints these keys and writes these files, this item of the scan, and these jobs for both lanes."""
    account.put("2024/a b+,%2B é.mp4", "2024/b.mp4", "2024/c.mkv")
    account.put("2024/empty.mp4", body=b"")

    found = {command: keys(json_of(account, command)) for command in ("check", "plan", "plan with an estimate", "submit")}
    normal = account.wire.of("CreateJob")
    for path in account.manifests.iterdir():
        path.unlink()
    account.clock.sleep(60.0)  # or the next scan would have the same id
    found["submit to the express lane"] = keys(json_of(account, "submit to the express lane"))

    check("json/submit_job.json", found)
    check("written/create_job_normal.json", normal)
    check("written/create_job_express.json", account.wire.of("CreateJob")[len(normal) :])
    listed = account.s3.list_objects_v2(Bucket=product.WORK_BUCKET)["Contents"]
    files = {
        "folder": {path.name: content(path) for path in sorted(account.manifests.iterdir())},
        "work bucket": [each["Key"] for each in listed],
        "items": items_in(account, "SCANS"),
    }
    check("written/submission.json", files)


def test_selection(account):
    """A plan holds every condition of its selection under its name."""
    account.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    account.put("2024/a.mp4")

    json_of(account, "plan with a full selection")

    (plan,) = account.manifests.glob("*.plan.json")
    check("written/selection.json", content(plan)["selection"])


def content(path):
    """Return the content of a submission's file, without sentences and prices, which may change."""
    text = path.read_text("utf-8")
    if path.suffix != ".json":
        return text.splitlines()
    plan = json.loads(text)
    return without_sentences(plan) | {"prices": keys(plan["prices"])}


def test_environment_of_programs():
    """These environment variables replace options."""
    found = {
        parameter.envvar
        for main in product.PROGRAMS.values()
        for each in (main, *getattr(main, "commands", {}).values())
        for parameter in each.params
        if parameter.envvar
    }

    assert {"VIDEO_MODERATION_MANIFESTS", "VIDEO_MODERATION_POLL_SECONDS"} == found

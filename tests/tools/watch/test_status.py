"""`watch status`: whether uploads arrive. What it shows of a day is in `test_day.py`."""

import json
from contextlib import contextmanager
from functools import partial

import pytest

from handlers.domain import watch
from handlers.domain.watch import SUFFIXES_WITH_IMAGES
from tests.harness.line import BUCKET
from tests.tools.watch.conftest import OTHER

BRIDGE = {"EventBridgeConfiguration": {}}


def look(person, *arguments, code=0):
    """Return what `watch status --json` prints."""
    result = person("status", *arguments, "--json")
    assert result.exit_code == code, (result.stdout, result.stderr)
    return json.loads(result.stdout)


@pytest.fixture
def on(watching, switch):
    """Have both buckets send events."""
    for bucket in (BUCKET, OTHER):
        switch.put(BRIDGE, bucket)


@contextmanager
def changed(take, back):
    """Change something for the block."""
    take()
    try:
        yield
    finally:
        back()


class TestSound:
    def test_every_watched_bucket(self, person, found, on):
        """Without a name all watched buckets are shown, and nothing is wrong."""
        status = look(person)

        assert [each["bucket"] for each in status["watches"]] == [BUCKET, OTHER]
        assert [each["rule"] for each in status["watches"]] == [found.watching.rules[BUCKET], found.watching.rules[OTHER]]
        assert {(each["rule_state"], each["events"]) for each in status["watches"]} == {("ENABLED", True)}
        assert (status["warnings"], status["dead_letters"], status["waiting_uploads"]) == ([], 0, 0)

    def test_one_bucket(self, person, on):
        """With a name that bucket alone is shown."""
        assert [each["bucket"] for each in look(person, OTHER)["watches"]] == [OTHER]

    def test_engine(self, person, on):
        """It says how the films of each bucket are looked at."""
        by_video, by_frames = look(person)["watches"]
        text = person("status").stdout

        assert ("video", None) == (by_video["engine"], by_video["interval_ms"])
        assert ("frames", 2_500) == (by_frames["engine"], by_frames["interval_ms"])
        assert "  Engine   films by the video API\n" in text
        assert "  Engine   films by frames, every 2.5 s\n" in text

    def test_keys(self, person, on):
        """The keys that a watch takes are shown: an upload under another one leaves no trace."""
        (status,) = look(person, OTHER)["watches"]

        assert (["in/"], list(SUFFIXES_WITH_IMAGES)) == (status["prefixes"], status["suffixes"])
        assert f"  Keys     that begin with in/ and end with {', '.join(SUFFIXES_WITH_IMAGES)}\n" in person("status", OTHER).stdout

    def test_before_the_first_upload(self, person, on):
        """Nothing was seen, nothing missed, and there is no lag."""
        (status,) = look(person, OTHER)["watches"]
        text = person("status", OTHER).stdout

        assert (status["since"], status["last_upload_at"], status["verdicts"]) == (None, None, 0)
        assert (status["lag_median_seconds"], status["lag_95_percent_seconds"], status["minutes"]) == (None, None, 0)
        assert "none seen yet" in text
        assert "no verdict today yet" in text

    def test_looking_changes_nothing(self, watching, person, on):
        """Every call reads."""
        watching.calls.clear()

        look(person)

        reading = ("Get", "List", "Describe", "Head", "Query", "BatchGet")
        assert watching.calls
        assert [] == [call.name for call in watching.calls if not call.name.split(".")[1].startswith(reading)]


class TestFaults:
    def assert_warned(self, person, part, cure):
        """Assert that there is one warning, with its cure, and that the exit code says that not all uploads are scanned."""
        (warning,) = look(person, BUCKET, code=3)["warnings"]
        assert part in warning
        assert cure in warning
        assert f"Warning: {warning}" in person("status", BUCKET).stdout

    def test_switch_is_off(self, person, on, switch):
        """A bucket that sends no events is named, with the command that switches them on."""
        switch.put({})

        self.assert_warned(person, "sends no events to EventBridge", f"watch on {BUCKET}")

    def test_bucket_is_gone(self, watching, person, on, switch):
        """A watched bucket that was deleted is named; the other buckets are shown, and its watch can be ended."""
        s3 = watching.client("s3")
        with changed(lambda: s3.delete_bucket(Bucket=OTHER), lambda: (s3.create_bucket(Bucket=OTHER), switch.put(BRIDGE, OTHER))):
            status, off = look(person, code=3), person("off", OTHER)
            kept = person("off", OTHER, "--keep-events")
            person("on", BUCKET)

        assert [BUCKET, OTHER] == [each["bucket"] for each in status["watches"]]
        (warning,) = status["warnings"]
        assert f"The bucket {OTHER} does not exist" in warning
        assert "cdk.json" in warning
        assert (0, 0) == (off.exit_code, kept.exit_code), off.stderr + kept.stderr
        assert f"{OTHER} does not exist, and its watch is ended." in off.stdout
        assert watching.table.watches.state(OTHER).ended_at is not None

    def test_rule_is_disabled(self, watching, person, found, on):
        """So is a rule that is disabled."""
        events, rule = watching.client("events"), found.watching.rules[BUCKET]
        with changed(lambda: events.disable_rule(Name=rule), lambda: events.enable_rule(Name=rule)):
            self.assert_warned(person, f"{rule} is disabled", "enable-rule")

    def test_rule_is_gone(self, watching, person, found, on):
        """And one that is gone."""
        events, rule = watching.client("events"), found.watching.rules[BUCKET]
        before, targets = events.describe_rule(Name=rule), events.list_targets_by_rule(Rule=rule)["Targets"]

        def take():
            events.remove_targets(Rule=rule, Ids=[target["Id"] for target in targets])
            events.delete_rule(Name=rule)

        def back():
            events.put_rule(Name=rule, EventPattern=before["EventPattern"])
            events.put_targets(Rule=rule, Targets=targets)

        with changed(take, back):
            self.assert_warned(person, f"{rule} is gone", "make deploy")

    def test_dead_letters(self, watching, person, found, on):
        """Dead letters are counted, and the cure is to redrive them."""
        sqs, url = watching.client("sqs"), found.watching.dead_letters_url
        with changed(lambda: sqs.send_message(QueueUrl=url, MessageBody="{}"), lambda: sqs.purge_queue(QueueUrl=url)):
            self.assert_warned(person, "1 upload could not be delivered or registered", "redrive")
            assert " to be registered, 1 dead letter\n" in person("status").stdout

    def test_queue_is_gone(self, watching, person, found, on):
        """A queue that is gone is named; the rest is shown."""
        sqs, url = watching.client("sqs"), found.watching.dead_letters_url
        with changed(lambda: sqs.delete_queue(QueueUrl=url), lambda: sqs.create_queue(QueueName=url.rpartition("/")[2])):
            self.assert_warned(person, "queue of uploads is gone", "make deploy")
            assert look(person, BUCKET, code=3)["dead_letters"] is None

    def test_the_scan_of_today(self, watching, person, on):
        """A person's pause of today's scan holds its later uploads too, and is named."""
        day = watch.day_of(watching.clock.now())
        scan_id = watch.scan_id(BUCKET, day)
        watching.table.scans.ensure_day_scan(scan_id, BUCKET, day, held=None)
        key = {"pk": {"S": "SCANS"}, "sk": {"S": scan_id}}
        delete = partial(watching.client("dynamodb").delete_item, TableName=watching.table.name, Key=key)
        with changed(lambda: watching.table.scans.pause_scan(scan_id, "by alice"), delete):
            self.assert_warned(person, "was paused", "control_scan.py resume")

    def test_paused(self, watching, person, on):
        """A watch that is paused is named, with who paused it and the command that resumes it."""
        with changed(
            lambda: watching.table.watches.pause_uploads(BUCKET, "alice"), lambda: watching.table.watches.resume_uploads(BUCKET)
        ):
            self.assert_warned(person, "was paused by alice", f"watch resume {BUCKET}")

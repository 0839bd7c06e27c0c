"""`watch on`, `off`, `pause`, `resume` and `release`: what they change in S3 and in the table, and what they refuse."""

import copy
import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from handlers.domain import watch
from tests.handlers.doubles import client_error
from tests.harness.line import ACCOUNT, BUCKET
from tests.tools.watch.conftest import OTHER
from tools.lib.errors import ToolError
from tools.lib.watch import notifications

CLOCK_SECONDS = 600.0
BRIDGE = {"EventBridgeConfiguration": {}}
RULES = [{"Name": "Prefix", "Value": "in/é +/"}, {"Name": "Suffix", "Value": ".JPG"}]
# Of others: S3 would refuse to put destinations that are gone, so these show that they are not touched.
OTHERS = {
    "QueueConfigurations": [
        {
            "Id": "theirs",
            "QueueArn": "arn:aws:sqs:us-east-1:111122223333:gone",
            "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:Delete"],
            "Filter": {"Key": {"FilterRules": RULES}},
        },
        {"Id": "second", "QueueArn": "arn:aws:sqs:us-east-1:111122223333:gone2", "Events": ["s3:ObjectTagging:*"]},
    ],
    "TopicConfigurations": [
        {"Id": "topic", "TopicArn": "arn:aws:sns:us-east-1:111122223333:gone", "Events": ["s3:ObjectRestore:Completed"]}
    ],
    "LambdaFunctionConfigurations": [
        {
            "Id": "function",
            "LambdaFunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:gone",
            "Events": ["s3:ObjectCreated:Put"],
        }
    ],
}


def values(result):
    """Return what a command printed with `--json`."""
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def puts(line):
    """Return the configurations that were put."""
    return [call for call in line.calls if call.name == "s3.PutBucketNotificationConfiguration"]


class TestSwitch:
    @pytest.mark.slow
    @pytest.mark.parametrize("others", [{}, OTHERS, *({name: value} for name, value in OTHERS.items())])
    def test_on_and_off(self, person, switch, others):
        """The switch is put beside what is there for others, and taken away again; the rest is as it was, to the byte."""
        switch.put(others)
        before = switch.read()

        on = values(person("on", BUCKET, "--json"))
        during = switch.read()
        off = values(person("off", BUCKET, "--yes", "--json"))

        assert before == others
        assert during == others | BRIDGE
        assert switch.read() == others
        assert (on["events"], on["changed"], off["events"], off["changed"]) == (True, True, False, True)

    @pytest.mark.parametrize(("command", "configuration"), [(("on",), OTHERS | BRIDGE), (("off", "--yes"), OTHERS)])
    def test_again(self, watching, person, switch, command, configuration):
        """What is as it should be is not put again, and the command says so."""
        switch.put(configuration)
        watching.calls.clear()

        result = person(command[0], BUCKET, *command[1:])

        assert result.exit_code == 0
        assert "its notifications were not changed" in result.stdout
        assert puts(watching) == []
        assert switch.read() == configuration

    def test_on_says_what_it_did(self, person, switch):
        """It says that it takes about five minutes, that the others are as before, and since when uploads are new."""
        switch.put({})

        text = person("on", BUCKET).stdout

        assert f"{BUCKET} will send its events to EventBridge in about five minutes" in text
        assert "its other notifications are as before" in text
        assert "Keys that end with .mp4, .m4v, .mov, .jpg" in text
        assert "are scanned if they were uploaded since " in text

    def test_destinations_of_others_are_not_checked(self, watching, person, switch):
        """S3 is told not to check the destinations of others, which may be gone, nor to send them test messages."""
        switch.put(OTHERS)
        watching.calls.clear()

        person("on", BUCKET)

        (put,) = puts(watching)
        assert put.parameters["SkipDestinationValidation"] is True
        assert put.parameters["ExpectedBucketOwner"] == ACCOUNT

    def test_since(self, watching, person, switch):
        """Uploads are new from the first `on`; a second one does not move that, but `off` ends it."""
        switch.put({})
        person("off", BUCKET, "--yes")
        first = values(person("on", BUCKET, "--json"))
        watching.clock.advance(60.0)
        second = values(person("on", BUCKET, "--json"))
        state = watching.table.watches.state(BUCKET)
        person("off", BUCKET, "--yes")

        assert first["since"] == second["since"] == state.since
        assert first["since_time"].endswith("Z")
        assert watching.table.watches.state(BUCKET).since is None

    def test_on_was_interrupted(self, watching, person, switch):
        """Where only the switch was made, another `on` notes since when uploads are new."""
        switch.put(BRIDGE)
        watching.table.watches.end(BUCKET)

        assert values(person("on", BUCKET, "--json"))["since"] == watching.clock.now() - CLOCK_SECONDS

    def test_a_clock_that_is_ahead(self, watching, person, switch):
        """Uploads are new from ten minutes before: a clock that is ahead loses none of those before S3 sends events."""
        switch.put({})
        watching.table.watches.end(BUCKET)

        since = values(person("on", BUCKET, "--json"))["since"]

        assert watching.clock.now() - since == CLOCK_SECONDS

    def test_events_that_come_after_off(self, watching, person, switch):
        """An event that comes late does not make uploads new again: the daily comparison would go on scanning them."""
        person("on", BUCKET)
        person("off", BUCKET, "--yes")

        watching.table.watches.note_upload(BUCKET, watching.clock.now() + 60.0)
        off = watching.table.watches.state(BUCKET)
        person("on", BUCKET)
        watching.table.watches.note_upload(BUCKET, watching.clock.now() + 120.0)
        on = watching.table.watches.state(BUCKET)

        assert (off.since, off.ended_at) == (None, watching.clock.now())
        assert (on.since, on.ended_at) == (watching.clock.now() - CLOCK_SECONDS, None)
        assert on.last_upload_at == watching.clock.now() + 120.0

    def test_off_for_this_deployment_only(self, watching, person, switch):
        """With `--keep-events` the watch ends and the events go on for others, without a question; `on` begins it again."""
        switch.put(OTHERS | BRIDGE)
        person("on", BUCKET)
        watching.calls.clear()

        off = values(person("off", BUCKET, "--keep-events", "--json"))
        ended = watching.table.watches.state(BUCKET)
        status = person("status", BUCKET)
        person("on", BUCKET)

        assert {"bucket": BUCKET, "events": True, "changed": False} == off
        assert (puts(watching), switch.read()) == ([], OTHERS | BRIDGE)
        assert (None, True) == (ended.since, ended.ended_at >= watching.clock.now())
        assert (3, True) == (status.exit_code, f"The watch of {BUCKET} has been off since " in status.stdout)
        assert watching.table.watches.state(BUCKET).since is not None

    def test_off_asks(self, person, switch):
        """A person is told that others lose their events, too, and without a yes nothing is changed."""
        switch.put(OTHERS | BRIDGE)

        result = person("off", BUCKET, answer="\n")

        assert (result.exit_code, result.stdout) == (1, "")
        assert "rules of others would get none either" in result.stderr
        assert "Nothing was changed." in result.stderr
        assert switch.read() == OTHERS | BRIDGE

    def test_off_is_agreed_to(self, person, switch):
        """With a yes it is switched off."""
        switch.put(OTHERS | BRIDGE)

        result = person("off", BUCKET, answer="y\n")

        assert result.exit_code == 0
        assert switch.read() == OTHERS

    def test_off_without_a_terminal(self, person, switch):
        """Where no one can be asked, `--yes` is needed; nothing is changed without."""
        switch.put(BRIDGE)

        result = person("off", BUCKET)

        assert result.exit_code == 2
        assert "pass --yes" in result.stderr
        assert switch.read() == BRIDGE

    @pytest.mark.parametrize("command", [("on",), ("off", "--yes"), ("status",), ("pause",), ("resume",), ("release",)])
    def test_a_bucket_that_is_not_watched(self, watching, person, switch, command):
        """A bucket that the deployment does not watch is refused, with what it watches and the cure, before anything is touched."""
        watching.calls.clear()

        result = person(command[0], "unwatched", *command[1:])

        assert result.exit_code == 1
        assert f"does not watch unwatched; it watches {BUCKET}, {OTHER}" in result.stderr
        assert "make deploy" in result.stderr or "S3 console" in result.stderr
        assert {call.name.partition(".")[0] for call in watching.calls} == {"cloudformation"}

    @pytest.mark.parametrize("command", [("on",), ("off", "--yes"), ("status",), ("pause",), ("resume",), ("release",)])
    def test_the_work_bucket(self, watching, person, command):
        """The work bucket, whose every report would be an upload, is refused."""
        result = person(command[0], watching.outputs["WorkBucketName"], *command[1:])

        assert result.exit_code == 1
        assert "is the work bucket" in result.stderr
        assert '"watch" in cdk.json' in result.stderr

    def test_a_bucket_that_is_gone(self, watching, person, switch):
        """`on` for a bucket that is not there names that."""
        s3 = watching.client("s3")
        s3.delete_bucket(Bucket=OTHER)
        try:
            result = person("on", OTHER)
        finally:
            s3.create_bucket(Bucket=OTHER)

        assert result.exit_code == 1
        assert f"There is no bucket named {OTHER}" in result.stderr


class Bucket:
    """A bucket's configuration as a client sees it: `late` reads return what was there before the last put."""

    def __init__(self, configuration, *, late=0, meddler=lambda _: None):
        self.configuration = configuration
        self._before = configuration
        self._late = late
        self._meddler = meddler

    def get_bucket_notification_configuration(self, **_):
        """Return it."""
        if self.configuration is not self._before and self._late:
            self._late -= 1
            return copy.deepcopy(self._before) | {"ResponseMetadata": {"HTTPStatusCode": 200}}
        return copy.deepcopy(self.configuration) | {"ResponseMetadata": {"HTTPStatusCode": 200}}

    def put_bucket_notification_configuration(self, *, NotificationConfiguration, **_):  # noqa: N803 # botocore's
        """Replace it."""
        self._before, self.configuration = self.configuration, copy.deepcopy(NotificationConfiguration)
        self._meddler(self.configuration)


class TestComparison:
    @pytest.fixture
    def clock(self):
        """Return a clock that notes the sleeps."""
        sleeps = []
        return SimpleNamespace(sleeps=sleeps, sleep=sleeps.append)

    def test_read_late(self, clock):
        """S3 may answer with the former configuration for some seconds; it is read again."""
        bucket = Bucket(OTHERS, late=2)

        assert notifications.switch(bucket, BUCKET, ACCOUNT, clock, on=True)

        assert len(clock.sleeps) == 2
        assert bucket.configuration == OTHERS | BRIDGE

    def test_other_order(self, clock):
        """S3 promises no order of entries, rules and events."""

        def reverse(configuration):
            configuration["QueueConfigurations"] = configuration["QueueConfigurations"][::-1]
            configuration["QueueConfigurations"][1] = {**OTHERS["QueueConfigurations"][0]}
            configuration["QueueConfigurations"][1]["Events"] = OTHERS["QueueConfigurations"][0]["Events"][::-1]

        assert notifications.switch(Bucket(OTHERS, meddler=reverse), BUCKET, ACCOUNT, clock, on=True)

        assert clock.sleeps == []

    @pytest.mark.parametrize(
        "meddler",
        [
            lambda configuration: configuration.pop("QueueConfigurations"),
            lambda configuration: configuration.pop("EventBridgeConfiguration"),
            lambda configuration: configuration.update(TopicConfigurations=[]),
        ],
    )
    def test_changed_by_someone_else(self, clock, meddler):
        """If it is another one afterwards, the error has what there was for others."""
        with pytest.raises(ToolError, match="did someone else change it") as raised:
            notifications.switch(Bucket(OTHERS, meddler=meddler), BUCKET, ACCOUNT, clock, on=True)

        assert json.dumps(OTHERS) in raised.value.cure
        assert len(clock.sleeps) > 1

    def test_a_bucket_of_another_account(self, clock):
        """Where S3 refuses, that it may be another account's bucket is said, and that such a bucket cannot be watched."""

        def refuse(_):
            raise client_error("AccessDenied", 403)

        with pytest.raises(ToolError, match=f"not a bucket of the account {ACCOUNT}") as raised:
            notifications.switch(Bucket(OTHERS, meddler=refuse), BUCKET, ACCOUNT, clock, on=True)

        assert "s3:PutBucketNotification" in raised.value.cure
        assert "cannot be watched" in raised.value.cure

    def test_other_errors_are_not_explained_away(self, clock):
        """An error of another kind is passed on as it is."""

        def fail(_):
            raise client_error("InternalError", 500)

        with pytest.raises(ClientError):
            notifications.switch(Bucket(OTHERS, meddler=fail), BUCKET, ACCOUNT, clock, on=True)

    def test_nothing_is_put_where_nothing_changes(self, clock):
        """A switch that is as it should be is left alone."""
        bucket = Bucket(OTHERS | BRIDGE, meddler=lambda _: pytest.fail("it was put"))

        assert not notifications.switch(bucket, BUCKET, ACCOUNT, clock, on=True)


class TestWaiting:
    @pytest.fixture(autouse=True)
    def _resumed(self, watching):
        yield
        watching.table.watches.resume_uploads(BUCKET)

    def test_pause_and_resume(self, watching, person):
        """A pause is noted with who made it, until it is ended; doing either twice says so."""
        outcomes = [values(person(command, BUCKET, "--json"))["outcome"] for command in ("pause", "pause")]
        state = watching.table.watches.state(BUCKET)
        outcomes += [values(person(command, BUCKET, "--json"))["outcome"] for command in ("resume", "resume")]

        assert (True, True) == (state.paused, bool(state.paused_by))
        assert outcomes == ["DONE", "DONE_BEFORE", "DONE", "DONE_BEFORE"]
        assert not watching.table.watches.state(BUCKET).paused

    def test_pause_shows_the_way_back(self, person):
        """What pauses names the command that resumes."""
        assert f"control_scan.py watch resume {BUCKET}" in person("pause", BUCKET).stdout

    def test_pausing_is_of_one_bucket(self, watching, person):
        """The other watched bucket, and all starting, go on."""
        person("pause", BUCKET)

        assert not watching.table.watches.state(OTHER).paused
        assert not getattr(watching.table.control.settings(), "paused", False)

    def test_release(self, watching, person):
        """The limit of today, in UTC, is lifted."""
        result = values(person("release", BUCKET, "--json"))

        today = watch.day_of(watching.clock.now())
        assert (result["day"], result["max_minutes_per_day"], result["outcome"]) == (today, 2, "DONE")
        assert watching.table.watches.state(BUCKET).released_day == today

    def test_release_without_a_limit(self, watching, person):
        """A bucket without a limit has none to be lifted, and nothing is written."""
        result = person("release", OTHER)

        assert result.exit_code == 1
        assert "has no daily limit of minutes" in result.stderr
        assert f"watch status {OTHER}" in result.stderr
        assert watching.table.watches.state(OTHER).released_day is None

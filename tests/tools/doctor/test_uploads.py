"""The doctor's lines about new uploads: what it finds where a bucket is watched, and that it says nothing where none is."""

from dataclasses import replace

import pytest

from handlers.adapters.table import open_table
from handlers.domain import watch
from handlers.domain.identity import Video
from handlers.domain.record import ObjectFacts, Record
from handlers.domain.states import State
from handlers.domain.watch import Watch
from tests.harness.fixtures import opened
from tests.harness.line import BUCKET, STACK
from tools.lib.aws.clients import Clients
from tools.lib.aws.deployment import find
from tools.lib.cli import ExitCode
from tools.lib.doctor import Case, Level, examine

SUBJECTS = ["uploads", "upload letters", "upload rule", "upload events", "last upload"]
OTHER = "amzn-s3-demo-bucket2"


@pytest.fixture(scope="module")
def line(tmp_path_factory, assembly, session):
    """Return a line that watches one of its two buckets, which sends its events."""
    context = {"source_buckets": [BUCKET, OTHER], "watch": [{"bucket": BUCKET}]}
    with opened(tmp_path_factory.mktemp("line"), assembly, session) as make:
        line = make(context)
        line.client("s3").create_bucket(Bucket=OTHER)
        switch(line, on=True)
        yield line


def switch(line, *, on):
    """Switch the events of the bucket on or off."""
    configuration = {"EventBridgeConfiguration": {}} if on else {}
    line.client("s3").put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=configuration)


@pytest.fixture
def deployed(line):
    """Return the deployment as the tools find it."""
    return find(line.client("cloudformation"), STACK)


@pytest.fixture
def look(line, deployed):
    """Return a function from a bucket to what the doctor finds."""

    def examined(bucket=BUCKET, **changed):
        clients = Clients(line.session)
        table = open_table(clients.dynamodb, deployed.table_name, line.clock)
        return examine(Case(clients, replace(deployed, **changed), table, bucket))

    return examined


def of_uploads(findings):
    """Return the findings about uploads by subject."""
    return {finding.subject: finding for finding in findings if finding.subject in SUBJECTS}


def assert_warned(findings, subject, part, cure):
    """Assert that this is the only problem of uploads, that its cure is named, and that it stops no scan."""
    problems = {name: finding for name, finding in of_uploads(findings).items() if finding.level is not Level.OK}
    assert set(problems) == {subject}
    assert part in problems[subject].text
    assert cure in problems[subject].cure
    assert problems[subject].level is Level.WARNING
    assert findings.exit_code is ExitCode.DONE


def test_all_is_well(look):
    """Each subject has one line, and no finding is a problem."""
    found = of_uploads(look())

    assert list(found) == SUBJECTS
    assert {finding.level for finding in found.values()} == {Level.OK}
    assert found["upload rule"].text.endswith(" is enabled; films are looked at by the video API")
    assert found["last upload"].text == "none was seen yet"


def test_nothing_is_changed(look, line):
    """Looking changes nothing."""
    line.calls.clear()

    look()

    reading = ("Get", "List", "Describe", "Head", "Query")
    assert [] == [call.name for call in line.calls if not call.name.split(".")[1].startswith(reading)]


def test_another_bucket(look):
    """For a bucket that is not watched there are the lines about the queues alone, which others need."""
    assert list(of_uploads(look(OTHER))) == ["uploads", "upload letters"]


def test_nothing_watched(look):
    """Where the deployment watches nothing, uploads are not mentioned."""
    assert of_uploads(look(watching=None)) == {}


def test_switch_is_off(look, line):
    """A bucket that sends no events is warned of, with the command that switches them on."""
    switch(line, on=False)
    try:
        findings = look()
    finally:
        switch(line, on=True)

    assert_warned(findings, "upload events", "sends no events to EventBridge", f"watch on {BUCKET}")


def test_watch_is_off(look, line):
    """A watch that is off while its bucket sends events, for rules of others, is warned of."""
    line.table.watches.end(BUCKET)
    try:
        findings = look()
    finally:
        line.table.watches.begin(BUCKET, line.clock.now())

    assert_warned(findings, "upload events", f"The watch of {BUCKET} has been off since", f"watch on {BUCKET}")


def test_work_bucket_is_watched(look, deployed):
    """The work bucket among the watched ones is warned of: what is written there starts nothing."""
    watching = deployed.watching
    watches = {**watching.watches, deployed.work_bucket: Watch(deployed.work_bucket)}

    findings = look(watching=replace(watching, watches=watches))

    assert_warned(findings, "uploads", "is the work bucket, which cannot be watched", "make deploy")


def test_rule_is_disabled(look, line, deployed):
    """So is a rule that is disabled."""
    rule = {"Name": deployed.watching.rules[BUCKET]}
    line.client("events").disable_rule(**rule)
    try:
        findings = look()
    finally:
        line.client("events").enable_rule(**rule)

    assert_warned(findings, "upload rule", "is disabled", "enable-rule")


def test_rule_is_gone(look, deployed):
    """And one that is gone."""
    gone = replace(deployed.watching, rules={BUCKET: "gone"})

    assert_warned(look(watching=gone), "upload rule", "The rule gone is gone", "make deploy")


@pytest.mark.parametrize("queue", ["queue_url", "dead_letters_url"])
def test_queue_is_gone(look, deployed, queue):
    """A queue that is gone is warned of."""
    url = f"{deployed.watching.queue_url}-gone"

    findings = look(watching=replace(deployed.watching, **{queue: url}))

    assert_warned(findings, "uploads", "queue of uploads is gone", "make deploy")


def test_dead_letters(look, line, deployed):
    """Dead letters are counted, and the cure is to redrive them."""
    sqs, url = line.client("sqs"), deployed.watching.dead_letters_url
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody="{}")
    try:
        findings = look()
    finally:
        sqs.purge_queue(QueueUrl=url)

    assert_warned(findings, "upload letters", "2 uploads could not be delivered or registered", "redrive")


def test_uploads_are_not_polled(look, line, deployed):
    """A mapping of the uploads that is disabled is told from those of the lanes: `resume` does not enable it."""
    client, name = line.client("lambda"), deployed.watching.queue_url.rpartition("/")[2]
    mappings = client.list_event_source_mappings()["EventSourceMappings"]
    (uuid,) = [each["UUID"] for each in mappings if each["EventSourceArn"].endswith(f":{name}")]
    client.update_event_source_mapping(UUID=uuid, Enabled=False)
    try:
        (finding,) = [each for each in look() if each.subject == "lanes"]
    finally:
        client.update_event_source_mapping(UUID=uuid, Enabled=True)

    assert finding.text == f"The event source mapping {uuid} is Disabled: no new upload is registered."
    assert uuid in finding.cure
    assert "resume" not in finding.cure


def test_last_upload_and_missed(look, line):
    """The last upload is shown; where no event brought some of the last two days, that is a warning."""
    now, table = line.clock.now(), line.table
    table.watches.note_upload(BUCKET, now)
    seen = of_uploads(look())["last upload"]
    scan_id, facts = watch.scan_id(BUCKET, watch.day_of(now)), ObjectFacts("abc", 3, None)
    missed = Record(Video(BUCKET, "a.mp4"), scan_id, State.WAITING, facts=facts, queued_at=now, uploaded_at=now, missed=True)
    table.records.register(missed, None)
    line.client("dynamodb").update_item(
        TableName=line.outputs["TableName"],
        Key={"pk": {"S": "WATCH"}, "sk": {"S": BUCKET}},
        UpdateExpression="SET compared_at = :now",
        ExpressionAttributeValues={":now": {"N": str(now)}},
    )

    assert seen.level is Level.OK
    assert seen.text.startswith("put 20")
    assert_warned(look(), "last upload", "No event brought 1 upload of the last two days", f"watch status {BUCKET}")

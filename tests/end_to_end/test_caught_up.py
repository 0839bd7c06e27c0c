"""Two days without publish_verdict: what was judged and decided meanwhile has its consequences soon after it is back."""

import json

import pytest

from handlers.adapters.table import open_table
from handlers.domain.consequence import TAG_KEY
from handlers.domain.decision import Decision, Judgement
from tests.harness.fixtures import assembly, make_line, session
from tests.harness.line import BUCKET
from tests.harness.videos import video
from tools.rehearsal.consequences import listen

__all__ = ["assembly", "make_line", "session"]
KEYS = [f"{number}.mp4" for number in range(12)]
DECIDED = KEYS[0]


def switch(line, *, on):
    """Switch publish_verdict's source of messages on or off."""
    functions = line.client("lambda")
    name = line.function("publish_verdict").name
    (mapping,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)


def decide(line, record):
    """Decide that a record's video was flagged by mistake."""
    table = open_table(line.client("dynamodb"), line.outputs["TableName"], line.clock, has_outbox=True)
    about = {
        "video": record.video,
        "etag": record.facts.etag,
        "scan_id": record.scan_id,
        "attempt": 0,
        "note": "",
        "decided_by": "Ada",
        "decided_at": line.clock.now(),
    }
    table.decisions.note_decisions([Decision(judgement=Judgement.FALSE_ALARM, **about)])


def statuses(line):
    """Return the status that the tag of each object says, None without one."""
    found = {}
    for key in KEYS:
        tags = line.client("s3").get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
        found[key] = {tag["Key"]: tag["Value"] for tag in tags}.get(TAG_KEY)
    return found


def heard(line, url):
    """Return the statuses of all events about objects, by key."""
    found, sqs = {}, line.client("sqs")
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        details = [json.loads(message["Body"])["detail"] for message in messages]
        for each in details:
            if "s3ObjectDetails" in each:
                found.setdefault(each["s3ObjectDetails"]["objectKey"], []).append(each["scanResultDetails"]["scanResultStatus"])
    return found


@pytest.mark.long
@pytest.mark.timeout(300)
def test_two_days(make_line):
    """Nothing happens without it; five minutes after it is back each object has tag and event, also what a person decided."""
    line = make_line({"source_buckets": [BUCKET], "publish_events": True, "tag_objects": True})
    line.clock.longest_seconds = 4 * 86_400
    url = listen(line, {"source": ["video-moderation"]})
    switch(line, on=False)
    for number, key in enumerate(KEYS):
        line.put(key, video((1_000, "Weapons", 99.0)) if number % 2 == 0 else None)
    scan_id = line.scan()["scan_id"]
    decide(line, line.record(DECIDED, scan_id))
    line.clock.advance(2 * 86_400)
    assert {None} == set(statuses(line).values())

    switch(line, on=True)
    line.clock.advance(300)

    expected = {key: "FLAGS_FOUND" if number % 2 == 0 else "NO_FLAGS_FOUND" for number, key in enumerate(KEYS)}
    expected[DECIDED] = "NO_FLAGS_FOUND"
    assert expected == statuses(line)
    assert expected == {key: found[-1] for key, found in heard(line, url).items()}
    assert [] == list(line.table.outbox.due())

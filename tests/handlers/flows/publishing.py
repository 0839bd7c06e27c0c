"""What the tests of publish_verdict stand on: buckets of the offline world, records in a table, and the outbox's queue."""

import json
from dataclasses import replace

from handlers.adapters import EventBus, ObjectMarks, OutboxQueue
from handlers.adapters.table import open_table
from handlers.domain import outbox
from handlers.domain.consequence import ANNOTATION
from handlers.domain.record import LabelSummary, ObjectFacts, StartParameters
from handlers.domain.states import State
from handlers.flows import PublishFlow, PublishSettings
from handlers.flows.sweep.send_outbox import SendOutbox
from tests.handlers import tables
from tests.handlers.doubles import COMPLETIONS, ROLE, SCAN, TABLE, Clock, Through, waiting

PLAIN = "amzn-s3-demo-plain"
VERSIONED = "amzn-s3-demo-versions"
LABEL = LabelSummary("Weapons", "Violence", 2, 97.31, 1_500, 4_000, counts_from=80.0)
ALL = PublishSettings(publish_events=True, tag_objects=True, annotate_objects=True)


class Scene:
    """One account: buckets of a world, a table, the outbox's queue, and the function of the outbox.

    `wrap` is put around each client of the function.
    """

    def __init__(self, world, *, wrap=lambda client: client, settings=ALL):
        self.clock = Clock()
        self.dynamodb = tables.dynamodb(self.clock)
        self.table = open_table(self.dynamodb, TABLE, self.clock, has_outbox=True)
        self.s3, self.events = Through(world.client("s3")), Through(world.client("events"))
        self.sqs = Through(world.client("sqs"))
        self.url = self.sqs.create_queue(QueueName=f"outbox-{id(self)}")["QueueUrl"]
        served = open_table(wrap(self.dynamodb), TABLE, self.clock, has_outbox=True)
        self.flow = PublishFlow(
            served.outbox, served.scans, EventBus(wrap(self.events)), ObjectMarks(wrap(self.s3)), self.clock, settings
        )
        self.sweeper = SendOutbox(self.table.outbox, OutboxQueue(self.sqs, self.url), self.clock)

    def put(self, bucket=VERSIONED, key="a.mp4", body=b"film"):
        """Put an object, and return what HEAD says of it."""
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        head = self.s3.head_object(Bucket=bucket, Key=key)
        return ObjectFacts(head["ETag"].strip('"'), head["ContentLength"], head.get("VersionId"))

    def final(self, facts, bucket=VERSIONED, key="a.mp4", *, state=State.FLAGGED, scan_id=SCAN, video=None, **fields):
        """Finish a video, and return its record."""
        record = waiting(key, scan_id=scan_id)
        record = replace(record, video=video or replace(record.video, bucket=bucket), facts=facts)
        self.table.records.register(record, None)
        labels = {"labels": (LABEL,), "counted": ("Weapons",)} if state is State.FLAGGED else {}
        start = StartParameters(facts.version_id if facts else None, 50.0, COMPLETIONS, ROLE)
        found = replace(record, state=state, finished_at=self.clock.now(), start=start, policy_hash="p1", **{**labels, **fields})
        self.table.records.finish(found)
        return self.table.records.record(record.video.id, scan_id)

    def deliver(self, dues=None):
        """Invoke the function with the messages of what is due; return the bodies that come back."""
        dues = [due for due in self.table.outbox.due() if due.is_due(self.clock.now())] if dues is None else dues
        bodies = [outbox.body(due) for due in dues]
        event = {"Records": [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]}
        back = self.flow.respond(event, deadline=self.clock.now() + 300) if bodies else {"batchItemFailures": []}
        return [bodies[int(each["itemIdentifier"])] for each in back["batchItemFailures"]]

    def tags(self, bucket=VERSIONED, key="a.mp4", **named):
        """Return the tags of an object."""
        found = self.s3._client.get_object_tagging(Bucket=bucket, Key=key, **named)["TagSet"]
        return {tag["Key"]: tag["Value"] for tag in found}

    def annotation(self, bucket=VERSIONED, key="a.mp4", **named):
        """Return the verdict in an object's annotation, None if it has none."""
        client = self.s3._client
        names = [each["AnnotationName"] for each in client.list_object_annotations(Bucket=bucket, Key=key, **named)["Annotations"]]
        if ANNOTATION not in names:
            return None
        return json.loads(
            client.get_object_annotation(Bucket=bucket, Key=key, AnnotationName=ANNOTATION, **named)["AnnotationPayload"].read()
        )

    def events_put(self):
        """Return the events as (detail-type, detail)."""
        entries = [entry for call in self.events.called("put_events") for entry in call["Entries"]]
        return [(entry["DetailType"], json.loads(entry["Detail"])) for entry in entries]

"""What is put into the watched bucket, and what becomes of its events: they come late, twice, in any order, or never."""

import json
from datetime import UTC, datetime

from hypothesis import strategies as st

from tests.harness.product import BUCKET, UPLOADS
from tests.harness.videos import unreadable
from tests.model.ground import UPLOAD_KEYS, Ground, kind, videos

upload_bodies = st.one_of(videos, videos, videos, st.sampled_from([unreadable(), b"no video"]))
MOST_EVENTS = 40


def event(key, size, at):
    """Return S3's event of an upload, as EventBridge puts it into a queue."""
    return json.dumps(
        {
            "detail-type": "Object Created",
            "source": "aws.s3",
            "time": datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "detail": {"bucket": {"name": BUCKET}, "object": {"key": key, "size": size, "etag": "of the event"}},
        }
    )


def _has_events(model):
    return model.events


class Uploads(Ground):
    """Uploads, their events, and people who pause the watch."""

    def __init__(self):
        super().__init__()
        self.events = []

    @kind("upload", weight=4)
    def upload(self, draw):
        """A key is uploaded, perhaps not for the first time; its event comes once, twice, or not for now."""
        key, body = draw(st.sampled_from(UPLOAD_KEYS)), draw(upload_bodies)
        self.world.objects.write(BUCKET, key, body)
        self.events.append(event(key, len(body), self.world.clock.now()))
        for _ in range(draw(st.sampled_from([1, 1, 1, 2, 0]))):
            self.people.send_upload(self.events[-1])
        self.world.rest(draw(st.sampled_from([0, 0, 5])))

    @kind("event of an upload again", when=_has_events)
    def event_again(self, draw):
        """An event comes, late or again."""
        self.people.send_upload(draw(st.sampled_from(self.events)))
        self.world.rest(draw(st.sampled_from([0, 5])))

    @kind("upload's message lost", when=_has_events, weight=3)
    def lose_upload(self, draw):
        """The queue of uploads loses a message before anybody receives it, or it becomes a dead letter."""
        self.people.send_upload(draw(st.sampled_from(self.events)))
        messages = self.world.messages(UPLOADS)._messages
        message = messages.pop(draw(st.sampled_from(list(messages))))
        if draw(st.booleans()):
            message.visible_at = self.world.clock.now()
            self.world.messages(f"{UPLOADS}-dead").add(message)

    @kind("upload deleted", when=_has_events, weight=3)
    def delete_upload(self, draw):
        """What was uploaded is deleted."""
        self.world.objects.delete(BUCKET, draw(st.sampled_from(UPLOAD_KEYS)))

    @kind("watch paused")
    def pause_watch(self, _draw):
        """The watch is paused."""
        self.people.watch(paused=True)

    @kind("watch resumed")
    def resume_watch(self, _draw):
        """The watch goes on."""
        self.people.watch(paused=False)

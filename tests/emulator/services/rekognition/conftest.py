"""The engines of moderation with plain objects around them."""

from dataclasses import dataclass, field

import pytest

from tools.emulator.core import ManualClock, NoSuchObjectError, StoredObject
from tools.emulator.services.rekognition.backend import ContentModeration
from tools.emulator.services.rekognition.images import ImageModeration
from tools.emulator.services.rekognition.picture import CardReader
from tools.emulator.services.rekognition.video import Analysis, Sighting, UnanalysableError, VideoMetadata
from tools.emulator.settings import EmulatorSettings

TOPIC = "arn:aws:sns:us-east-1:111122223333:completions"
ROLE = "arn:aws:iam::111122223333:role/notify"


@dataclass
class Shelf:
    """S3 as a dictionary by (bucket, key, version); reading raises an exception that is stored there."""

    objects: dict = field(default_factory=dict)

    def put(self, key, body=b"", *, size=None, version_id=None):
        """Store an object in the one bucket."""
        stored = StoredObject(body, "etag", len(body) if size is None else size, version_id)
        self.objects["amzn-s3-demo-bucket", key, version_id] = stored

    def read(self, bucket, key, version_id=None):
        """Return it, or raise the exception stored instead."""
        found = self.objects.get((bucket, key, version_id), NoSuchObjectError())
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class Mailbag:
    """SNS that keeps what was published; only `TOPIC` exists."""

    messages: list = field(default_factory=list)

    def publish(self, topic_arn, message):
        """Keep a message."""
        if topic_arn != TOPIC:
            raise LookupError(topic_arn)
        self.messages.append(message)


class Script:
    """An analyser that reads what it finds from the object: seconds, then `label=confidence@ms` words, or what goes wrong."""

    def analyse(self, body):
        """Return or raise what the object says."""
        words = body.decode().split(";")
        if words[0] == "unreadable":
            raise UnanalysableError("Unsupported codec/format.")
        if words[0] == "bug":
            raise RuntimeError("the decoder fell over")
        metadata = VideoMetadata("h264", round(float(words[0]) * 1_000), "QuickTime / MOV", 25.0, 96, 128, "LIMITED")
        return Analysis(metadata, tuple(self._sighting(word) for word in words[1:]))

    def _sighting(self, word):
        label, _, rest = word.partition("=")
        confidence, _, at_ms = rest.partition("@")
        return Sighting(int(at_ms), label, float(confidence))


@dataclass
class Bench:
    """An engine with its neighbours, and shorthands for its calls."""

    clock: ManualClock
    objects: Shelf
    topics: Mailbag
    analyser: Script
    moderation: ContentModeration
    images: ImageModeration

    def parameters(self, key="video.mp4", **more):
        """Return what StartContentModeration is asked with."""
        channel = {"SNSTopicArn": TOPIC, "RoleArn": ROLE}
        return {"Video": {"S3Object": {"Bucket": "amzn-s3-demo-bucket", "Name": key}}, "NotificationChannel": channel} | more

    def start(self, key="video.mp4", **more):
        """Start a job and return its id."""
        return self.moderation.start(self.parameters(key, **more))["JobId"]

    def get(self, job_id, **more):
        """Return a page of a job."""
        return self.moderation.get({"JobId": job_id} | more)

    def finished(self, key="video.mp4", **more):
        """Start a job, wait for its end, and return its id."""
        job_id = self.start(key, **more)
        self.clock.run_until_idle()
        return job_id


@pytest.fixture
def bench():
    """Return a maker of benches; settings by keyword. A video of 30 s without labels is stored as video.mp4."""

    def make(**settings):
        clock, objects, topics, analyser = ManualClock(), Shelf(), Mailbag(), Script()
        objects.put("video.mp4", b"30")
        limits = EmulatorSettings(**settings)
        moderation = ContentModeration(clock=clock, settings=limits, objects=objects, topics=topics, analyser=analyser)
        images = ImageModeration(clock=clock, settings=limits, objects=objects, analyser=CardReader())
        return Bench(clock, objects, topics, analyser, moderation, images)

    return make

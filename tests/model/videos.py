"""Videos that say what is to be seen in them, S3 that holds them, and the eyes that see it."""

import json

from tests.model.clients import Objects
from tests.model.product import BUCKET
from tools.emulator.services.rekognition.video import Analysis, Sighting, UnanalysableError, VideoMetadata

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"


def video(seconds=30, best=None, *, reason=None, content=0):
    """Return a video: a label seen with a confidence or none, or why it cannot be analysed; another content, another etag."""
    return MP4 + json.dumps({"seconds": seconds, "best": best, "reason": reason, "content": content}).encode()


def content_of(body):
    """Return what an object says that is to be seen in it."""
    return json.loads(body.removeprefix(MP4)) if body.startswith(MP4) else {"reason": "Unsupported codec/format."}


class Eyes:
    """Sees in a video what the video says."""

    def analyse(self, body):
        """Return what is seen, or raise why nothing can be."""
        content = content_of(body)
        if content["reason"]:
            raise UnanalysableError(content["reason"])
        metadata = VideoMetadata("h264", content["seconds"] * 1_000, "QuickTime / MOV", 25.0, 96, 128, "LIMITED")
        seen = () if content["best"] is None else (Sighting(1_000, "Weapons", float(content["best"])),)
        return Analysis(metadata, seen)


class Videos(Objects):
    """S3, what may be seen in its videos, and which keys were ever none."""

    def __init__(self):
        super().__init__()
        self.no_videos = set()

    def write(self, bucket, key, body):
        """Store an object."""
        super().write(bucket, key, body)
        if bucket == BUCKET and not body.startswith(MP4):
            self.no_videos.add(key)

    def seen(self, key):
        """Return with which confidence something is seen in a video of the bucket; None where nothing can be."""
        content = content_of(self.stored[BUCKET, key])
        return None if content["reason"] else content["best"]

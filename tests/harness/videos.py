"""Videos of a few bytes that begin like an MP4 and state what Rekognition sees in them, and the analyser that reads it."""

import json

from tools.emulator.services.rekognition.video import Analysis, Sighting, UnanalysableError, VideoMetadata

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"


def video(*sightings, seconds=30, content=0):
    """Return a video in which these labels are seen: (milliseconds, label, confidence); another `content` gives another etag."""
    return MP4 + json.dumps({"seconds": seconds, "sightings": sightings, "content": content}).encode()


def unreadable(reason="Unsupported codec/format."):
    """Return a video that Rekognition fails to analyse."""
    return MP4 + json.dumps({"reason": reason}).encode()


def content_of(body):
    """Return what an object states about its content."""
    return json.loads(body.removeprefix(MP4)) if body.startswith(MP4) else {"reason": "Unsupported codec/format."}


class Eyes:
    """Sees in a video what the video states."""

    def analyse(self, body):
        """Return what is seen, or raise why the analysis fails."""
        content = content_of(body)
        if "reason" in content:
            raise UnanalysableError(content["reason"])
        metadata = VideoMetadata("h264", content["seconds"] * 1_000, "QuickTime / MOV", 25.0, 96, 128, "LIMITED")
        return Analysis(metadata, tuple(Sighting(*sighting) for sighting in content["sightings"]))

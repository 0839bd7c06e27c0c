"""Videos of a few bytes, which begin like an MP4 and say what Rekognition is to see in them, and the eyes that see it."""

import json

from tools.emulator.services.rekognition.video import Analysis, Sighting, UnanalysableError, VideoMetadata

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"


def video(*sightings, seconds=30):
    """Return a video in which these are seen: (milliseconds, label, confidence)."""
    return MP4 + json.dumps({"seconds": seconds, "sightings": sightings}).encode()


def unreadable(reason="Unsupported codec/format."):
    """Return a video that Rekognition gives up on."""
    return MP4 + json.dumps({"reason": reason}).encode()


class Eyes:
    """Sees in a video what the video says."""

    def analyse(self, body):
        """Return what is seen, or raise why nothing can be."""
        content = json.loads(body.removeprefix(MP4))
        if "reason" in content:
            raise UnanalysableError(content["reason"])
        metadata = VideoMetadata("h264", content["seconds"] * 1_000, "QuickTime / MOV", 25.0, 96, 128, "LIMITED")
        return Analysis(metadata, tuple(Sighting(*sighting) for sighting in content["sightings"]))

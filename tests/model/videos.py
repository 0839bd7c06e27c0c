"""S3 of the model: what may be seen in its videos, and which keys were ever none."""

from tests.harness.direct import Objects
from tests.harness.product import BUCKET
from tests.harness.videos import MP4, content_of, video


def weapons(seconds, best, content=0):
    """Return a video in which weapons are seen with a confidence, or nothing is."""
    sightings = () if best is None else ((1_000, "Weapons", float(best)),)
    return video(*sightings, seconds=seconds, content=content)


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
        return max((confidence for _, _, confidence in content_of(self.stored[BUCKET, key]).get("sightings", ())), default=None)

"""S3 of the model: what can be seen in its videos, and which keys ever held something other than a video."""

from handlers.domain.watch import Watch
from tests.harness.direct import Objects
from tests.harness.product import BUCKET
from tests.harness.videos import MP4, content_of, video

# Keys that a manifest names are not watched, so that each key has one story.
WATCH = Watch(BUCKET, prefixes=("uploads/",))


def weapons(seconds, best, content=0):
    """Return a video that shows weapons with a confidence, or nothing."""
    sightings = () if best is None else ((1_000, "Weapons", float(best)),)
    return video(*sightings, seconds=seconds, content=content)


class Videos(Objects):
    """S3, what can be seen in its videos, and which keys ever held something other than a video; `contents` are kept by etag."""

    def __init__(self, clock, contents):
        super().__init__(clock)
        self.no_videos = set()
        self._contents = contents

    def write(self, bucket, key, body):
        """Store an object."""
        super().write(bucket, key, body)
        self._contents[self.read(bucket, key).etag] = body
        if bucket == BUCKET and not body.startswith(MP4):
            self.no_videos.add(key)

    def seen(self, key):
        """Return the confidence with which something is seen in a video of the bucket; None if nothing is."""
        return max((confidence for _, _, confidence in content_of(self.stored[BUCKET, key]).get("sightings", ())), default=None)

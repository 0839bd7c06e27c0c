"""S3 of the model: what can be seen in its videos, their versions and tags, and which keys ever held no video."""

from itertools import count

from handlers.domain.watch import Watch
from tests.harness.direct import Objects
from tests.harness.product import BUCKET, VERSIONED, WORK
from tests.harness.videos import MP4, content_of, video
from tools.emulator.core.ports import NoSuchObjectError

# Keys that a manifest names are not watched, so that each key has one story.
WATCH = Watch(BUCKET, prefixes=("uploads/",))


def weapons(seconds, best, content=0):
    """Return a video that shows weapons with a confidence, or nothing."""
    sightings = () if best is None else ((1_000, "Weapons", float(best)),)
    return video(*sightings, seconds=seconds, content=content)


class Videos(Objects):
    """S3, what can be seen in its videos, and which keys ever held something other than a video; `contents` are kept by etag.

    One bucket has versions; in the others a version is None, and a new content has no tags.
    """

    def __init__(self, clock, contents, marks):
        super().__init__(clock)
        self.no_videos = set()
        self._contents = contents
        self._marks = marks
        self._current = {}  # (bucket, key) -> version
        self._bodies = {}  # (bucket, key, version) -> body, also of earlier versions
        self._numbers = count(1)

    def read(self, bucket, key, version_id=None):
        """Return an object, or a version of it."""
        version = self._current.get((bucket, key)) if version_id is None else version_id
        if bucket != VERSIONED:
            return super().read(bucket, key)
        if (bucket, key, version) not in self._bodies:
            raise NoSuchObjectError(f"s3://{bucket}/{key}")
        return self.described(self._bodies[bucket, key, version], version)

    def write(self, bucket, key, body):
        """Store an object."""
        super().write(bucket, key, body)
        version = f"version-{next(self._numbers)}" if bucket == VERSIONED else None
        self._current[bucket, key] = version
        self._bodies[bucket, key, version] = body
        found = self.read(bucket, key)
        self._contents[found.etag] = body
        if bucket != WORK:
            self._marks.put((bucket, key, version), found.etag)
            if not body.startswith(MP4):
                self.no_videos.add(key)

    def delete(self, bucket, key):
        """Delete an object; its versions stay."""
        super().delete(bucket, key)
        if self._current.pop((bucket, key), None) is None:
            self._marks.deleted((bucket, key, None))

    def tags(self, bucket, key, version_id=None):
        """Return an object's tags."""
        return self._marks.tags[bucket, key, self.read(bucket, key, version_id).version_id]

    def put_tags(self, bucket, key, tags, version_id=None):
        """Replace an object's tags."""
        self._marks.tagged((bucket, key, self.read(bucket, key, version_id).version_id), tags)

    def seen(self, entry):
        """Return the confidence with which something is seen in the video of a job; None if nothing is."""
        sightings = content_of(self.read(entry.bucket, entry.key, entry.version_id).body).get("sightings", ())
        return max((confidence for _, _, confidence in sightings), default=None)

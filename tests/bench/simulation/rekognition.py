"""The emulator's Rekognition in the simulated world: lags and notices are drawn, and everything is written into the timeline."""

import itertools
from datetime import UTC, datetime

from tests.bench.simulation import world as worlds
from tests.harness.product import BUCKET
from tests.harness.videos import MP4
from tools.emulator.core.ports import NoSuchObjectError, StoredObject
from tools.emulator.services.rekognition.backend import ContentModeration
from tools.emulator.services.rekognition.jobs import IN_PROGRESS
from tools.emulator.services.rekognition.video import Analysis, Sighting, VideoMetadata

ETAG = "0123456789abcdef0123456789abcdef"
# What is seen in a flagged video: with the label's parents six rows, merged into three segments.
_SEEN = (Sighting(1_000, "Smoking", 97.5), Sighting(1_500, "Smoking", 91.0))


class Videos:
    """S3 and the eyes of Rekognition in one: an object's body names its key. Implements the emulator's `Objects` and `Analyser`."""

    def __init__(self, world):
        self._world = world
        self._others = {}
        # When each video was put, by its number; those of a scan were there before anything else.
        self.put_at = dict.fromkeys(range(world.setting.videos - world.setting.uploads), 0)

    def read(self, bucket, key, version_id=None):
        """Return an object: a video, or what was written before."""
        if bucket == BUCKET:
            if worlds.number_of(key) not in self.put_at:
                raise NoSuchObjectError
            return StoredObject(MP4 + key.encode(), ETAG, 10_000_000, None)
        try:
            body = self._others[bucket, key]
        except KeyError:
            raise NoSuchObjectError from None
        return StoredObject(body, ETAG, len(body), None, "AES256")

    def modified_at(self, bucket, key):
        """Return when an object was put, in whole seconds, as S3 has it."""
        return datetime.fromtimestamp(int(self.put_at.get(worlds.number_of(key), 0)) if bucket == BUCKET else 0, UTC)

    def listed(self, bucket, *, after, most):
        """Return the next keys of the source bucket in order."""
        first = worlds.number_of(after) + 1 if after else 0
        numbers = range(first, self._world.setting.videos) if bucket == BUCKET else ()
        return [worlds.key_of(number) for number in itertools.islice((each for each in numbers if each in self.put_at), most)]

    def write(self, bucket, key, body):
        """Store an object that is not a video."""
        self._others[bucket, key] = body

    def written(self, prefix):
        """Return the keys and bodies of what was written below a prefix."""
        return [(key, body) for (_, key), body in self._others.items() if key.startswith(prefix)]

    def analyse(self, body):
        """Return what is in a video."""
        number = worlds.number_of(body.removeprefix(MP4).decode())
        metadata = VideoMetadata("h264", self._world.lengths_ms[number], "QuickTime / MOV", 25.0, 720, 1280, "LIMITED")
        return Analysis(metadata, _SEEN if self._world.flagged[number] else ())


class Moderation(ContentModeration):
    """Content moderation for one account, as the world's dice have it."""

    def __init__(self, world, timeline, **engines):
        super().__init__(**engines)
        self._world = world
        self._timeline = timeline
        self._entries = {}

    def start(self, parameters):
        """Answer StartContentModeration; for a mutant its token is forgotten."""
        self._timeline.calls += 1
        if self._world.setting.without == "token":
            parameters = {name: value for name, value in parameters.items() if name != "ClientRequestToken"}
        return super().start(parameters)

    def get(self, parameters):
        """Answer GetContentModeration."""
        self._timeline.calls += 1
        return super().get(parameters)

    def quota_lag_seconds(self, job):
        """Return for how long a job that is over still counts against the quota: drawn for each video."""
        return self._world.quota_lags[worlds.number_of(job.request.key)]

    def _open(self, request, body, now):
        job = super()._open(request, body, now)
        self._entries[job.job_id] = self._timeline.note_opened(worlds.number_of(request.key), now)
        return job

    def _finish(self, job, outcome):
        now = self._clock.now()
        self._timeline.note_closed(self._entries[job.job_id], now, now + self.quota_lag_seconds(job))
        super()._finish(job, outcome)

    def _notify(self, job, channel):
        number = worlds.number_of(job.request.key)
        for _ in range(worlds.COPIES[self._world.notices[number]]):
            self._clock.call_later(self._world.notice_seconds(number), lambda: self._publish(job, channel))

    def _page(self, job, request, now):
        answer = super()._page(job, request, now)
        # Who asks for one row asks how the job stands.
        if job.status != IN_PROGRESS and "NextToken" not in answer and request.page_size > 1:
            self._timeline.note_read(self._entries[job.job_id], now)
        return answer

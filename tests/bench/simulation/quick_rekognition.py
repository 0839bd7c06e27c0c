"""Rekognition in memory: quota, rates, tokens, jobs and notices of the emulator's engine, in as few bytes as may be."""

from collections import deque
from functools import partial
from math import isnan
from types import SimpleNamespace

from tests.bench.simulation import clients
from tests.bench.simulation import world as worlds
from tests.bench.simulation.rekognition import ROWS
from tools.emulator.services.rekognition.backend import KEPT_SECONDS
from tools.emulator.services.rekognition.errors import RekognitionError
from tools.emulator.services.rekognition.quotas import RateLimit

FULL = clients.refusal("LimitExceededException")
TOO_FAST = clients.refusal("ProvisionedThroughputExceededException")
UNKNOWN_JOB = clients.refusal("ResourceNotFoundException")


class QuickRekognition:
    """Rekognition's quota, rates, tokens, jobs and notices; `notify(job_id)` is called when a notice arrives."""

    def __init__(self, world, book, clock, settings):
        self._world = world
        self._book = book
        self._clock = clock
        self._settings = settings
        self._starts = RateLimit(settings.starts_per_second)
        self._gets = RateLimit(settings.gets_per_second)
        self._counted = {}
        self._tokens = {}
        self._tags = {}
        self._opened = deque()
        self._over = deque()
        self.notify = None

    def client(self, environment, *, token=True):
        """Return a client for an environment; without `token` Start forgets its ClientRequestToken."""
        start = self._start if token else self._start_without_token

        def start_content_moderation(**parameters):
            return environment.call("rekognition.StartContentModeration", start, parameters)

        def get_content_moderation(**parameters):
            return environment.call("rekognition.GetContentModeration", self._get, parameters)

        return SimpleNamespace(start_content_moderation=start_content_moderation, get_content_moderation=get_content_moderation)

    def _start_without_token(self, parameters):
        return self._start({**parameters, "ClientRequestToken": None})

    def _start(self, parameters):
        self._book.calls += 1
        now, token = self._clock.now(), parameters["ClientRequestToken"]
        _admit(self._starts, now)
        self._forget(now)
        job = self._tokens.get(token)
        if job is None:
            self._refuse_when_full(now)
            job = self._open(parameters, now)
            if token is not None:
                self._tokens[token] = job
                self._opened.append((now, token))
        return {"JobId": str(job)}

    def _refuse_when_full(self, now):
        for job in [job for job, until in self._counted.items() if until <= now]:
            del self._counted[job]
        if len(self._counted) >= self._settings.account_jobs:
            raise FULL.with_traceback(None)

    def _open(self, parameters, now):
        number = worlds.number_of(parameters["Video"]["S3Object"]["Name"])
        job = self._book.note_opened(number, now)
        self._tags[job] = parameters["JobTag"]
        self._counted[job] = float("inf")
        takes = self._settings.analysis_base_seconds + self._settings.analysis_factor * (self._world.lengths_ms[number] / 1_000)
        self._clock.call_later(now + takes - now, partial(self._finish, job, number))
        return job

    def _finish(self, job, number):
        now = self._clock.now()
        until = now + self._world.quota_lags[number]
        self._book.note_closed(job, now, until)
        self._counted[job] = until
        self._over.append((now, job))
        for _ in range(worlds.COPIES[self._world.notices[number]]):
            self._clock.call_later(self._world.notice_seconds(number), partial(self.notify, str(job)))

    def _get(self, parameters):
        self._book.calls += 1
        now, job = self._clock.now(), int(parameters["JobId"])
        _admit(self._gets, now)
        self._forget(now)
        if job not in self._tags:
            raise UNKNOWN_JOB.with_traceback(None)
        number = self._book.video[job]
        closed = self._book.closed[job]
        answer = {
            "JobStatus": "IN_PROGRESS",
            "Video": {"S3Object": {"Bucket": worlds.BUCKET, "Name": worlds.key_of(number)}},
            "JobTag": self._tags[job],
            "ModerationLabels": [],
        }
        if not isnan(closed):
            answer["JobStatus"] = "SUCCEEDED"
            answer["VideoMetadata"] = {"DurationMillis": self._world.lengths_ms[number]}
            answer["ModerationModelVersion"] = "7.0"
            answer["ModerationLabels"] = ROWS[: parameters["MaxResults"]] if self._world.flagged[number] else []
            if parameters["MaxResults"] > 1:
                self._book.note_read(job, now)
        return answer

    def _forget(self, now):
        while self._opened and self._opened[0][0] + KEPT_SECONDS <= now:
            self._tokens.pop(self._opened.popleft()[1], None)
        while self._over and self._over[0][0] + KEPT_SECONDS <= now:
            self._tags.pop(self._over.popleft()[1], None)


def _admit(limit, now):
    try:
        limit.admit(now)
    except RekognitionError:
        raise TOO_FAST.with_traceback(None) from None

"""The engine of content moderation: starting jobs within quotas, ending them, sending notices, answering pages.

Not imitated: other video operations that share the job quota, the permissions of the caller and of the notification role, and
results aggregated by SEGMENTS (refused by name). Sources: https://docs.aws.amazon.com/rekognition/latest/dg/api-video.html and
the pages named at each constant.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from typing import Any

from tools.emulator.core import Clock, NoSuchObjectError, ObjectArchivedError, ObjectForbiddenError, Objects, StoredObject, Topics
from tools.emulator.services.rekognition.errors import RekognitionError, no_object
from tools.emulator.services.rekognition.faults import Faults
from tools.emulator.services.rekognition.jobs import FAILED, IN_PROGRESS, Job
from tools.emulator.services.rekognition.ledger import Ledger, LedgerEntry
from tools.emulator.services.rekognition.pages import PageTokens, in_order
from tools.emulator.services.rekognition.parameters import GetRequest, StartRequest, get_request, start_request
from tools.emulator.services.rekognition.quotas import RateLimit
from tools.emulator.services.rekognition.video import Analyser, Analysis, UnanalysableError
from tools.emulator.settings import EmulatorSettings

# https://docs.aws.amazon.com/rekognition/latest/dg/limits.html: stored videos up to 10 GB.
LARGEST_VIDEO = 10 * 1024**3
# https://docs.aws.amazon.com/rekognition/latest/dg/api-video.html: tokens and results are kept for 7 days.
KEPT_SECONDS = 7 * 86_400
log = logging.getLogger(__name__)


class ContentModeration:
    """StartContentModeration and GetContentModeration for one account in one Region.

    Calls may come from any thread. Videos are decoded and notices sent in actions of the clock, never during a call.

    Attributes:
        ledger: The jobs that ran, as evidence for tests.
        faults: Orders for Starts and notices to fail.
    """

    def __init__(self, *, clock: Clock, settings: EmulatorSettings, objects: Objects, topics: Topics, analyser: Analyser) -> None:
        self.ledger = Ledger()
        self.faults = Faults()
        self._clock = clock
        self._settings = settings
        self._objects = objects
        self._topics = topics
        self._analyser = analyser
        self._lock = threading.RLock()
        self._starts = RateLimit(settings.starts_per_second)
        self._gets = RateLimit(settings.gets_per_second)
        self._page_tokens = PageTokens()
        self._jobs: dict[str, Job] = {}
        self._counted: dict[str, Job] = {}  # against the quota
        self._by_token: OrderedDict[str, Job] = OrderedDict()  # oldest first
        self._finished: OrderedDict[str, Job] = OrderedDict()  # in order of their end

    def start(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer StartContentModeration with `{"JobId": ...}`, or raise `RekognitionError`."""
        with self._lock:
            try:
                job_id, answer = self._start(parameters)
                if answer == "Started":
                    self.faults.starts.after()
            except RekognitionError as error:
                self.ledger.answered(error.code)
                raise
            self.ledger.answered(answer)
            return {"JobId": job_id}

    def get(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer GetContentModeration with one page, or raise `RekognitionError`."""
        request = get_request(parameters)
        with self._lock:
            now = self._clock.now()
            self._gets.admit(now)
            self._forget(now)
            job = self._jobs.get(request.job_id)
            if job is None:
                raise RekognitionError("ResourceNotFoundException", "Could not find JobId")
            return self._page(job, request, now)

    def quota_lag_seconds(self, job: Job) -> float:  # noqa: ARG002 # a subclass may draw it for each job
        """Return for how long a finished job counts against the quota."""
        return self._settings.quota_lag_seconds

    def _start(self, parameters: Mapping[str, Any]) -> tuple[str, str]:
        request = start_request(parameters)
        now = self._clock.now()
        self._starts.admit(now)
        self.faults.starts.before()
        self._forget(now)
        if not self._settings.full_account_answers_repeated_token:
            self._refuse_when_full(now)
        known = self._known(request)
        if known is not None:
            return known.job_id, "Repeated"
        self._refuse_when_full(now)
        stored = self._read(request)
        return self._open(request, stored.body, now).job_id, "Started"

    def _known(self, request: StartRequest) -> Job | None:
        job = self._by_token.get(request.token or "")
        if job is not None and job.request != request:
            raise RekognitionError(
                "IdempotentParameterMismatchException", "A ClientRequestToken was reused with other parameters than before."
            )
        return job

    def _refuse_when_full(self, now: float) -> None:
        for job in list(self._counted.values()):
            if job.closed_at is not None and job.closed_at + self.quota_lag_seconds(job) <= now:
                del self._counted[job.job_id]
        if len(self._counted) >= self._settings.account_jobs:
            account = f"arn:aws:iam::{self._settings.account_id}:root"
            raise RekognitionError(
                "LimitExceededException",
                f"{len(self._counted)} open Jobs for User {account} Maximum limit: {self._settings.account_jobs}",
            )

    def _read(self, request: StartRequest) -> StoredObject:
        try:
            stored = self._objects.read(request.bucket, request.key, request.version_id)
        except (NoSuchObjectError, ObjectArchivedError, ObjectForbiddenError):
            raise no_object() from None
        if stored.size > LARGEST_VIDEO:
            raise RekognitionError("VideoTooLargeException", "The video is larger than 10 GB.")
        return stored

    def _open(self, request: StartRequest, body: bytes, now: float) -> Job:
        job = Job(secrets.token_hex(32), request, opened_at=now)
        self._jobs[job.job_id] = self._counted[job.job_id] = job
        if request.token is not None:
            self._by_token[request.token] = job
        self.ledger.opened(
            LedgerEntry(job.job_id, request.bucket, request.key, request.version_id, request.token, request.tag, opened_at=now)
        )
        self._clock.call_later(0, partial(self._analyse, job, body))
        return job

    def _analyse(self, job: Job, body: bytes) -> None:
        """Analyse the video, and plan the end of the job for when Rekognition would be done."""
        outcome = self._outcome(job, body)
        video_seconds = outcome.metadata.duration_ms / 1_000 if isinstance(outcome, Analysis) else 0.0
        takes = self._settings.analysis_base_seconds + self._settings.analysis_factor * video_seconds
        self._clock.call_later(job.opened_at + takes - self._clock.now(), partial(self._finish, job, outcome))

    def _outcome(self, job: Job, body: bytes) -> Analysis | str:
        try:
            return self._analyser.analyse(body)
        except UnanalysableError as error:
            return str(error)
        except Exception:  # the job must end, whatever a hostile file does to the decoder
            log.exception("job %s could not be analysed", job.job_id)
            return "Internal server error."

    def _finish(self, job: Job, outcome: Analysis | str) -> None:
        with self._lock:
            now = self._clock.now()
            if isinstance(outcome, Analysis):
                job.succeed(outcome, now)
            else:
                job.fail(outcome, now)
            self._finished[job.job_id] = job
            minutes = job.metadata.duration_ms / 60_000 if job.metadata else 0.0
            self.ledger.closed(job.job_id, now, job.status, minutes)
        if job.request.topic_arn is not None:
            self._notify(job, job.request.topic_arn)

    def _notify(self, job: Job, topic_arn: str) -> None:
        order = self.faults.next_notice()
        for _ in range(order.copies):
            if order.delay_seconds:
                self._clock.call_later(order.delay_seconds, partial(self._publish, job, topic_arn))
            else:
                self._publish(job, topic_arn)

    def _publish(self, job: Job, topic_arn: str) -> None:
        try:
            self._topics.publish(topic_arn, job.notice())
        except LookupError:  # AWS does not report this either
            log.warning("the notice of job %s has no topic: %s", job.job_id, topic_arn)
        else:
            self.ledger.noticed(job.job_id)

    def _page(self, job: Job, request: GetRequest, now: float) -> dict[str, Any]:
        offset = self._page_tokens.offset(request, now)
        end = offset + request.page_size
        more = job.status != IN_PROGRESS and end < len(job.rows)
        return {
            **job.description(named=self._settings.failed_answers_name_video or job.status != FAILED),
            "ModerationLabels": list(in_order(job.rows, request.sort_by)[offset:end]),
            "GetRequestMetadata": {"SortBy": request.sort_by, "AggregateBy": request.aggregate_by},
            **({"NextToken": self._page_tokens.issue(request, end, now)} if more else {}),
        }

    def _forget(self, now: float) -> None:
        """Drop tokens 7 days after their start and results 7 days after their end."""
        while self._by_token and next(iter(self._by_token.values())).opened_at + KEPT_SECONDS <= now:
            self._by_token.popitem(last=False)
        while self._finished and (next(iter(self._finished.values())).closed_at or now) + KEPT_SECONDS <= now:
            job_id, _ = self._finished.popitem(last=False)
            del self._jobs[job_id]

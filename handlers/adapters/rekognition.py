"""Rekognition: starting an analysis, and reading one.

Sources: botocore rekognition StartContentModeration, GetContentModeration; Rekognition developer guide, api-video, error-handling.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters import aws_errors
from handlers.adapters.aws_errors import Fault, ThrottledError, fault_of
from handlers.domain import Analysis, JobStatus, Page, Problem, StartParameters, Video
from handlers.domain import analysis as answers
from handlers.runtime import Clock, backoff_seconds

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_rekognition import RekognitionClient

# The largest page (botocore: GetContentModeration MaxResults).
PAGE_SIZE = 1_000


@dataclass(frozen=True, slots=True)
class Started:
    """The analysis runs, or ran before under the same token."""

    job_id: str


@dataclass(frozen=True, slots=True)
class NotStarted:
    """No job is known to have been started.

    Faults: REFUSED (all of the account's jobs run, or calls come too fast); UNKNOWN whether a job was started; OBJECT, which cannot
    be analysed; MISMATCH, the token belongs to a job with other parameters. Any other is our own fault.
    """

    fault: Fault
    problem: Problem


class NoSuchJobError(Exception):
    """Rekognition does not know the job, or no longer: it keeps results for 7 days."""


class StalePagesError(Exception):
    """A page token has expired: discard what was read, and read again from the first page."""


class AnalysisStarter:
    """Starts analyses; no other code does. Its client must not retry (see `handlers/runtime/clients.py`)."""

    def __init__(self, client: RekognitionClient) -> None:
        self._client: Any = client  # parameters are built as dicts, which the stubs' TypedDicts do not take

    def start(self, analysis: Analysis, video: Video, parameters: StartParameters) -> Started | NotStarted:
        """Start an analysis; for 7 days the same token and parameters return the same job."""
        version = {} if parameters.version_id is None else {"Version": parameters.version_id}
        try:
            answer = self._client.start_content_moderation(
                Video={"S3Object": {"Bucket": video.bucket, "Name": video.key, **version}},
                MinConfidence=parameters.min_confidence,
                ClientRequestToken=analysis.token,
                JobTag=analysis.tag,
                NotificationChannel={"SNSTopicArn": parameters.topic_arn, "RoleArn": parameters.role_arn},
            )
        except (BotoCoreError, ClientError) as error:
            return NotStarted(fault_of(error), Problem(aws_errors.code_of(error), aws_errors.message_of(error)))
        return Started(answer["JobId"])


class AnalysisReader:
    """Reads analyses; throttled calls are retried."""

    def __init__(self, client: RekognitionClient, clock: Clock) -> None:
        self._client: Any = client  # parameters are built as dicts, which the stubs' TypedDicts do not take
        self._clock = clock

    def pages(self, job_id: str, *, until: float) -> Iterator[Page]:
        """Yield a job's pages, hits in time order, until the time `until` (epoch seconds).

        Raises:
            NoSuchJobError: Rekognition does not know the job.
            StalePagesError: Read again from the first page.
            ThrottledError: Rekognition kept throttling or failing until `until`.
        """
        token: str | None = None
        while True:
            page = self._page(job_id, token, until)
            yield page
            token = page.next_token
            if token is None:
                return

    def poll(self, job_id: str) -> JobStatus:
        """Return the status of a job, in one call; other errors are raised unchanged.

        Raises:
            NoSuchJobError: Rekognition does not know the job.
        """
        try:
            return answers.page(self._client.get_content_moderation(JobId=job_id, MaxResults=1)).facts.status
        except (BotoCoreError, ClientError) as error:
            _raise_unless_transient(error, first=True, in_time=False)
            raise

    def _page(self, job_id: str, token: str | None, until: float) -> Page:
        # SortBy must be the same on all pages; TIMESTAMPS keeps every hit, SEGMENTS would merge them.
        request = {"JobId": job_id, "MaxResults": PAGE_SIZE, "SortBy": "TIMESTAMP", "AggregateBy": "TIMESTAMPS"}
        if token is not None:
            request["NextToken"] = token
        attempt = 0
        while True:
            try:
                return answers.page(self._client.get_content_moderation(**request))
            except (BotoCoreError, ClientError) as error:
                wait = backoff_seconds(attempt, base=0.2, cap=5.0)
                _raise_unless_transient(error, first=token is None, in_time=self._clock.now() + wait < until)
            self._clock.sleep(wait)
            attempt += 1


def _raise_unless_transient(error: Exception, *, first: bool, in_time: bool) -> None:
    match fault_of(error):
        # A job id that Rekognition never issued is refused as an invalid parameter, not as unknown.
        case Fault.MISSING:
            raise NoSuchJobError(aws_errors.message_of(error)) from error
        case Fault.PARAMETER if first:
            raise NoSuchJobError(aws_errors.message_of(error)) from error
        case Fault.STALE_PAGE:
            raise StalePagesError(aws_errors.message_of(error)) from error
        case fault if fault.transient and in_time:
            return
        case fault if fault.transient:
            raise ThrottledError(f"Rekognition kept refusing, last with {aws_errors.code_of(error)}") from error
    raise error

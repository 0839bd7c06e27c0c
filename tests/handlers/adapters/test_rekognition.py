"""Rekognition: what is requested, and what each refusal means for a Start, a poll and a page."""

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from handlers.adapters import AnalysisReader, AnalysisStarter, Fault, NoSuchJobError, NotStarted, Started
from handlers.adapters.aws_errors import ThrottledError
from handlers.adapters.rekognition import StalePagesError
from handlers.domain import JobStatus
from handlers.domain.record import StartParameters
from tests.handlers.doubles import COMPLETIONS, ROLE, Clock, Rekognition, client_error, time_out, waiting

RECORD = waiting()
START = StartParameters(None, 62.5, COMPLETIONS, ROLE)


@pytest.fixture(name="rekognition")
def _rekognition():
    return Rekognition(Clock())


@pytest.mark.parametrize(("version", "named"), [(None, {}), ("v1", {"Version": "v1"})])
def test_start(rekognition, version, named):
    """Start names the object with its version, token, tag and channel; the same parameters return the same job."""
    start = AnalysisStarter(rekognition).start
    parameters = replace(START, version_id=version)

    results = [start(RECORD.analysis, RECORD.video, parameters) for _ in range(2)]

    assert [Started("0" * 64)] * 2 == results
    assert {
        "Video": {"S3Object": {"Bucket": RECORD.video.bucket, "Name": "a.mp4", **named}},
        "MinConfidence": 62.5,
        "ClientRequestToken": RECORD.analysis.token,
        "JobTag": RECORD.analysis.tag,
        "NotificationChannel": {"SNSTopicArn": COMPLETIONS, "RoleArn": ROLE},
    } == rekognition.starts[0]


@pytest.mark.parametrize(
    ("error", "fault", "code"),
    [
        (client_error("LimitExceededException"), Fault.REFUSED, "LimitExceededException"),
        (client_error("ThrottlingException"), Fault.REFUSED, "ThrottlingException"),
        (client_error("ThrottlingException", 500), Fault.UNKNOWN, "ThrottlingException"),
        (client_error("InternalServerError", 500), Fault.UNKNOWN, "InternalServerError"),
        (time_out(), Fault.UNKNOWN, "ReadTimeoutError"),
        (client_error("InvalidS3ObjectException"), Fault.OBJECT, "InvalidS3ObjectException"),
        (client_error("VideoTooLargeException"), Fault.OBJECT, "VideoTooLargeException"),
        (client_error("IdempotentParameterMismatchException"), Fault.MISMATCH, "IdempotentParameterMismatchException"),
        (client_error("AccessDeniedException"), Fault.FORBIDDEN, "AccessDeniedException"),
        (client_error("InvalidParameterException"), Fault.PARAMETER, "InvalidParameterException"),
    ],
)
def test_not_started(rekognition, error, fault, code):
    """A Start that failed is a value: whose fault it was, and AWS's code and words."""
    rekognition.refuse_starts.append(error)

    result = AnalysisStarter(rekognition).start(RECORD.analysis, RECORD.video, START)

    assert NotStarted is type(result)
    assert (fault, code) == (result.fault, result.problem.code)
    assert result.problem.message == f"said {code}" or isinstance(error, type(time_out()))


@pytest.fixture(name="job")
def _job(rekognition):
    """Return a job of 2,500 hits that is over."""
    job_id = AnalysisStarter(rekognition).start(RECORD.analysis, RECORD.video, START).job_id
    rekognition.finish(job_id, [(at, "Weapons", "Violence", 2, 90.0) for at in range(2_500)])
    return job_id


def test_pages(rekognition, job):
    """Pages are of a thousand hits, by time and unmerged, until there is no further one."""
    reader = AnalysisReader(rekognition, rekognition._clock)

    pages = list(reader.pages(job, until=rekognition._clock.now() + 60))

    assert [1_000, 1_000, 500] == [len(page.hits) for page in pages]
    asked = {"JobId": job, "MaxResults": 1_000, "SortBy": "TIMESTAMP", "AggregateBy": "TIMESTAMPS"}
    assert [asked, {**asked, "NextToken": "1000"}, {**asked, "NextToken": "2000"}] == rekognition.gets


def test_poll(rekognition, job):
    """A poll is one call for one hit."""
    reader = AnalysisReader(rekognition, rekognition._clock)
    running = AnalysisStarter(rekognition).start(waiting("b.mp4").analysis, RECORD.video, START).job_id

    assert [JobStatus.SUCCEEDED, JobStatus.IN_PROGRESS] == [reader.poll(each) for each in (job, running)]
    assert [{"JobId": job, "MaxResults": 1}, {"JobId": running, "MaxResults": 1}] == rekognition.gets


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (client_error("ResourceNotFoundException"), NoSuchJobError),
        (client_error("InvalidParameterException"), NoSuchJobError),
        (client_error("ThrottlingException"), ThrottledError),
        (client_error("InternalServerError", 500), ThrottledError),
        (client_error("AccessDeniedException"), ClientError),
    ],
)
def test_poll_that_fails(rekognition, job, error, raised):
    """A poll is never repeated; a job that Rekognition does not know, or never issued, is named as such."""
    rekognition.refuse_gets.append(error)

    with pytest.raises(raised):
        AnalysisReader(rekognition, rekognition._clock).poll(job)

    assert (1, []) == (len(rekognition.gets), rekognition._clock.slept)


@pytest.mark.parametrize(
    ("error", "first", "later"),
    [
        (client_error("ResourceNotFoundException"), NoSuchJobError, NoSuchJobError),
        (client_error("InvalidParameterException"), NoSuchJobError, ClientError),
        (client_error("InvalidPaginationTokenException"), StalePagesError, StalePagesError),
        (client_error("AccessDeniedException"), ClientError, ClientError),
    ],
)
@pytest.mark.parametrize("page", [0, 1])
def test_page_that_is_refused(rekognition, job, error, first, later, page):
    """On the first page a parameter that is refused is the job's id; later it is a fault of ours."""
    rekognition.refuse_gets.extend([None] * page + [error])
    pages = AnalysisReader(rekognition, rekognition._clock).pages(job, until=rekognition._clock.now() + 60)

    with pytest.raises(later if page else first):
        list(pages)

    assert page + 1 == len(rekognition.gets)


@pytest.mark.parametrize(("seconds", "ends"), [(60.0, True), (0.1, False)])
def test_page_that_is_throttled(rekognition, job, seconds, ends):
    """Throttling is waited for while there is time, and then raised as such."""
    rekognition.refuse_gets.append(client_error("ThrottlingException"))
    pages = AnalysisReader(rekognition, rekognition._clock).pages(job, until=rekognition._clock.now() + seconds)

    if ends:
        assert 3 == len(list(pages))
    else:
        with pytest.raises(ThrottledError, match="ThrottlingException"):
            list(pages)


@pytest.mark.parametrize(("seconds", "calls"), [(1.0, 1), (1.001, 2), (2.001, 3)])
def test_until_when_a_page_is_waited_for(rekognition, job, monkeypatch, seconds, calls):
    """A wait that would not end before the time is not begun."""
    monkeypatch.setattr("handlers.adapters.rekognition.backoff_seconds", lambda _attempt, **_: 1.0)
    rekognition.refuse_gets.extend([client_error("ThrottlingException")] * 9)

    with pytest.raises(ThrottledError):
        next(AnalysisReader(rekognition, rekognition._clock).pages(job, until=rekognition._clock.now() + seconds))

    assert calls == len(rekognition.gets)

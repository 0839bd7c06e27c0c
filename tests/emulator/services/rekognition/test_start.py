"""StartContentModeration: what is refused, quotas, tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.emulator.core import ObjectArchivedError, ObjectForbiddenError, UnsupportedError
from tools.emulator.services.rekognition.backend import KEPT_SECONDS, LARGEST_VIDEO
from tools.emulator.services.rekognition.errors import RekognitionError
from tools.emulator.services.rekognition.quotas import RateLimit


@pytest.mark.parametrize(
    "change",
    [
        {"JobTag": "has space"},
        {"JobTag": "x" * 1_025},
        {"JobTag": "tag\n"},
        {"ClientRequestToken": "a/b"},
        {"ClientRequestToken": "x" * 65},
        {"ClientRequestToken": ""},
        {"MinConfidence": 100.5},
        {"MinConfidence": -1},
        {"MinConfidence": True},
        {"Video": None},
        {"Video": {}},
        {"Video": {"S3Object": {"Bucket": "ab", "Name": "k"}}},
        {"Video": {"S3Object": {"Bucket": "abc", "Name": ""}}},
        {"Video": {"S3Object": {"Bucket": "abc", "Name": "k" * 1_025}}},
        {"NotificationChannel": {"SNSTopicArn": "arn:aws:sns:us-east-1:111122223333:t"}},
        {
            "NotificationChannel": {
                "SNSTopicArn": "arn:aws:sqs:us-east-1:111122223333:t",
                "RoleArn": "arn:aws:iam::111122223333:role/r",
            }
        },
        {"NotificationChannel": {"SNSTopicArn": "arn:aws:sns:us-east-1:111122223333:t", "RoleArn": "arn:aws:iam::1:role/r"}},
    ],
    ids=str,
)
def test_values_outside_the_model_are_invalid(bench, change):
    """A value that AWS's API model does not allow is InvalidParameterException, and nothing starts."""
    world = bench()

    with pytest.raises(RekognitionError) as refused:
        world.start(**change)

    assert refused.value.code == "InvalidParameterException"
    assert world.moderation.ledger.jobs == ()


def test_our_tag_and_token_fit(bench):
    """Start takes a tag and a token of the product's form, and the ledger keeps both."""
    world = bench()

    world.start(JobTag="01ARZ3NDEKTSV4RRFFQ69G5FAV/0123456789abcdef/0", ClientRequestToken="f" * 64)

    entry = world.moderation.ledger.jobs[0]
    assert (entry.tag, entry.token) == ("01ARZ3NDEKTSV4RRFFQ69G5FAV/0123456789abcdef/0", "f" * 64)


def test_unknown_parameters_are_refused_by_name(bench):
    """The refusal of an unknown parameter names it."""
    with pytest.raises(UnsupportedError, match="Surprise"):
        bench().start(Surprise=1)


@pytest.mark.parametrize("trouble", [None, ObjectArchivedError(), ObjectForbiddenError()], ids=str)
def test_objects_that_cannot_be_read(bench, trouble):
    """A missing, archived or forbidden object is InvalidS3ObjectException at Start."""
    world = bench()
    if trouble is not None:
        world.objects.objects["amzn-s3-demo-bucket", "gone.mp4", None] = trouble

    with pytest.raises(RekognitionError) as refused:
        world.start("gone.mp4")

    assert refused.value.code == "InvalidS3ObjectException"


def test_the_version_asked_for_is_analysed(bench):
    """Two versions of a key are two videos."""
    world = bench()
    world.objects.put("video.mp4", b"7", version_id="v7")
    video = {"S3Object": {"Bucket": "amzn-s3-demo-bucket", "Name": "video.mp4", "Version": "v7"}}

    page = world.get(world.finished(Video=video))

    assert page["VideoMetadata"]["DurationMillis"] == 7_000
    assert page["Video"] == video


@pytest.mark.parametrize(("size", "too_large"), [(LARGEST_VIDEO, False), (LARGEST_VIDEO + 1, True)])
def test_ten_gigabytes_are_the_limit(bench, size, too_large):
    """A video of more than 10 GB is VideoTooLargeException; one of exactly 10 GB is not."""
    world = bench()
    world.objects.put("big.mp4", b"30", size=size)

    try:
        world.start("big.mp4")
        code = None
    except RekognitionError as refused:
        code = refused.code

    assert code == ("VideoTooLargeException" if too_large else None)


def test_a_full_account_refuses_in_aws_words(bench):
    """A job above the quota is LimitExceededException with the count and the limit."""
    world = bench(account_jobs=2)
    world.start()
    world.start()

    with pytest.raises(RekognitionError) as refused:
        world.start()

    assert refused.value.code == "LimitExceededException"
    assert refused.value.message == "2 open Jobs for User arn:aws:iam::111122223333:root Maximum limit: 2"


@pytest.mark.parametrize(("lag", "free_after"), [(0.0, 0.0), (5.0, 5.0)])
def test_a_finished_job_counts_for_as_long_as_the_lag(bench, lag, free_after):
    """A job counts against the quota until its end, or for the seconds of the lag after it."""
    world = bench(account_jobs=1, quota_lag_seconds=lag)
    world.finished()

    if free_after:
        world.clock.advance(free_after - 0.5)
        with pytest.raises(RekognitionError, match="LimitExceeded"):
            world.start()
        world.clock.advance(0.5)

    assert world.start()


def test_starts_beyond_the_rate_are_throttled(bench):
    """The sixth Start within a second is refused; a second after the first, a Start passes."""
    world = bench()
    for _ in range(5):
        world.start()

    world.clock.advance(0.99)
    with pytest.raises(RekognitionError, match="ProvisionedThroughputExceeded"):
        world.start()
    world.clock.advance(0.01)

    assert world.start()
    assert world.moderation.ledger.max_starts_in_a_second == 5


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.integers(1, 6))
def test_no_second_ever_holds_more_than_the_rate(gaps, per_second):
    """No second has more admitted calls than the rate, and a call is refused only if its second is full."""
    limit, admitted, now = RateLimit(per_second), [], 0.0

    for gap in gaps:
        now += gap / 4
        recent = [time for time in admitted if time > now - 1.0]
        try:
            limit.admit(now)
            admitted.append(now)
        except RekognitionError:
            assert len(recent) == per_second
        else:
            assert len(recent) < per_second


def test_a_repeated_token_returns_its_job(bench):
    """The same token with the same parameters returns the same job, which is not run, paid or announced again."""
    world = bench()
    first = world.finished(ClientRequestToken="t", MinConfidence=50)

    again = world.start(ClientRequestToken="t")
    world.clock.run_until_idle()

    assert again == first
    assert len(world.moderation.ledger.jobs) == len(world.topics.messages) == 1
    assert world.moderation.ledger.start_answers == {"Started": 1, "Repeated": 1}


def test_a_token_of_a_failed_job_returns_the_failed_job(bench):
    """A token returns its job even if that failed: a retry needs another token."""
    world = bench()
    world.objects.put("video.mp4", b"unreadable")
    first = world.finished(ClientRequestToken="t")
    world.objects.put("video.mp4", b"30")

    again = world.start(ClientRequestToken="t")

    assert again == first
    assert world.get(again)["JobStatus"] == "FAILED"


@pytest.mark.parametrize(
    "change", [{"MinConfidence": 60}, {"JobTag": "other"}, {"NotificationChannel": None}, {"key": "other.mp4"}], ids=str
)
def test_a_token_with_other_parameters_is_refused(bench, change):
    """A repeated token with another parameter is IdempotentParameterMismatchException."""
    world = bench()
    world.objects.put("other.mp4", b"30")
    world.start(ClientRequestToken="t")

    with pytest.raises(RekognitionError) as refused:
        world.start(ClientRequestToken="t", **change)

    assert refused.value.code == "IdempotentParameterMismatchException"


def test_a_token_is_forgotten_after_seven_days(bench):
    """A token returns its job until 7 days after the Start; then it starts a new one."""
    world = bench()
    first = world.start(ClientRequestToken="t")

    world.clock.advance(KEPT_SECONDS - 1)
    within = world.start(ClientRequestToken="t")
    world.clock.advance(1)
    after = world.start(ClientRequestToken="t")

    assert within == first
    assert after != first


def test_a_refused_start_does_not_use_up_its_token(bench):
    """A token whose Start was refused can start a job later."""
    world = bench()
    with pytest.raises(RekognitionError, match="InvalidS3Object"):
        world.start("late.mp4", ClientRequestToken="t")
    world.objects.put("late.mp4", b"30")

    assert world.start("late.mp4", ClientRequestToken="t")


@pytest.mark.parametrize("answers", [True, False])
def test_a_repeated_token_at_a_full_account(bench, answers):
    """Whether a full account answers a repeated token is a setting, because AWS does not document it."""
    world = bench(account_jobs=1, full_account_answers_repeated_token=answers)
    first = world.start(ClientRequestToken="t")

    if answers:
        assert world.start(ClientRequestToken="t") == first
    else:
        with pytest.raises(RekognitionError, match="LimitExceeded"):
            world.start(ClientRequestToken="t")


def test_a_lost_answer_leaves_a_running_job(bench):
    """A Start whose answer was lost has started its job, which its token returns."""
    world = bench()
    world.moderation.faults.lose_start_answers()

    with pytest.raises(RekognitionError) as refused:
        world.start(ClientRequestToken="t")
    job_id = world.start(ClientRequestToken="t")

    assert refused.value.status == 500
    assert [entry.job_id for entry in world.moderation.ledger.jobs] == [job_id]


def test_ordered_refusals_start_nothing(bench):
    """The ordered number of Starts fails with the ordered code and starts no job; the next one succeeds."""
    world = bench()
    world.moderation.faults.refuse_starts("AccessDeniedException", count=2)

    for _ in range(2):
        with pytest.raises(RekognitionError, match="AccessDenied"):
            world.start()

    assert world.start()
    assert world.moderation.ledger.start_answers == {"AccessDeniedException": 2, "Started": 1}

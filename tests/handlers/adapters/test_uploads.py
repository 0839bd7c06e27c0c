"""Uploads as the sweeper sees them: listings of any keys, and messages that SQS takes late."""

from datetime import UTC, datetime

import pytest

from handlers.adapters.aws_errors import ThrottledError
from handlers.adapters.uploads import ATTEMPTS, BucketListing, ListedObject, UploadQueue
from handlers.domain import upload
from handlers.domain.upload import Source, Upload
from tests.handlers.doubles import BUCKET, Clock, are_growing_waits
from tests.handlers.sweeper_doubles import Buckets, UploadMessages
from tools.emulator.core import ManualClock
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

KEYS = sorted(["", " ", "+", "%2F", "two\nlines", "bell\x07", "é", "￿", "😀", "'\"<&>"])


@pytest.fixture(name="bucket", scope="module")
def _bucket(tmp_path_factory):
    """Return a world whose bucket has versions of keys of every kind, and when they were put."""
    clock = ManualClock()
    with World(EmulatorSettings(), directory=tmp_path_factory.mktemp("world"), clock=clock) as world:
        s3 = world.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for key in KEYS:
            s3.put_object(Bucket=BUCKET, Key=f"in/{key}.mp4", Body=b"an older version")
            s3.put_object(Bucket=BUCKET, Key=f"in/{key}.mp4", Body=b"hello")
        s3.put_object(Bucket=BUCKET, Key="other/a.mp4", Body=b"hello")
        s3.put_object(Bucket=BUCKET, Key="in/deleted.mp4", Body=b"hello")
        s3.delete_object(Bucket=BUCKET, Key="in/deleted.mp4")
        yield world, int(clock.now())


def test_any_key(bucket):
    """Every key is listed as it is, once, with the facts of its newest version."""
    world, now = bucket

    page = BucketListing(world.client("s3")).page(BUCKET, "in/", "")

    expected = [ListedObject(f"in/{key}.mp4", "5d41402abc4b2a76b9719d911017c592", 5, now) for key in KEYS]
    assert (sorted(expected, key=lambda each: each.key), False) == (list(page.objects), page.more)


@pytest.mark.parametrize("key", KEYS)
def test_after_any_key(bucket, key):
    """A listing goes on after any key with all that follow it."""
    s3 = bucket[0].client("s3")
    ordered = sorted(f"in/{each}.mp4" for each in KEYS)

    page = BucketListing(s3).page(BUCKET, "in/", f"in/{key}.mp4")

    assert ordered[ordered.index(f"in/{key}.mp4") + 1 :] == [found.key for found in page.objects]


def test_pages():
    """A page is one request, and says whether others follow; that of an empty bucket has none."""
    buckets = Buckets(Clock(), page=2)
    listing = BucketListing(buckets)
    buckets.objects[BUCKET] = {}
    empty = listing.page(BUCKET, "", "")
    for key in "abc":
        buckets.put(BUCKET, key, 9.0)

    first, last = listing.page(BUCKET, "", ""), listing.page(BUCKET, "", "b")

    assert [(0, False), (2, True), (1, False)] == [(len(page.objects), page.more) for page in (empty, first, last)]
    assert 3 == len(buckets.asked)


def uploads(count):
    """Return uploads that no event brought."""
    return [Upload(BUCKET, f"{number:02} é\n.mp4", None, "abc", 3, 9.0, Source.COMPARISON) for number in range(count)]


@pytest.mark.parametrize("refused", [[], [1], [10, 9, 0, 3]])
def test_sent_until_taken(refused):
    """What SQS does not take of a batch is sent again, and nothing else is."""
    messages, clock = UploadMessages(), Clock()
    messages.refused = list(refused)

    UploadQueue(messages, "uploads", "dead uploads", clock).send_all(uploads(25))

    assert sorted(map(upload.compared_body, uploads(25))) == sorted(messages.bodies)
    assert all(body.isascii() for body in messages.bodies)
    assert sum(map(bool, refused)) == len(clock.slept)


def test_never_taken():
    """Where SQS takes nothing, for six attempts with growing waits, it is an error that can be repeated, not a loss."""
    messages, clock = UploadMessages(), Clock()
    messages.refused = [10] * ATTEMPTS

    with pytest.raises(ThrottledError, match="10 are left"):
        UploadQueue(messages, "uploads", "dead uploads", clock).send_all(uploads(12))

    assert [] == messages.bodies
    assert 6 == len(clock.slept)
    assert are_growing_waits(clock.slept, base=0.1, cap=2.0)


def test_real_queue(bucket):
    """SQS takes the messages, and what it says of dead letters is counted."""
    sqs = bucket[0].client("sqs")
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("uploads", "uploads-dead")]
    queue = UploadQueue(sqs, *urls, Clock())
    sqs.send_message(QueueUrl=urls[1], MessageBody="dead")

    queue.send_all(uploads(12))

    bodies = [
        message["Body"]
        for _ in range(2)
        for message in sqs.receive_message(QueueUrl=urls[0], MaxNumberOfMessages=10).get("Messages", [])
    ]
    assert (sorted(map(upload.compared_body, uploads(12))), 1) == (sorted(bodies), queue.dead_letters())


@pytest.mark.slow
def test_times_are_utc(bucket):
    """LastModified is understood as UTC, wherever the test runs."""
    world, now = bucket

    (found,) = BucketListing(world.client("s3")).page(BUCKET, "other/", "").objects

    assert datetime.fromtimestamp(now, UTC) == datetime.fromtimestamp(found.modified_at, UTC)

"""The engine through moto's responses, as boto3 and the product see it."""

import hashlib
import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.server import ThreadedMotoServer

from tools.emulator.core import moto_hooks
from tools.emulator.samples import Still, encode_still
from tools.emulator.services.rekognition import responses

ONCE = Config(retries={"total_max_attempts": 1})


def client(**options):
    """Return a Rekognition client that calls once."""
    return boto3.client(
        "rekognition", "us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing", config=ONCE, **options
    )


@pytest.fixture(params=["in process", "over HTTP"])
def world(request, bench):
    """Return a bench whose engine answers boto3, and a client: once inside mock_aws, once through the threaded server."""
    bench = bench(account_jobs=2)
    installed = moto_hooks.install(responses.hooks(bench.moderation, bench.images))
    if request.param == "in process":
        with mock_aws():
            yield bench, client()
    else:
        server = ThreadedMotoServer(port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield bench, client(endpoint_url=f"http://{host}:{port}")
        server.stop()
    installed.close()


def test_a_job_from_start_to_results(world):
    """Start, notice, results: botocore accepts every answer, and a hostile key comes through unchanged."""
    bench, rekognition = world
    key = 'ä+b%20 "c",\n<script>🎬.mp4'
    bench.objects.put(key, b"3;Weapons=91.5@1000")

    job_id = rekognition.start_content_moderation(**bench.parameters(key, JobTag="a/b/0", ClientRequestToken="t"))["JobId"]
    bench.clock.run_until_idle()
    page = rekognition.get_content_moderation(JobId=job_id)

    assert json.loads(bench.topics.messages[0])["JobId"] == job_id
    assert page["JobStatus"] == "SUCCEEDED"
    assert page["Video"]["S3Object"]["Name"] == key
    assert page["VideoMetadata"]["DurationMillis"] == 3_000
    assert page["ModerationModelVersion"] == "7.0"
    assert page["JobTag"] == "a/b/0"
    assert [row["ModerationLabel"]["Name"] for row in page["ModerationLabels"]] == ["Violence", "Weapons"]


def test_pages_through_boto3(world):
    """Every page but the last has a NextToken."""
    bench, rekognition = world
    bench.objects.put("video.mp4", b"30;" + b";".join(b"Gambling=90@%d" % (n * 500) for n in range(5)))
    job_id = bench.finished()

    first = rekognition.get_content_moderation(JobId=job_id, MaxResults=3)
    last = rekognition.get_content_moderation(JobId=job_id, MaxResults=3, NextToken=first["NextToken"])

    assert (len(first["ModerationLabels"]), len(last["ModerationLabels"])) == (3, 2)
    assert "NextToken" not in last


def test_errors_are_typed(world):
    """A full account raises botocore's own exception class with HTTP 400 and AWS's text."""
    bench, rekognition = world
    bench.start()
    bench.start()

    with pytest.raises(rekognition.exceptions.LimitExceededException) as refused:
        rekognition.start_content_moderation(**bench.parameters())

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "2 open Jobs for User" in refused.value.response["Error"]["Message"]


def test_a_lost_answer_is_a_500(world):
    """A Start whose answer is lost reaches the caller as HTTP 500."""
    bench, rekognition = world
    bench.moderation.faults.lose_start_answers()

    with pytest.raises(rekognition.exceptions.InternalServerError) as refused:
        rekognition.start_content_moderation(**bench.parameters())

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert bench.moderation.ledger.open_now == 1


@pytest.mark.parametrize("error", ["ResourceNotFoundException", "InvalidPaginationTokenException"])
def test_get_errors_are_typed(world, error):
    """Unknown job and made-up token raise botocore's own exception classes."""
    bench, rekognition = world
    job_id = bench.start() if error.startswith("Invalid") else "0" * 64

    with pytest.raises(getattr(rekognition.exceptions, error)):
        rekognition.get_content_moderation(JobId=job_id, NextToken="made-up")


def test_an_image_in_the_call(world):
    """Bytes reach the engine as they were given, and botocore takes the answer: labels with parents and levels, content types."""
    bench, rekognition = world
    image = encode_still(Still("png", "Weapons", 91.5))

    answer = rekognition.detect_moderation_labels(Image={"Bytes": image}, MinConfidence=60)

    assert [(row["Name"], row["ParentName"], row["TaxonomyLevel"]) for row in answer["ModerationLabels"]] == [
        ("Weapons", "Violence", 2),
        ("Violence", "", 1),
    ]
    assert (answer["ModerationModelVersion"], answer["ContentTypes"]) == ("7.0", [])
    assert [call.digest for call in bench.images.ledger.paid] == [hashlib.sha256(image).hexdigest()]


def test_an_image_of_almost_5_mb_comes_through(world):
    """The longest bytes that AWS takes are taken, and one byte more is refused."""
    bench, rekognition = world
    image = encode_still(Still("jpeg")).ljust(5 * 1024**2, b"\0")

    rekognition.detect_moderation_labels(Image={"Bytes": image})
    with pytest.raises(ClientError, match="5242880"):
        rekognition.detect_moderation_labels(Image={"Bytes": image + b"\0"})

    assert len(bench.images.ledger.paid) == 1


@pytest.mark.parametrize(
    ("key", "error"), [("missing.jpg", "InvalidS3ObjectException"), ("notes.txt", "InvalidImageFormatException")]
)
def test_errors_of_images_are_typed(world, key, error):
    """What cannot be read raises botocore's own exception class with HTTP 400."""
    bench, rekognition = world
    bench.objects.put("notes.txt", b"not an image")

    with pytest.raises(getattr(rekognition.exceptions, error)) as refused:
        rekognition.detect_moderation_labels(Image={"S3Object": {"Bucket": "amzn-s3-demo-bucket", "Name": key}})

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_bytes_that_are_no_base64_are_refused(world):
    """The wire carries base64; anything else is a SerializationException."""
    bench, rekognition = world
    rekognition.meta.events.register("before-call.rekognition.DetectModerationLabels", _spoil)

    with pytest.raises(ClientError, match="SerializationException"):
        rekognition.detect_moderation_labels(Image={"Bytes": b"image"})

    assert not bench.images.ledger.calls


def _spoil(params, **_):
    params["body"] = b'{"Image": {"Bytes": "?"}}'


def test_moto_keeps_its_own_operations(world):
    """Operations that moto has are still moto's."""
    _, rekognition = world

    assert rekognition.detect_text(Image={"Bytes": b"x"})["TextModelVersion"]


@pytest.mark.parametrize(
    ("operation", "parameters", "named"),
    [
        ("list_collections", {}, "ListCollections"),
        ("get_content_moderation", {"JobId": "j", "AggregateBy": "SEGMENTS"}, "SEGMENTS"),
        ("detect_moderation_labels", {"Image": {"Bytes": b"x"}, "ProjectVersion": "arn:aws:rekognition:x"}, "ProjectVersion"),
    ],
)
def test_what_is_not_implemented_is_refused_by_name(world, operation, parameters, named):
    """The error names what the offline world lacks."""
    _, rekognition = world

    with pytest.raises(ClientError, match=named) as refused:
        getattr(rekognition, operation)(**parameters)

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_uninstalling_gives_moto_back(bench):
    """After uninstall moto knows no content moderation, and another engine can be installed."""
    first, second = bench(), bench()
    job_id = second.start()

    with mock_aws():
        moto_hooks.install(responses.hooks(first.moderation, first.images)).close()
        with pytest.raises(NotImplementedError, match="get_content_moderation"):  # moto's own answer to what it does not know
            client().get_content_moderation(JobId=job_id)
        with moto_hooks.install(responses.hooks(second.moderation, second.images)):
            page = client().get_content_moderation(JobId=job_id)

    assert page["JobStatus"] == "IN_PROGRESS"

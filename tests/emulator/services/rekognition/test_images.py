"""DetectModerationLabels: what is seen in an image, which images are refused, and what is paid for."""

import hashlib
import io
import struct

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.emulator.core import ObjectArchivedError, ObjectForbiddenError, UnsupportedError
from tools.emulator.samples import Still, encode_still
from tools.emulator.services.rekognition.errors import RekognitionError
from tools.emulator.services.rekognition.images import LARGEST_IN_S3
from tools.emulator.services.rekognition.picture import CardReader, UnreadableError

IMAGE = encode_still(Still("jpeg", "Weapons", 96.0))


def in_s3(key="photo.jpg", **more):
    """Return a request for an image in the one bucket."""
    return {"Image": {"S3Object": {"Bucket": "amzn-s3-demo-bucket", "Name": key, **more}}}


def names(answer):
    """Return the names of an answer's labels."""
    return [label["Name"] for label in answer["ModerationLabels"]]


def code_of(bench, request):
    """Return the error's code with which a request is refused."""
    with pytest.raises(RekognitionError) as refused:
        bench.images.detect(request)
    return refused.value.code


@pytest.mark.parametrize("fmt", ["jpeg", "png"])
@pytest.mark.parametrize(("width", "height"), [(80, 80), (81, 240), (1_280, 720)])
def test_a_card_is_seen_in_an_image(bench, fmt, width, height):
    """Whatever format and size: the label, its parents, and the confidence to a level of grey."""
    answer = bench().images.detect({"Image": {"Bytes": encode_still(Still(fmt, "Corpses", 90.0, width, height))}})

    assert names(answer) == ["Corpses", "Death and Emaciation", "Visually Disturbing"]
    assert all(label["Confidence"] == pytest.approx(90, abs=1) for label in answer["ModerationLabels"])


@pytest.mark.parametrize("fmt", ["jpeg", "png"])
def test_an_image_without_a_card_shows_nothing(bench, fmt):
    """An empty list, the model's version, and no content types."""
    answer = bench().images.detect({"Image": {"Bytes": encode_still(Still(fmt))}})

    assert answer == {"ModerationLabels": [], "ModerationModelVersion": "7.0", "ContentTypes": []}


@pytest.mark.parametrize(("confidence", "least", "seen"), [(49, None, False), (51, None, True), (49, 40, True), (95, 99, False)])
def test_labels_below_the_minimum_are_left_out(bench, confidence, least, seen):
    """The minimum is the caller's, or 50 %."""
    image = {"Bytes": encode_still(Still("png", "Gambling", confidence))}

    answer = bench().images.detect({"Image": image, "MinConfidence": least})

    assert names(answer) == (["Gambling"] if seen else [])


def test_an_image_in_s3_is_read_by_its_version(bench):
    """Another version of the same key is another image."""
    bench = bench()
    bench.objects.put("photo.jpg", IMAGE, version_id="v1")
    bench.objects.put("photo.jpg", encode_still(Still("png")), version_id="v2")

    answers = [bench.images.detect(in_s3(Version=version)) for version in ("v1", "v2")]

    assert [names(answer) for answer in answers] == [["Weapons", "Violence"], []]
    assert [call.version_id for call in bench.images.ledger.paid] == ["v1", "v2"]


@pytest.mark.parametrize("error", [None, ObjectArchivedError(), ObjectForbiddenError()])
def test_an_object_that_cannot_be_read_is_refused(bench, error):
    """Missing, archived or forbidden: Rekognition says the same of each."""
    bench = bench()
    if error is not None:
        bench.objects.objects["amzn-s3-demo-bucket", "photo.jpg", None] = error

    assert code_of(bench, in_s3()) == "InvalidS3ObjectException"


@pytest.mark.parametrize(("size", "code"), [(LARGEST_IN_S3, None), (LARGEST_IN_S3 + 1, "ImageTooLargeException")])
def test_an_image_in_s3_has_up_to_15_mb(bench, size, code):
    """The largest is analysed, one byte more is not."""
    bench = bench()
    bench.objects.put("photo.jpg", IMAGE, size=size)

    if code is None:
        bench.images.detect(in_s3())
    else:
        assert code_of(bench, in_s3()) == code


def test_bytes_above_5_mb_are_refused_by_the_model(bench):
    """The code is the one that was seen on AWS."""
    assert code_of(bench(), {"Image": {"Bytes": IMAGE.ljust(5 * 1024**2 + 1)}}) == "ValidationException"


def png_header(width, height):
    """Return a PNG file that only says how large it is."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0)


@pytest.mark.parametrize(
    ("size", "code", "message"),
    [
        ((79, 80), "InvalidParameterException", "invalid parameters"),
        ((80, 79), "InvalidParameterException", "invalid parameters"),
        ((1, 20_000), "ImageTooLargeException", "1 x 20000 exceed maximum dimension size of 10000 pixels"),
        ((10_001, 80), "ImageTooLargeException", "10001 x 80 exceed"),
    ],
)
def test_images_outside_the_limits_are_refused_by_their_header(bench, size, code, message):
    """From 80 to 10,000 pixels a side; a bomb is not decoded."""
    with pytest.raises(RekognitionError, match=message) as refused:
        bench().images.detect({"Image": {"Bytes": png_header(*size)}})

    assert refused.value.code == code


def test_the_sides_of_a_jpeg_are_checked_too(bench):
    """The frame header of a JPEG is found."""
    image = encode_still(Still("jpeg", width=79, height=90))

    assert CardReader().size(image) == (79, 90)
    assert code_of(bench(), {"Image": {"Bytes": image}}) == "InvalidParameterException"


def gif():
    """Return a GIF file."""
    target = io.BytesIO()
    with av.open(target, "w", format="gif") as container:
        stream = container.add_stream("gif", rate=1)
        stream.width, stream.height, stream.pix_fmt = 80, 80, "rgb8"
        container.mux(stream.encode(av.VideoFrame(80, 80, "rgb8")))
        container.mux(stream.encode(None))
    return target.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        gif(),
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"not an image",
        png_header(100, 100),
        IMAGE[:20],
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\0\0" * 9,
    ],
    ids=["gif", "webp", "text", "png without pixels", "jpeg cut short", "jpeg without anything", "jpeg of empty segments"],
)
def test_only_jpeg_and_png_can_be_read(bench, body):
    """Everything else, and what is broken, has an invalid format."""
    assert code_of(bench(), {"Image": {"Bytes": body}}) == "InvalidImageFormatException"


@given(st.binary(max_size=60), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]))
def test_a_hostile_header_is_unreadable_and_nothing_else(rest, magic):
    """Whatever follows the magic number: a size, or `UnreadableError`."""
    try:
        width, height = CardReader().size(magic + rest)
    except UnreadableError:
        return
    assert width >= 0
    assert height >= 0


@pytest.mark.parametrize(
    "image",
    [
        {},
        {"S3Object": {"Bucket": "amzn-s3-demo-bucket"}},
        {"S3Object": {"Name": "photo.jpg"}},
        {"Bytes": IMAGE, "S3Object": {"Bucket": "amzn-s3-demo-bucket", "Name": "photo.jpg"}},
    ],
    ids=["neither", "no name", "no bucket", "both"],
)
def test_an_image_is_given_in_one_way(bench, image):
    """Bytes or an object, and an object needs bucket and key."""
    assert code_of(bench(), {"Image": image}) == "InvalidParameterException"


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"Image": {"Bytes": b""}},
        {"Image": {"Bytes": "text"}},
        {"Image": {"Bytes": IMAGE}, "MinConfidence": 101},
        in_s3(""),
    ],
)
def test_values_that_the_model_does_not_allow_are_refused(bench, request_):
    """Lengths, ranges and types are those of AWS's model."""
    assert code_of(bench(), request_) == "ValidationException"


@pytest.mark.parametrize("name", ["HumanLoopConfig", "ProjectVersion"])
def test_what_is_not_implemented_is_refused_by_name(bench, name):
    """Human review and custom adapters."""
    with pytest.raises(UnsupportedError, match=name):
        bench().images.detect({"Image": {"Bytes": IMAGE}, name: {}})


def test_calls_above_the_quota_are_throttled(bench):
    """A call more than the quota in any second is refused as Rekognition refuses it, and is not paid for."""
    bench = bench(images_per_second=3)
    request = {"Image": {"Bytes": IMAGE}}
    for _ in range(3):
        bench.images.detect(request)

    assert code_of(bench, request) == "ProvisionedThroughputExceededException"
    bench.clock.advance(1.0)
    bench.images.detect(request)

    assert bench.images.ledger.answers == {"Analysed": 4, "ProvisionedThroughputExceededException": 1}
    assert bench.images.ledger.most_paid_within(1.0) == 3
    assert bench.images.ledger.most_paid_within(1.5) == 4


def test_the_ledger_names_the_image_and_where_it_is(bench):
    """Images of calls by their hash; those in S3 by bucket and key besides."""
    bench = bench()
    bench.objects.put("photo.jpg", IMAGE)

    bench.images.detect({"Image": {"Bytes": IMAGE}})
    bench.images.detect(in_s3())

    digest = hashlib.sha256(IMAGE).hexdigest()
    assert [(call.digest, call.bucket, call.key) for call in bench.images.ledger.paid] == [
        (digest, "", ""),
        (digest, "amzn-s3-demo-bucket", "photo.jpg"),
    ]


def test_an_ordered_refusal_costs_nothing_and_a_lost_answer_does(bench):
    """Faults on order: the next call is refused; that after it is carried out, paid for, and answered with HTTP 500."""
    bench = bench()
    request = {"Image": {"Bytes": IMAGE}}
    bench.images.faults.refuse("ThrottlingException", status=500)
    bench.images.faults.lose_answers()

    codes = [code_of(bench, request), code_of(bench, request)]
    bench.images.detect(request)

    assert codes == ["ThrottlingException", "InternalServerError"]
    assert len(bench.images.ledger.paid) == 2


def test_a_refused_image_is_noted_and_not_paid_for(bench):
    """What cannot be read is in the ledger under its error."""
    bench = bench()

    code_of(bench, {"Image": {"Bytes": b"not an image"}})

    assert bench.images.ledger.answers == {"InvalidImageFormatException": 1}
    assert not bench.images.ledger.paid

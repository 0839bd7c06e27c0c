"""DetectModerationLabels: what is requested, and what each answer and refusal means."""

import pytest

from handlers.adapters import Fault, ImageLabels, ImageModeration, NotDetected, images
from handlers.domain import Hit, Video
from handlers.domain.record import ObjectFacts
from tests.handlers.doubles import client_error, time_out

LABEL = {"Name": "Weapons", "ParentName": "Violence", "TaxonomyLevel": 2, "Confidence": 99.5}


class Rekognition:
    """Gives one answer, or fails."""

    def __init__(self, answer=None, error=None):
        self.answer, self.error, self.calls = answer, error, []

    def detect_moderation_labels(self, **request):
        """Look at an image."""
        self.calls.append(request)
        if self.error is not None:
            raise self.error
        return self.answer


def test_frame():
    """A frame is sent as bytes; its hits have the time of the frame, and nothing below the confidence is asked for."""
    rekognition = Rekognition({"ModerationLabels": [LABEL], "ModerationModelVersion": "7.0"})

    found = ImageModeration(rekognition).detect(images.frame(b"jpeg"), at_ms=2_500, min_confidence=62.5)

    assert ImageLabels((Hit(2_500, "Weapons", "Violence", 2, 99.5),), "7.0") == found
    assert [{"Image": {"Bytes": b"jpeg"}, "MinConfidence": 62.5}] == rekognition.calls


@pytest.mark.parametrize(("version", "named"), [(None, {}), ("v1", {"Version": "v1"})])
def test_stored(version, named):
    """An image that Rekognition can read in S3 is named in the version that was registered."""
    image = images.stored(Video("b", "a.jpg"), ObjectFacts("abc", 3, version))

    assert {"S3Object": {"Bucket": "b", "Name": "a.jpg", **named}} == image


def test_without_a_model():
    """An answer that names no model is one all the same."""
    found = ImageModeration(Rekognition({"ModerationLabels": []})).detect({}, at_ms=0, min_confidence=50.0)

    assert ImageLabels((), None) == found


@pytest.mark.parametrize(
    ("error", "fault", "code"),
    [
        (client_error("ThrottlingException"), Fault.REFUSED, "ThrottlingException"),
        (client_error("InternalServerError", 500), Fault.UNKNOWN, "InternalServerError"),
        (client_error("InvalidImageFormatException"), Fault.OBJECT, "InvalidImageFormatException"),
        (client_error("AccessDeniedException"), Fault.FORBIDDEN, "AccessDeniedException"),
        (time_out(), Fault.UNKNOWN, "ReadTimeoutError"),
    ],
)
def test_refused(error, fault, code):
    """A call that failed is a value, with AWS's code and words, and is not repeated."""
    rekognition = Rekognition(error=error)

    found = ImageModeration(rekognition).detect({}, at_ms=0, min_confidence=50.0)

    assert NotDetected is type(found)
    assert (fault, code, 1) == (found.fault, found.problem.code, len(rekognition.calls))
    assert found.problem.message == f"said {code}" or isinstance(error, type(time_out()))


def test_an_error_of_ours():
    """What is no answer of AWS's, nor the lack of one, is raised."""
    with pytest.raises(ZeroDivisionError):
        ImageModeration(Rekognition(error=ZeroDivisionError())).detect({}, at_ms=0, min_confidence=50.0)

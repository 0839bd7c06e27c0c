"""The engine of DetectModerationLabels: one image per call, as bytes or from S3, within a quota of calls a second.

Each call that is carried out is billed, even if its answer gets lost, because there are no tokens. Limits are those of
https://docs.aws.amazon.com/rekognition/latest/dg/limits.html. Not imitated: human review and custom adapters (refused by name),
the permissions of the caller, and how long a call takes.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tools.emulator.core import Clock, NoSuchObjectError, ObjectArchivedError, ObjectForbiddenError, Objects
from tools.emulator.services.rekognition.errors import RekognitionError, invalid_parameter, no_object
from tools.emulator.services.rekognition.faults import CallFaults
from tools.emulator.services.rekognition.labels import MODEL_VERSION, labels_of
from tools.emulator.services.rekognition.ledger import most_within
from tools.emulator.services.rekognition.parameters import DetectRequest, detect_request
from tools.emulator.services.rekognition.picture import Picture, UnreadableError
from tools.emulator.services.rekognition.quotas import RateLimit
from tools.emulator.settings import EmulatorSettings

LARGEST_IN_S3 = 15 * 1024**2
SMALLEST_SIDE, LARGEST_SIDE = 80, 10_000
ANALYSED = "Analysed"


class ImageAnalyser(Protocol):
    """What decodes images for the engine; both methods raise `UnreadableError`."""

    def size(self, body: bytes) -> tuple[int, int]:
        """Return width and height in pixels."""

    def look(self, body: bytes) -> Picture:
        """Return what the image shows; only called for sizes within the limits."""


@dataclass(frozen=True, slots=True)
class ImageCall:
    """A call: its time (epoch seconds), its answer, the image's SHA-256 ("" if it was not read), and the object in S3 if any."""

    at: float
    answer: str  # `ANALYSED`, which is billed, or the error's code
    digest: str = ""
    bucket: str = ""
    key: str = ""
    version_id: str | None = None


class ImageLedger:
    """All calls with valid parameters, as evidence for tests; may be read while the world runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[ImageCall] = []

    def note(self, call: ImageCall) -> None:
        """Add a call, from any thread."""
        with self._lock:
            self._calls.append(call)

    @property
    def calls(self) -> tuple[ImageCall, ...]:
        """All calls, in the order of their answers."""
        with self._lock:
            return tuple(self._calls)

    @property
    def paid(self) -> tuple[ImageCall, ...]:
        """The calls that AWS would have billed: those that were carried out."""
        return tuple(call for call in self.calls if call.answer == ANALYSED)

    @property
    def answers(self) -> Counter[str]:
        """How many calls got each answer."""
        return Counter(call.answer for call in self.calls)

    def most_paid_within(self, seconds: float) -> int:
        """Return the most images that were billed within any span of this many seconds."""
        return most_within(seconds, (call.at for call in self.paid))


class ImageModeration:
    """DetectModerationLabels for one account in one Region; calls may come from any thread.

    Attributes:
        ledger: The calls and their answers, as evidence for tests.
        faults: Orders for calls to fail or to lose their answers.
    """

    def __init__(self, *, clock: Clock, settings: EmulatorSettings, objects: Objects, analyser: ImageAnalyser) -> None:
        self.ledger = ImageLedger()
        self.faults = CallFaults()
        self._clock = clock
        self._objects = objects
        self._analyser = analyser
        self._lock = threading.Lock()
        self._calls = RateLimit(settings.images_per_second)

    def detect(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a DetectModerationLabels request, in which `Image.Bytes` are bytes already; errors are `RekognitionError`."""
        request = detect_request(parameters)
        now, body = self._clock.now(), None
        try:
            self._admit(now)
            body = self._read(request)
            picture = self._look(body)
        except RekognitionError as error:
            self.ledger.note(_call(now, error.code, request, body))
            raise
        self.ledger.note(_call(now, ANALYSED, request, body))
        self.faults.after()
        return _answer(picture, request.min_confidence)

    def _admit(self, now: float) -> None:
        with self._lock:
            self._calls.admit(now)
        self.faults.before()

    def _read(self, request: DetectRequest) -> bytes:
        if request.body is not None:
            return request.body
        try:
            stored = self._objects.read(request.bucket, request.key, request.version_id)
        except (NoSuchObjectError, ObjectArchivedError, ObjectForbiddenError):
            raise no_object() from None
        if stored.size > LARGEST_IN_S3:
            raise RekognitionError("ImageTooLargeException", "The image in S3 is larger than 15 MB.")  # our words
        return stored.body

    def _look(self, body: bytes) -> Picture:
        try:
            _check_size(*self._analyser.size(body))
            return self._analyser.look(body)
        except UnreadableError:
            raise RekognitionError("InvalidImageFormatException", "Request has invalid image format") from None


def _check_size(width: int, height: int) -> None:
    """Raise the error with which AWS answers an image with too many or too few pixels.

    Seen on AWS: awsdocs/aws-doc-sdk-examples#4848, and boto/botocore#1366 for one that is too small.
    """
    if max(width, height) > LARGEST_SIDE:
        raise RekognitionError(
            "ImageTooLargeException",
            f"Input image dimensions {width} x {height} exceed maximum dimension size of {LARGEST_SIDE} pixels",
        )
    if min(width, height) < SMALLEST_SIDE:
        raise invalid_parameter("Request has invalid parameters")


def _call(now: float, answer: str, request: DetectRequest, body: bytes | None) -> ImageCall:
    digest = "" if body is None else hashlib.sha256(body).hexdigest()
    return ImageCall(now, answer, digest, request.bucket, request.key, request.version_id)


def _answer(picture: Picture, min_confidence: float) -> dict[str, Any]:
    labels = [] if picture.label is None else labels_of(picture.label, picture.confidence)
    return {
        "ModerationLabels": [label for label in labels if label["Confidence"] >= min_confidence],
        "ModerationModelVersion": MODEL_VERSION,
        "ContentTypes": [],
    }

"""The refusals of the emulated Rekognition: AWS's code, a message, and the HTTP status."""

from __future__ import annotations


class RekognitionError(Exception):
    """What Rekognition answers instead of a result.

    Attributes:
        code: AWS's exception name, such as `LimitExceededException`.
        message: AWS's text where it is known.
        status: The HTTP status; 400 but for AWS's own faults.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid_parameter(message: str) -> RekognitionError:
    """Return the refusal of a value that Rekognition does not take."""
    return RekognitionError("InvalidParameterException", message)

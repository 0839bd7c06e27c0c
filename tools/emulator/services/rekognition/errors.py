"""Rekognition's errors, by AWS's names of its exceptions."""

from __future__ import annotations

from tools.emulator.core import AwsError


class RekognitionError(AwsError):
    """An error of Rekognition's."""


def invalid_parameter(message: str) -> RekognitionError:
    """Return the refusal of a value that Rekognition does not take."""
    return RekognitionError("InvalidParameterException", message)

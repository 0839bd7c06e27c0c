"""Rekognition's errors, by AWS's codes."""

from __future__ import annotations

from tools.emulator.core import AwsError


class RekognitionError(AwsError):
    """Rekognition refuses a request."""


def invalid_parameter(message: str) -> RekognitionError:
    """Return the error for a value that Rekognition does not take."""
    return RekognitionError("InvalidParameterException", message)


def no_object() -> RekognitionError:
    """Return the error for an object that is not there or that Rekognition may not read."""
    return RekognitionError(
        "InvalidS3ObjectException", "Unable to get object metadata from S3. Check object key, region and/or access permissions."
    )

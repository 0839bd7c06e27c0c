"""Reason codes: why a video failed or was left out. They are stored in records, reports and exports, so they are never renamed.

Error codes of AWS and exceptions of the SDK are reason codes, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

EMPTY = "empty"
ARCHIVED = "archived"
TOO_LARGE = "too-large"
# The next five are found in the header of a video, before a scan is submitted.
TOO_LONG = "too-long"
CODEC = "codec"
NO_PICTURE = "no-picture"
CONTAINER = "container"
NO_HEADER = "no-header"
NOT_A_VIDEO = "not-a-video"
MISSING = "missing"
FORBIDDEN = "forbidden"
# S3 refuses to describe the object, without saying why (HEAD's bare 400).
UNREADABLE = "unreadable"
START_UNKNOWN = "start-unknown"
RESULT_LOST = "result-lost"
ANALYSIS_FAILED = "analysis-failed"
# Another upload replaced the content of an upload before its analysis began.
SUPERSEDED = "superseded"
# The function returned no result for a batch task.
NO_RESULT = "no-result"
# A batch task or its event is invalid.
UNINTELLIGIBLE = "unintelligible"
# The next five are found while frames are decoded.
UNDECODABLE = "undecodable"
PARTLY_DECODED = "partly-decoded"
TOO_MANY_PIXELS = "too-many-pixels"
TILED = "tiled"
PAGES = "pages"
# An image that FFmpeg, as it is used here, cannot decode.
ANIMATED_WEBP = "animated-webp"
# Another content was put in its place while its frames were looked at.
CHANGED = "changed"
# The worker died at it several times, or no frame came out of it in the time of a whole invocation.
UNFINISHED = "unfinished"
# AWS or our own code failed temporarily, without a code.
TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason code and what it means."""

    code: str  # as it is stored
    sentence: str  # continues "the object ...", for people who decide about a retry
    # Rekognition cannot analyse such an object: it is not tried, not paid for, and not counted as a failure.
    ineligible: bool = False
    retryable: bool = False  # a retry may succeed with the same object


_OWN = (
    Reason(EMPTY, "has 0 bytes", ineligible=True),
    Reason(
        ARCHIVED,
        "was archived: retry once it is restored",
        ineligible=True,
        retryable=True,
    ),
    Reason(TOO_LARGE, "is larger than Rekognition takes", ineligible=True),
    Reason(TOO_LONG, "is longer than Rekognition takes", ineligible=True),
    Reason(CODEC, "has a codec that Rekognition does not take", ineligible=True),
    Reason(NO_PICTURE, "has no picture", ineligible=True),
    Reason(CONTAINER, "is in a file format that Rekognition does not take", ineligible=True),
    Reason(NO_HEADER, "has no header: its recording or upload was interrupted", ineligible=True),
    Reason(NOT_A_VIDEO, "is something other than a video"),
    Reason(MISSING, "is not there (were it among many, S3 would stop the whole job)"),
    Reason(FORBIDDEN, "could not be read: retry once access is granted", retryable=True),
    Reason(UNREADABLE, "cannot be described by S3 as it was asked for: no such version id, or encrypted with a key of its owner's"),
    Reason(START_UNKNOWN, "may have been analysed, and paid, without a result reaching us: a retry may pay for it again"),
    Reason(RESULT_LOST, "its result was lost", retryable=True),
    Reason(ANALYSIS_FAILED, "Rekognition could not analyse it, mostly for its codec"),
    Reason(SUPERSEDED, "was replaced by another upload, which is looked at instead", ineligible=True),
    Reason(NO_RESULT, "the function returned nothing for it", retryable=True),
    Reason(UNINTELLIGIBLE, "its task could not be understood"),
    Reason(UNDECODABLE, "could not be decoded: its codec is not known here, or it is damaged"),
    Reason(PARTLY_DECODED, "is damaged: nothing was found in the part that could be decoded"),
    Reason(TOO_MANY_PIXELS, "has more pixels than are decoded here", ineligible=True),
    Reason(TILED, "is an image of several tiles, which are not joined here", ineligible=True),
    Reason(PAGES, "is a TIFF image of several pages, of which only the first would be decoded here", ineligible=True),
    Reason(ANIMATED_WEBP, "is an animated WebP image, whose frames are not decoded here", ineligible=True),
    Reason(CHANGED, "was replaced while its frames were looked at: a retry looks at it as it is now", retryable=True),
    Reason(UNFINISHED, "could not be decoded in time, or made the function die several times", retryable=True),
    Reason(TROUBLE, "failed temporarily", retryable=True),
)

_AWS = (
    Reason("InvalidS3ObjectException", "Rekognition could not read it: retry once its role or key permits that", retryable=True),
    Reason("VideoTooLargeException", "is larger than Rekognition takes"),
    Reason("ImageTooLargeException", "is an image larger than Rekognition takes"),
    Reason("InvalidImageFormatException", "is an image that Rekognition cannot read"),
    Reason("InvalidParameterException", "Rekognition does not take it as it is"),
    Reason("IdempotentParameterMismatchException", "another job used its token; a retry has a token of its own", retryable=True),
    Reason(
        "AccessDeniedException",
        "Rekognition was not permitted to start: retry once the permission is granted",
        retryable=True,
    ),
    # Our own exception for throttling that outlasts the retries.
    Reason("ThrottledError", "AWS went on asking to slow down", retryable=True),
)

_NO_ANSWER = ("ReadTimeoutError", "ConnectTimeoutError", "ConnectionClosedError", "EndpointConnectionError")

# AWS's transient codes, for reasons and for the faults of `handlers/adapters/aws_errors.py`: all that botocore retries, and all
# that a service we call names throttling. An answer to HEAD has no body, so its code is the bare status.
THROTTLED = (
    "429",
    "503",
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    # KMS throttled: as S3 and SQS, SNS, and SQS without query errors name it.
    "KMS.ThrottlingException",
    "KMSThrottling",
    "KmsThrottled",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingError",
    "ThrottlingException",
    "TooManyRequestsException",
)

CONFLICTING = (
    "ReplicatedWriteConflictException",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
)

AWS_FAILED = (
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
)

REASONS: Mapping[str, Reason] = MappingProxyType(
    {
        reason.code: reason
        for reason in (
            *_OWN,
            *_AWS,
            *(Reason(code, "AWS did not answer", retryable=True) for code in _NO_ANSWER),
            *(Reason(code, "AWS asked to slow down", retryable=True) for code in (*THROTTLED, *CONFLICTING)),
            *(Reason(code, "failed inside AWS", retryable=True) for code in AWS_FAILED),
        )
    }
)

INELIGIBLE = frozenset(code for code, reason in REASONS.items() if reason.ineligible)

"""Which AWS code is which: the one table of what an error means.

Sources: Rekognition developer guide, error-handling; DynamoDB developer guide, Programming.Errors; S3 API, ErrorResponses;
SQS API, CommonErrors; S3 Batch Operations, troubleshooting-batch-operations; botocore's service models.
"""

from __future__ import annotations

from enum import Enum

from botocore import exceptions as sdk
from botocore.exceptions import ClientError

from handlers.domain import reasons


class Fault(Enum):
    """What an error means for the caller."""

    REFUSED = "refused for certain, nothing was done; the same call may succeed later"
    UNKNOWN = "it is unknown whether it was done: time-out, broken connection, 5xx"
    CONFLICT = "another transaction was at the same item; nothing was done"
    CONDITION = "the item is not as the condition wants it"
    OBJECT = "the object's fault: it will not get better by itself"
    MISSING = "it does not exist"
    FORBIDDEN = "it may not be read, by our role or at all"
    CHANGED = "the object is not the one that was looked at"
    ARCHIVED = "the object is in an archive and not restored"
    MISMATCH = "the token was used before with other parameters"
    STALE_PAGE = "the page token is no longer good: read from the first page"
    OURS = "our own fault: permissions, parameters, or an error that this table does not know"

    @property
    def transient(self) -> bool:
        """Tell whether the same call may well succeed in a moment."""
        return self in _TRANSIENT


_TRANSIENT = frozenset({Fault.REFUSED, Fault.UNKNOWN, Fault.CONFLICT})

FAULTS: dict[str, Fault] = {
    **dict.fromkeys(reasons.THROTTLED, Fault.REFUSED),
    **dict.fromkeys(reasons.AWS_FAILED, Fault.UNKNOWN),
    # Rekognition.
    "InvalidS3ObjectException": Fault.OBJECT,
    "VideoTooLargeException": Fault.OBJECT,
    "IdempotentParameterMismatchException": Fault.MISMATCH,
    "InvalidPaginationTokenException": Fault.STALE_PAGE,
    "ResourceNotFoundException": Fault.MISSING,
    "AccessDeniedException": Fault.OURS,
    "InvalidParameterException": Fault.OURS,
    # DynamoDB.
    "ConditionalCheckFailedException": Fault.CONDITION,
    "ConditionalCheckFailed": Fault.CONDITION,
    "TransactionConflictException": Fault.CONFLICT,
    "TransactionConflict": Fault.CONFLICT,
    "TransactionInProgressException": Fault.CONFLICT,
    # S3. HEAD has no body, so its codes are the bare status.
    "404": Fault.MISSING,
    "NoSuchKey": Fault.MISSING,
    "NoSuchBucket": Fault.MISSING,
    "NoSuchVersion": Fault.MISSING,
    # What a HEAD of a delete marker by its version answers.
    "405": Fault.MISSING,
    "MethodNotAllowed": Fault.MISSING,
    # HEAD's bare 400: a malformed version id, or an object encrypted with its owner's key, which Rekognition cannot read either.
    "400": Fault.OBJECT,
    "InvalidArgument": Fault.OBJECT,
    "403": Fault.FORBIDDEN,
    "AccessDenied": Fault.FORBIDDEN,
    "AllAccessDisabled": Fault.FORBIDDEN,
    "InvalidObjectState": Fault.ARCHIVED,
    "412": Fault.CHANGED,
    "PreconditionFailed": Fault.CHANGED,
    "RequestTimeTooSkewed": Fault.OURS,
    # SQS, SNS, S3 Control. InvalidParameterValue: how SQS may speak of a receipt that is no longer good.
    "InvalidParameterValue": Fault.CONDITION,
    "NotFoundException": Fault.MISSING,
    "NoSuchJob": Fault.MISSING,
    # A receipt handle whose message is no longer in flight: its visibility ran out.
    "MessageNotInflight": Fault.CONDITION,
    "AWS.SimpleQueueService.MessageNotInflight": Fault.CONDITION,
    "ReceiptHandleIsInvalid": Fault.CONDITION,
}


# Time-outs, connections refused or closed, failed handshakes, answers that break off.
_NO_ANSWER = (sdk.HTTPClientError, sdk.ConnectionError, sdk.IncompleteReadError)


class ThrottledError(Exception):
    """AWS kept refusing, or answered nothing certain, for longer than the caller retries."""


def fault_of(error: BaseException) -> Fault:
    """Return what an error means. An answer of 500 and above is never certain, whatever its code."""
    if isinstance(error, ThrottledError):
        return Fault.REFUSED
    if isinstance(error, ClientError):
        return _fault_of_answer(error)
    return Fault.UNKNOWN if isinstance(error, _NO_ANSWER) else Fault.OURS


def _fault_of_answer(error: ClientError) -> Fault:
    fault = FAULTS.get(code_of(error))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500:  # noqa: PLR2004 # HTTP's own boundary
        # A throttle answered with 5xx ("ThrottlingException: 400 or 500") promises nothing about what was done.
        return Fault.UNKNOWN
    return fault or Fault.OURS


def code_of(error: BaseException) -> str:
    """Return AWS's code as it stands, or for an error of the SDK or of our own its class's name."""
    return error.response.get("Error", {}).get("Code", reasons.TROUBLE) if isinstance(error, ClientError) else type(error).__name__


def message_of(error: BaseException) -> str:
    """Return what an error says, without what the SDK puts before it."""
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Message", "") or str(error)
    return str(error) or type(error).__name__

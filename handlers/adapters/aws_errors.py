"""What each AWS error code means for the caller, in one table.

Sources: Rekognition developer guide, error-handling; DynamoDB developer guide, Programming.Errors; S3 API, ErrorResponses;
SQS API, CommonErrors; S3 Batch Operations, troubleshooting-batch-operations; botocore's service models.
"""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus

from botocore import exceptions as sdk
from botocore.exceptions import ClientError

from handlers.domain import reasons


class Fault(Enum):
    """What an error means for the caller."""

    REFUSED = "throttled: nothing was done, and the same call may succeed later"
    UNKNOWN = "it is unknown whether it was done: time-out, broken connection, 5xx"
    CONFLICT = "another transaction was using the same item; nothing was done"
    CONDITION = "a condition of the request does not hold"
    BUSY = "what is to be changed is changing already"
    OBJECT = "Rekognition or S3 refuses the object itself"
    UNREADABLE = "S3 refuses to describe the object, without saying why"
    MISSING = "it does not exist"
    FORBIDDEN = "access is denied"
    CHANGED = "the object is not the one that was looked at before"
    ARCHIVED = "the object is in an archive and not restored"
    MISMATCH = "the token was used before with other parameters"
    STALE_PAGE = "the page token has expired: read from the first page"
    PARAMETER = "a parameter is not valid"
    OURS = "our own fault, or an error that this table does not know"

    @property
    def transient(self) -> bool:
        """Tell whether the same call may well succeed in a moment."""
        return self in {Fault.REFUSED, Fault.UNKNOWN, Fault.CONFLICT}


FAULTS: dict[str, Fault] = {
    **dict.fromkeys(reasons.THROTTLED, Fault.REFUSED),
    **dict.fromkeys(reasons.CONFLICTING, Fault.CONFLICT),
    **dict.fromkeys(reasons.AWS_FAILED, Fault.UNKNOWN),
    # Any service. An answer to HEAD has no body, so its code is the bare status.
    "403": Fault.FORBIDDEN,
    "AccessDenied": Fault.FORBIDDEN,
    "AccessDeniedException": Fault.FORBIDDEN,
    "AuthorizationError": Fault.FORBIDDEN,
    "Forbidden": Fault.FORBIDDEN,
    "UnauthorizedOperation": Fault.FORBIDDEN,
    "404": Fault.MISSING,
    "ResourceNotFoundException": Fault.MISSING,
    # Rekognition.
    "InvalidS3ObjectException": Fault.OBJECT,
    "VideoTooLargeException": Fault.OBJECT,
    "ImageTooLargeException": Fault.OBJECT,
    "InvalidImageFormatException": Fault.OBJECT,
    "IdempotentParameterMismatchException": Fault.MISMATCH,
    "InvalidPaginationTokenException": Fault.STALE_PAGE,
    "InvalidParameterException": Fault.PARAMETER,
    # DynamoDB; a transaction's cancellation reasons have codes without "Exception".
    "ConditionalCheckFailedException": Fault.CONDITION,
    "ConditionalCheckFailed": Fault.CONDITION,
    # S3.
    "NoSuchKey": Fault.MISSING,
    "NoSuchBucket": Fault.MISSING,
    "NoSuchVersion": Fault.MISSING,
    # What a HEAD of a delete marker by its version answers.
    "405": Fault.MISSING,
    "MethodNotAllowed": Fault.MISSING,
    # HEAD's bare 400: a malformed version id, or an object encrypted with its owner's key, which Rekognition cannot read either.
    "400": Fault.UNREADABLE,
    "InvalidArgument": Fault.OBJECT,
    "AllAccessDisabled": Fault.FORBIDDEN,
    "InvalidObjectState": Fault.ARCHIVED,
    "412": Fault.CHANGED,
    "PreconditionFailed": Fault.CHANGED,
    "416": Fault.CHANGED,
    "InvalidRange": Fault.CHANGED,
    # S3 Control.
    "NoSuchJob": Fault.MISSING,
    "NotFoundException": Fault.MISSING,
    # SQS. A receipt handle whose message is no longer in flight, because its visibility ran out, has any of four codes.
    "InvalidParameterValue": Fault.CONDITION,
    "MessageNotInflight": Fault.CONDITION,
    "AWS.SimpleQueueService.MessageNotInflight": Fault.CONDITION,
    "ReceiptHandleIsInvalid": Fault.CONDITION,
    "PurgeQueueInProgress": Fault.BUSY,
    "AWS.SimpleQueueService.PurgeQueueInProgress": Fault.BUSY,
    "KmsAccessDenied": Fault.FORBIDDEN,
    "KMS.AccessDeniedException": Fault.FORBIDDEN,
    # SNS.
    "KMSAccessDenied": Fault.FORBIDDEN,
    # Lambda.
    "ResourceInUseException": Fault.BUSY,
    "ResourceConflictException": Fault.BUSY,
}


# Time-outs, connections refused or closed, failed handshakes, truncated answers.
_NO_ANSWER = (sdk.HTTPClientError, sdk.ConnectionError, sdk.IncompleteReadError)


class ThrottledError(Exception):
    """Calls kept being throttled, or kept failing, for longer than the caller retries."""


def fault_of(error: BaseException) -> Fault:
    """Return what an error means. An answer of 500 and above is never certain, whatever its code."""
    if isinstance(error, ThrottledError):
        return Fault.REFUSED
    if isinstance(error, ClientError):
        return _fault_of_answer(error)
    return Fault.UNKNOWN if isinstance(error, _NO_ANSWER) else Fault.OURS


def _fault_of_answer(error: ClientError) -> Fault:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # A throttle answered with 5xx ("ThrottlingException: 400 or 500") promises nothing about what was done.
        return Fault.UNKNOWN
    unlisted = Fault.REFUSED if status == HTTPStatus.TOO_MANY_REQUESTS else Fault.OURS
    return FAULTS.get(code_of(error), unlisted)


def code_of(error: BaseException) -> str:
    """Return AWS's code, or the class name of an error of the SDK or of ours."""
    return error.response.get("Error", {}).get("Code", reasons.TROUBLE) if isinstance(error, ClientError) else type(error).__name__


def message_of(error: BaseException) -> str:
    """Return AWS's message without the SDK's preamble, or the text of any other error."""
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Message", "") or str(error)
    return str(error) or type(error).__name__

"""Which requests a world answers: those addressed to it, not sent by a web page, and signed with one of its keys.

A world runs code for its callers (`lambda:CreateFunction`), and its port is open to every program on the machine and every page
in its browser. So each request has to prove that its sender was given a key.
"""

from __future__ import annotations

import re
from enum import Enum
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from tools.emulator.core import signature as signatures
from tools.emulator.core.access import CONTROL_HOST, AccessKeys, Principal
from tools.emulator.core.calls import Call

# In front of the host is the account, or whatever a client puts there; behind it may be HTTP's own port.
_PROXIED = re.compile(rf"[a-z0-9-]+\.{re.escape(CONTROL_HOST)}(:80)?", re.ASCII | re.IGNORECASE)


class Reason(Enum):
    """Why a request is refused; the code for it depends on the service's protocol.

    Sources: "Common errors" of each service's API reference (InvalidClientTokenId, MissingAuthenticationToken,
    UnrecognizedClientException, IncompleteSignature: 403), S3's list of error codes [S3API:ErrorResponses], DynamoDB's
    [DDB:Programming.Errors]. On AWS, JSON services have been seen to answer an unknown key with 400, although their references
    say 403; here all answer 403, and SDKs go by the code.
    """

    DENIED = ("AccessDenied", "AccessDenied", "AccessDeniedException")
    UNSIGNED = ("AccessDenied", "MissingAuthenticationToken", "MissingAuthenticationTokenException")
    MALFORMED = ("AccessDenied", "IncompleteSignature", "IncompleteSignatureException")
    UNKNOWN_KEY = ("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException")
    WRONG_TOKEN = ("InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException")
    WRONG_SIGNATURE = ("SignatureDoesNotMatch", "SignatureDoesNotMatch", "InvalidSignatureException")

    def code(self, protocol: str) -> str:
        """Return AWS's code for a protocol (see `Call`)."""
        rest_xml, query, json = self.value
        return {"rest-xml": rest_xml, "query": query}.get(protocol, json)


class RefusedError(Exception):
    """A request is not answered; the message is for the person who sent it."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Admission:
    """Checks the requests to one world."""

    def __init__(self, endpoint: str, keys: AccessKeys) -> None:
        self._host = urlsplit(endpoint).netloc
        self._keys = keys

    def admit(self, environ: dict[str, Any], call: Call) -> Principal:
        """Return the sender of a request.

        Raises:
            RefusedError: The request must not be answered.
        """
        self._check_sender(environ)
        if call.signature is None:
            raise _unsigned(environ)
        key = self._keys.find(call.signature.access_key)
        if key is None:
            raise RefusedError(Reason.UNKNOWN_KEY, _KEY_MESSAGES.get(call.protocol, _INVALID_TOKEN))
        if signatures.session_token(environ, call.signature) != (key.credentials.session_token or ""):
            raise RefusedError(Reason.WRONG_TOKEN, _TOKEN_MESSAGES.get(call.protocol, _INVALID_TOKEN))
        if not signatures.verified(environ, call.signature, key.credentials.secret_key):
            raise RefusedError(Reason.WRONG_SIGNATURE, _MISMATCH)
        return key.principal

    def _check_sender(self, environ: dict[str, Any]) -> None:
        host = environ.get("HTTP_HOST", "")
        if host != self._host and not _PROXIED.fullmatch(host):
            raise RefusedError(
                Reason.DENIED,
                f"The offline world answers requests to {self._host} and, as a proxy, to *.{CONTROL_HOST}, "
                f"not to {host or 'no host'}; use the endpoint that it printed.",
            )
        if "HTTP_ORIGIN" in environ:
            raise RefusedError(Reason.DENIED, "The offline world does not answer web pages; send the request without Origin.")


_INVALID_TOKEN = "The security token included in the request is invalid."  # noqa: S105 - a message
_KEY_MESSAGES = {"rest-xml": "The AWS Access Key Id you provided does not exist in our records."}
_TOKEN_MESSAGES = {"rest-xml": "The provided token is malformed or otherwise invalid."}
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method."
)


def _unsigned(environ: dict[str, Any]) -> RefusedError:
    if signatures.claims(environ):
        return RefusedError(
            Reason.MALFORMED, "The request's signature is incomplete or of a kind that the offline world does not know; use SigV4."
        )
    return RefusedError(Reason.UNSIGNED, "The request is not signed; use the access key that the offline world printed.")

"""Pages of a job's results: their order, and the tokens that lead from one to the next."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Sequence
from typing import Any

from tools.emulator.services.rekognition.errors import RekognitionError
from tools.emulator.services.rekognition.parameters import GetRequest

Row = dict[str, Any]
# https://docs.aws.amazon.com/rekognition/latest/dg/api-video.html: a pagination token is valid for 24 hours.
TOKEN_SECONDS = 86_400
_FIELDS = struct.Struct(">Qd")
_SEAL_BYTES = 16


class PageTokens:
    """Makes and reads tokens: opaque, sealed, and good only for the same job in the same order."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def issue(self, request: GetRequest, offset: int, now: float) -> str:
        """Return the token of the page that begins at an offset."""
        fields = _FIELDS.pack(offset, now)
        return base64.urlsafe_b64encode(fields + self._seal(request, fields)).decode()

    def offset(self, request: GetRequest, now: float) -> int:
        """Return where the asked-for page begins, or raise `RekognitionError` (InvalidPaginationTokenException)."""
        if request.page_token is None:
            return 0
        try:
            raw = base64.urlsafe_b64decode(request.page_token.encode())
        except (binascii.Error, ValueError):
            raise _invalid_token() from None
        fields, seal = raw[: _FIELDS.size], raw[_FIELDS.size :]
        if not hmac.compare_digest(seal, self._seal(request, fields)):
            raise _invalid_token()
        offset, issued_at = _FIELDS.unpack(fields)
        if now >= issued_at + TOKEN_SECONDS:
            raise _invalid_token()
        return int(offset)

    def _seal(self, request: GetRequest, fields: bytes) -> bytes:
        bound = f"{request.job_id} {request.sort_by} {request.aggregate_by} ".encode()
        return hmac.digest(self._secret, bound + fields, hashlib.sha256)[:_SEAL_BYTES]


def in_order(rows: Sequence[Row], sort_by: str) -> Sequence[Row]:
    """Return rows, given by time, in the order asked for; NAME groups by label, the most confident first."""
    if sort_by == "TIMESTAMP":
        return rows
    return sorted(rows, key=lambda row: (row["ModerationLabel"]["Name"], -row["ModerationLabel"]["Confidence"]))


def _invalid_token() -> RekognitionError:
    return RekognitionError("InvalidPaginationTokenException", "The pagination token is not valid.")

"""Pages of a job's results: the order of rows, and the tokens that lead from page to page."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from tools.emulator.services.rekognition.errors import RekognitionError
from tools.emulator.services.rekognition.parameters import GetRequest

Row = dict[str, Any]
# https://docs.aws.amazon.com/rekognition/latest/dg/api-video.html: a pagination token is valid for 24 hours.
TOKEN_SECONDS = 86_400


class PageTokens:
    """Issues opaque tokens, each good only for the same job in the same order."""

    def __init__(self) -> None:
        self._issued: dict[str, tuple[tuple[str, ...], int, float]] = {}  # bound to, offset, valid until

    def issue(self, request: GetRequest, offset: int, now: float) -> str:
        """Return the token of the page that begins at an offset."""
        token = secrets.token_urlsafe(32)
        self._issued[token] = (_bound(request), offset, now + TOKEN_SECONDS)
        return token

    def offset(self, request: GetRequest, now: float) -> int:
        """Return where the requested page begins, or raise `RekognitionError` (InvalidPaginationTokenException)."""
        if request.page_token is None:
            return 0
        bound, offset, until = self._issued.get(request.page_token, ((), 0, now))
        if bound != _bound(request) or now >= until:
            raise RekognitionError("InvalidPaginationTokenException", "The pagination token is not valid.")
        return offset


def _bound(request: GetRequest) -> tuple[str, ...]:
    return request.job_id, request.sort_by, request.aggregate_by


def in_order(rows: Sequence[Row], sort_by: str) -> Sequence[Row]:
    """Sort rows, which are given by time; NAME groups them by label, the most confident first."""
    if sort_by == "TIMESTAMP":
        return rows
    return sorted(rows, key=lambda row: (row["ModerationLabel"]["Name"], -row["ModerationLabel"]["Confidence"]))

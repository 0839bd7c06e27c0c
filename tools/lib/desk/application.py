"""What the desk answers: the page, what changed, decisions, films and their frames."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from handlers.domain.decision import LogEntry, whole_log
from handlers.domain.languages import Language, phrase
from handlers.domain.mp4 import LONGEST_SECONDS
from tools.lib.bounded import parse_json
from tools.lib.cli import as_tool_error
from tools.lib.desk.decisions import Deciding, Written
from tools.lib.desk.frames import Frames
from tools.lib.desk.live_review import POLL_SECONDS, LiveReview
from tools.lib.desk.media import Analysed, Streams
from tools.lib.desk.refusal import FROM_AWS, LOAD_AGAIN, ON_OUR_PAGE, RefusedError, refusal
from tools.lib.desk.reviews import Reviews
from tools.lib.evidence import moments
from tools.lib.review import ObjectResult
from tools.lib.review.page import PageData, document, served_policy
from tools.lib.review.page.videos import recorded_json
from tools.lib.text import iso_time

# Bytes of a request: a hundred decisions with the longest notes, each character escaped.
MOST_BODY = 2 * 1024 * 1024

# Milliseconds of the longest film.
LONGEST_MS = int(LONGEST_SECONDS * 1000)

# Digits of a number in an address: milliseconds since 1970 have 13.
MOST_DIGITS = 15

_JSON = "application/json"


@dataclass(slots=True)
class Desk:
    """The endpoints; each blocking call runs in a thread.

    Attributes:
        language: That of the page, and of what is refused.
        decided_by: Who decides, unless the page says another name.
        report: Is told of each error that is not the browser's.
        written: How many decisions were written.
    """

    reviews: Reviews
    streams: Streams
    frames: Frames
    language: Language
    decided_by: str
    report: Callable[[Exception], None]
    written: int = 0
    _pages: dict[str, tuple[PageData, dict[str, Any], bytes]] = field(default_factory=dict)

    def application(self) -> Starlette:
        routes = [
            Route("/", self.page, methods=["GET"]),
            Route("/scans/{scan}", self.page, methods=["GET"]),
            Route("/favicon.ico", _no_icon, methods=["GET"]),
            Route("/api/changes", self.changes, methods=["GET"]),
            Route("/api/decisions", self.decide, methods=["POST"]),
            Route("/api/log", self.log, methods=["GET"]),
            Route("/media/{scan}/{id}", self.media, methods=["GET", "HEAD"]),
            Route("/frames/{scan}/{id}", self.frames_of, methods=["GET"]),
            Route("/frames/{scan}/{id}/{at}.jpg", self.frame, methods=["GET"]),
        ]
        application = Starlette(routes=routes, exception_handlers=self._handlers())
        application.router.redirect_slashes = False  # every other path is none
        return application

    async def page(self, request: Request) -> Response:
        scan_id = request.path_params.get("scan") or request.query_params.get("scan")
        review = await self._review(scan_id)
        text = await run_in_threadpool(self.page_of, review)
        return HTMLResponse(text, headers={"content-security-policy": f"{served_policy()}; frame-ancestors 'none'"})

    def page_of(self, review: LiveReview) -> bytes:
        """Return the page of a review; of 20,000 videos it takes a second, so it is kept until something changes."""
        data, number = review.page()
        desk = {
            "scans": self.reviews.listed(),
            "scan": review.scan.id,
            "decided_by": self.decided_by,
            "poll_s": POLL_SECONDS,
            "number": number,
        }
        kept = self._pages.get(review.scan.id)
        if kept is None or kept[0] is not data or kept[1] != desk:
            text = document(replace(data, values={**data.values, "desk": desk}), served=True).encode()
            kept = self._pages[review.scan.id] = data, desk, text
        return kept[2]

    async def changes(self, request: Request) -> Response:
        after = _number(request.query_params.get("after", "0"))
        if after is None:
            reason = phrase('"after" must be a number that an earlier answer had.')
            raise RefusedError(HTTPStatus.BAD_REQUEST, reason, LOAD_AGAIN)
        review = await self._review(request.query_params.get("scan"))
        return await run_in_threadpool(lambda: JSONResponse(review.changes(after)))

    async def decide(self, request: Request) -> Response:
        body = await _json_body(request)
        review = await self._review(body.get("scan") if isinstance(body, Mapping) else None)
        deciding = Deciding(self.reviews.run.table, review, self.reviews.run.clock, self.report)
        answers = await run_in_threadpool(deciding.write, body)
        self.written += sum(answer.outcome is Written.WRITTEN for answer in answers)
        return JSONResponse({"results": [answer.as_json(self.language) for answer in answers]})

    async def log(self, request: Request) -> Response:
        review = await self._review(request.query_params.get("scan"))
        outcome = _shown(review, request.query_params.get("id"))
        return await run_in_threadpool(self._log, outcome)

    def _log(self, outcome: ObjectResult) -> Response:
        kept = self.reviews.run.table.decisions.log_of(outcome.content) if outcome.content else []
        return JSONResponse({"log": [_logged(entry) for entry in whole_log(kept, outcome.decision)]})

    async def media(self, request: Request) -> Response:
        content = await self._content(request)
        return await self.streams.answer(content, request.headers.get("range"), head=request.method == "HEAD")

    async def frames_of(self, request: Request) -> Response:
        review = await self._review(request.path_params["scan"])
        outcome = _shown(review, request.path_params["id"])
        return await run_in_threadpool(self._moments, review, outcome.video.id)

    @staticmethod
    def _moments(review: LiveReview, video_id: str) -> Response:
        listed = [
            {
                "at": moment.at_ms,
                "label": moment.label,
                "confidence": moment.confidence,
                "src": f"/frames/{review.scan.id}/{video_id}/{moment.at_ms}.jpg",
            }
            for moment in moments(review.counted_segments(video_id))
        ]
        return JSONResponse({"frames": listed})

    async def frame(self, request: Request) -> Response:
        content, at_ms = await self._content(request), _number(request.path_params["at"])
        if at_ms is None or at_ms > LONGEST_MS:
            reason = phrase("No film is as long as that.")
            raise RefusedError(HTTPStatus.NOT_FOUND, reason, phrase("Ask for an earlier moment."))
        frame = await self.frames.get(content, at_ms, gone=request.is_disconnected)
        return Response(frame, media_type="image/jpeg")

    def _handlers(self) -> Mapping[Any, Callable[[Request, Exception], Awaitable[Response]]]:
        return {
            RefusedError: self._refuse,
            HTTPException: self._not_served,
            **dict.fromkeys((*FROM_AWS, Exception), self._failed),
        }

    async def _failed(self, _: Request, error: Exception) -> Response:
        """Answer an error of AWS, or of the desk itself."""
        if isinstance(error, ClientDisconnect):
            return Response()  # no one reads it
        self.report(error)
        explained = as_tool_error(error)
        status = HTTPStatus.BAD_GATEWAY if isinstance(error, FROM_AWS) else HTTPStatus.INTERNAL_SERVER_ERROR
        return refusal(RefusedError(status, *explained.phrases), self.language)

    async def _refuse(self, _: Request, error: Exception) -> Response:
        return refusal(cast("RefusedError", error), self.language)

    async def _not_served(self, _: Request, error: Exception) -> Response:
        """Answer what no route takes: another path, or another method."""
        given = cast("HTTPException", error)
        reason = phrase("The desk does not serve this: {detail}.", detail=given.detail)
        return refusal(RefusedError(HTTPStatus(given.status_code), reason, LOAD_AGAIN), self.language, dict(given.headers or {}))

    async def _review(self, scan_id: object) -> LiveReview:
        return await run_in_threadpool(self.reviews.get, scan_id)

    async def _content(self, request: Request) -> Analysed:
        """Return the content that a request names by scan and video id: nothing else of S3 can be asked for."""
        review = await self._review(request.path_params["scan"])
        outcome = _shown(review, request.path_params["id"])
        if outcome.facts is None:
            reason = phrase("Nothing has read the object, so it is not known which content the scan met.")
            raise RefusedError(HTTPStatus.CONFLICT, reason, phrase("Let the functions read it, and retry the failed ones."))
        return Analysed(outcome.video, outcome.facts)


def _number(given: str) -> int | None:
    """Return a number of an address, None for anything else; no number here has more digits than that."""
    return int(given) if given.isascii() and given.isdecimal() and len(given) <= MOST_DIGITS else None


def _logged(entry: LogEntry) -> dict[str, Any]:
    """Return a decision of the log, in the words of the page."""
    before = entry.before
    replaced = before and {
        "decision": before.judgement.value,
        "decided_by": before.decided_by,
        "decided_at": iso_time(before.decided_at),
    }
    return {**recorded_json(entry.decision), "before": replaced}


def _shown(review: LiveReview, video_id: str | None) -> ObjectResult:
    """Return a video that the desk shows.

    Raises:
        RefusedError: The desk does not show it.
    """
    outcome = review.find(video_id) if video_id else None
    if outcome is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, phrase("The desk shows no such video."), LOAD_AGAIN)
    return outcome


async def _no_icon(_: Request) -> Response:
    """Answer what every browser asks for of itself."""
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _json_body(request: Request) -> object:
    """Return the JSON of a request.

    Raises:
        RefusedError: It is too large, or not JSON.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, phrase("The body must be {type}.", type=_JSON), ON_OUR_PAGE)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            reason = phrase("The body has more than {most} bytes.", most=MOST_BODY)
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, reason, phrase("Send fewer decisions at a time."))
    try:
        return parse_json(bytes(body))
    except (json.JSONDecodeError, ValueError) as error:
        reason = phrase("The body is not JSON: {error}.", error=str(error))
        raise RefusedError(HTTPStatus.BAD_REQUEST, reason, ON_OUR_PAGE) from error

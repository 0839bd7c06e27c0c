"""Who may ask: one browser of this machine, which brought the token, from pages of the desk only.

A port of 127.0.0.1 is open to every user and to every web page on this machine. So a request must name this host (against DNS
rebinding), must not come from a page of another origin, and must bring the cookie that the first address was exchanged for.
"""

from __future__ import annotations

import hmac
import secrets
from http import HTTPStatus
from http.client import HTTP_PORT
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response

from handlers.domain.languages import Language, phrase
from tools.lib.desk.refusal import ON_OUR_PAGE, RefusedError, refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READING = frozenset({"GET", "HEAD"})
_BY_PROGRAM = phrase(
    "Open the address that `review_report.py serve` printed; it works once. If it was used, start the program again."
)

# The answer to the first address where a page on disk led to it: a redirect would not carry a SameSite=Strict cookie.
_ONWARDS = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/"><title>Desk</title>'

# What every answer says: nothing may embed, sniff, keep or pass on what the desk shows.
_HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class Admission:
    """Lets requests pass to an application; its port is part of the names that the desk answers to.

    Attributes:
        token: What the first address brings, once.
    """

    def __init__(self, app: ASGIApp, port: int, language: Language) -> None:
        self._app = app
        self._language = language
        names = ("127.0.0.1", "localhost")
        # HTTP's own port may be left out of Host and Origin (RFC 9110, 7.2), as browsers do.
        self._hosts = {f"{name}:{port}" for name in names} | ({*names} if port == HTTP_PORT else set())
        self._cookie = f"desk-{port}"  # cookies are not kept apart by port
        self._session = secrets.token_urlsafe(32)
        self._unused: str | None = secrets.token_urlsafe(32)
        self.token = self._unused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application do so."""
        headers = Headers(scope=scope)

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                marked = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    marked[name] = value
                marked.setdefault("content-security-policy", _POLICY)
            await send(message)

        try:
            answer = self._exchanged(scope, headers)
            if answer is None:
                self._require_admitted(scope, headers)
        except RefusedError as error:
            answer = refusal(error, self._language)
        await (answer or self._app)(scope, receive, send_marked)

    def _exchanged(self, scope: Scope, headers: Headers) -> Response | None:
        """Return the answer to the first address, which exchanges the token for the cookie."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if scope["path"] != "/" or scope["method"] != "GET" or not given:
            return None
        self._require_host(headers)
        if self._is_in(headers):  # the printed address, once more in the browser that it let in
            return RedirectResponse("/", HTTPStatus.SEE_OTHER)
        if self._unused is None or not _same(given[0], self._unused):
            reason = phrase("The token of this address is wrong, or was used before.")
            raise RefusedError(HTTPStatus.FORBIDDEN, reason, _BY_PROGRAM)
        self._unused = None
        redirects = headers.get("sec-fetch-site") in {None, "none", "same-origin"}
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER) if redirects else HTMLResponse(_ONWARDS)
        answer.set_cookie(self._cookie, self._session, httponly=True, samesite="strict")
        return answer

    def _require_admitted(self, scope: Scope, headers: Headers) -> None:
        """Make sure that a request may pass.

        Raises:
            RefusedError: It may not.
        """
        self._require_host(headers)
        self._require_page(scope["method"], headers)
        if not self._is_in(headers):
            raise RefusedError(HTTPStatus.FORBIDDEN, phrase("This browser has not been let in."), _BY_PROGRAM)

    def _is_in(self, headers: Headers) -> bool:
        cookies = [cookie_parser(each) for each in headers.getlist("cookie")]
        return any(_same(each.get(self._cookie, ""), self._session) for each in cookies)

    def _require_host(self, headers: Headers) -> None:
        named = headers.getlist("host")
        if len(named) != 1 or named[0] not in self._hosts:
            reason = phrase("The desk does not answer to this host name.")
            cure = phrase("Ask for {address} as the program printed it.", address=f"http://{min(self._hosts)}/")
            raise RefusedError(HTTPStatus.MISDIRECTED_REQUEST, reason, cure)

    @staticmethod
    def _require_page(method: str, headers: Headers) -> None:
        """Make sure that a request comes from a page of the desk, or from a person who opened its address."""
        origins, site = headers.getlist("origin"), headers.get("sec-fetch-site")
        ours = f"http://{headers['host']}"
        reads = method in _READING
        if any(origin != ours for origin in origins) or not (origins or reads):
            reason = phrase("The request comes from a page of another origin, or does not say from which.")
            raise RefusedError(HTTPStatus.FORBIDDEN, reason, ON_OUR_PAGE)
        if site is not None and site != "same-origin" and not (site == "none" and reads):
            reason = phrase("The request comes from another site.")
            raise RefusedError(HTTPStatus.FORBIDDEN, reason, phrase("Open the desk by its own address."))


def _same(given: str, expected: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())

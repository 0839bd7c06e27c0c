"""The world's HTTP server: moto's application behind a door that keeps the ledger and lets ordered faults strike."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from tools.emulator.calls import Call, identify
from tools.emulator.clock import Clock
from tools.emulator.faults import ApiFaults, Order
from tools.emulator.ledger import ApiCall, ApiLedger

HOST = "127.0.0.1"
TOOL = "tool"  # the principal of whoever is no function
StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class Door:
    """A WSGI application around moto's."""

    def __init__(
        self,
        application: Application,
        *,
        clock: Clock,
        ledger: ApiLedger,
        faults: ApiFaults,
        principal: Callable[[str], str | None],
    ) -> None:
        self._application = application
        self._clock = clock
        self._ledger = ledger
        self._faults = faults
        self._principal = principal

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        call = identify(environ)
        order = self._faults.take(call.service, call.operation)
        if order is not None:
            return self._struck(call, order, environ, start_response)

        def noting(status: str, *rest: Any) -> Any:  # noqa: ANN401 - WSGI's
            self._note(call, int(status.partition(" ")[0]))
            return start_response(status, *rest)

        return self._application(environ, noting)

    def _struck(self, call: Call, order: Order, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        _drain(environ) if not order.carried_out else _exhaust(self._application(environ, lambda *_: None))
        self._note(call, order.status)
        kind, body = _error(call.protocol, order)
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("x-amzn-errortype", order.code)]
        start_response(f"{order.status} Fault", headers)
        return [body]

    def _note(self, call: Call, status: int) -> None:
        principal = self._principal(call.access_key) or TOOL
        self._ledger.note(ApiCall(self._clock.now(), principal, call.service, call.operation, status))


class Server:
    """Serves an application on a port of the loopback from `start` until `close`; the port is taken when it is made."""

    def __init__(self, port: int = 0) -> None:
        """Take a port; 0 is any free one."""
        self._application: Application = _nothing
        self._server = make_server(HOST, port, self._answer, threaded=True, request_handler=_Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="server", daemon=True
        )

    @property
    def endpoint(self) -> str:
        """The server's URL."""
        return f"http://{HOST}:{self._server.server_port}"

    def start(self, application: Application) -> None:
        """Serve from now on."""
        self._application = application
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        return self._application(environ, start_response)


def moto_application() -> Application:
    """Return moto's application, made anew so that it finds the doors that are installed now."""
    application: Application = DomainDispatcherApplication(create_backend_app)
    return application


class _Handler(MotoRequestHandler):  # type: ignore[misc] # moto is untyped
    disable_nagle_algorithm = True  # headers and body are two writes: with Nagle's algorithm the second may wait for 40 ms

    def log_request(self, *_: object) -> None:
        """Say nothing of each request: the ledger has it."""


def _nothing(_: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    start_response("503 Service Unavailable", [("Content-Length", "0")])
    return []


def _drain(environ: dict[str, Any]) -> None:
    """Read the body that nobody will, so that the connection can be used again."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def _exhaust(answer: Iterable[bytes]) -> None:
    for _ in answer:
        pass
    close = getattr(answer, "close", None)
    if close is not None:
        close()


def _error(protocol: str, order: Order) -> tuple[str, bytes]:
    if protocol == "json":
        return "application/x-amz-json-1.1", json.dumps({"__type": order.code, "message": order.message}).encode()
    if protocol == "rest-json":
        return "application/json", json.dumps({"Code": order.code, "message": order.message}).encode()
    error = f"<Error><Code>{escape(order.code)}</Code><Message>{escape(order.message)}</Message></Error>"
    return "text/xml", (error if protocol == "rest-xml" else f"<ErrorResponse>{error}</ErrorResponse>").encode()

"""What the world's server serves: moto's application behind a door that keeps the ledger and lets ordered faults strike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from tools.emulator.calls import Call, identify
from tools.emulator.clock import Clock
from tools.emulator.faults import ApiFaults, Order
from tools.emulator.ledger import ApiCall, ApiLedger
from tools.emulator.server import Application, StartResponse

TOOL = "tool"  # the principal of whoever is no function


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
        if order.carried_out:
            _exhaust(self._application(environ, lambda *_: None))
        self._note(call, order.status)
        kind, body = _error(call.protocol, order)
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("x-amzn-errortype", order.code)]
        start_response(f"{order.status} Fault", headers)
        return [body]

    def _note(self, call: Call, status: int) -> None:
        principal = self._principal(call.access_key) or TOOL
        self._ledger.note(ApiCall(self._clock.now(), principal, call.service, call.operation, status))


class _Dispatcher(DomainDispatcherApplication):  # type: ignore[misc] # moto is untyped
    """Moto's, that remembers which host means which service: moto lists a folder for that at every request (0.3 ms, measured)."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._known: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:  # noqa: ANN401 - moto's
        """Return the service's name; moto holds its lock around this."""
        if host not in self._known:
            self._known[host] = super().get_backend_for_host(host)
        return self._known[host]


def moto_application() -> Application:
    """Return moto's application, made anew so that it finds the doors that are installed now."""
    application: Application = _Dispatcher()
    return application


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

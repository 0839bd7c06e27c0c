"""What the world's server serves: moto's application behind admission, with a ledger of calls and with ordered faults."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from tools.emulator.core.access import Principal, calling
from tools.emulator.core.admission import Admission, RefusedError
from tools.emulator.core.calls import Call, identify
from tools.emulator.core.clock import Clock
from tools.emulator.core.faults import ApiFaults, Order
from tools.emulator.core.ledger import ApiCall, ApiLedger
from tools.emulator.core.server import Application, StartResponse, read_all


@dataclass(frozen=True, slots=True)
class Gateway:
    """A WSGI application around moto's: each request is admitted, struck by an ordered fault if there is one, and noted."""

    application: Application
    clock: Clock
    ledger: ApiLedger
    faults: ApiFaults
    admission: Admission

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        call = identify(environ)
        try:
            principal = self.admission.admit(environ, call)
        except RefusedError as refused:
            return _answer(start_response, call, refused.status, refused.reason.code(call.protocol), str(refused))
        with calling(principal):
            return self._carry_out(principal, call, environ, start_response)

    def _carry_out(
        self, principal: Principal, call: Call, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        order = self.faults.take(call.service, call.operation)
        if order is not None:
            return self._fail(principal, call, order, environ, start_response)

        def note_and_start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:  # noqa: ANN401 - WSGI's
            self._note(principal, call, int(status.partition(" ")[0]))
            return start_response(status, _without_sharing(headers), *rest)

        return self.application(environ, note_and_start)

    def _fail(
        self, principal: Principal, call: Call, order: Order, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        if order.carried_out:
            read_all(self.application(environ, lambda *_: None))
        self._note(principal, call, order.status)
        return _answer(start_response, call, order.status, order.code, order.message)

    def _note(self, principal: Principal, call: Call, status: int) -> None:
        self.ledger.note(ApiCall(self.clock.now(), principal.name, call.service, call.operation, status))


def _without_sharing(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Drop the headers that let a web page read an answer, moto's own and those from a bucket's rules."""
    return [(name, value) for name, value in headers if not name.lower().startswith("access-control-")]


def _answer(start_response: StartResponse, call: Call, status: int, code: str, message: str) -> Iterable[bytes]:
    kind, body = _error(call.protocol, code, message)
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("x-amzn-errortype", code)]
    start_response(f"{int(status)} Fault", headers)
    return [body]


def _error(protocol: str, code: str, message: str) -> tuple[str, bytes]:
    if protocol == "json":
        return "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message}).encode()
    if protocol == "rest-json":
        return "application/json", json.dumps({"Code": code, "message": message}).encode()
    error = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    return "text/xml", (error if protocol == "rest-xml" else f"<ErrorResponse>{error}</ErrorResponse>").encode()

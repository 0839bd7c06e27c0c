"""What the desk answers instead of what was asked for: a status, why, and what to do."""

from __future__ import annotations

from http import HTTPStatus

from botocore.exceptions import BotoCoreError, ClientError
from starlette.responses import JSONResponse

from handlers.adapters.table import ThrottledError
from tools.lib.errors import ToolError
from tools.lib.evidence import EvidenceError, ReplacedError, UndecodableError

# What is raised where AWS fails, or refuses.
FROM_AWS = (ToolError, BotoCoreError, ClientError, ThrottledError)


class RefusedError(Exception):
    """A request that is refused; `reason` names the thing and the rule, `cure` what to do."""

    def __init__(self, status: HTTPStatus, reason: str, cure: str) -> None:
        super().__init__(reason)
        self.status = status
        self.cure = cure

    def response(self, headers: dict[str, str] | None = None) -> JSONResponse:
        return JSONResponse({"reason": str(self), "cure": self.cure}, self.status, headers)


def refused(error: EvidenceError) -> RefusedError:
    """Return the refusal that says why an object is not shown."""
    return RefusedError(_STATUSES.get(type(error), HTTPStatus.FORBIDDEN), str(error), error.cure)


_STATUSES = {ReplacedError: HTTPStatus.CONFLICT, UndecodableError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE}

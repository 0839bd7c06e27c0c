"""What the desk answers instead of what was asked for: a status, why, and what to do."""

from __future__ import annotations

from http import HTTPStatus

from botocore.exceptions import BotoCoreError, ClientError
from starlette.responses import JSONResponse

from handlers.adapters.table import ThrottledError
from handlers.domain.languages import Language, Phrase, phrase
from tools.lib.errors import ToolError
from tools.lib.evidence import EvidenceError, ReplacedError, UndecodableError

# What is raised where AWS fails, or refuses.
FROM_AWS = (ToolError, BotoCoreError, ClientError, ThrottledError)

LOAD_AGAIN = phrase("Load the page again.")
ON_OUR_PAGE = phrase("Decide on the page of the desk.")


class RefusedError(ToolError):
    """A request that is refused; its sentences are shown on the page, so they are phrases wherever that is possible."""

    def __init__(self, status: HTTPStatus, reason: str | Phrase, cure: str | Phrase) -> None:
        super().__init__(reason, cure=cure)
        self.status = status


def refusal(error: RefusedError, language: Language, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return the answer to a request that is refused."""
    reason, cure = error.sentences(language)
    return JSONResponse({"reason": reason, "cure": cure}, error.status, headers)


def refused(error: EvidenceError) -> RefusedError:
    """Return the refusal that says why an object is not shown."""
    return RefusedError(_STATUSES.get(type(error), HTTPStatus.FORBIDDEN), *error.phrases)


_STATUSES = {ReplacedError: HTTPStatus.CONFLICT, UndecodableError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE}

"""Log events with fields: Lambda's JSON format copies the fields of `extra` to the top level.

Object keys may be personal data, so only DEBUG events have them, and only they have AWS's messages, which may quote a key. Others
name a video by scan_id and video_id.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType

LOGGER = logging.getLogger("video-moderation")


@dataclass(frozen=True, slots=True)
class Log:
    """A logger with bound fields. Values must be JSON; no field may have the name of a LogRecord attribute."""

    fields: Mapping[str, object] = field(default_factory=dict)

    def bind(self, **fields: object) -> Log:
        """Return a logger that adds these fields to every event."""
        return Log({**self.fields, **fields})

    def debug(self, event: str, **fields: object) -> None:
        """Log details for finding a fault; the only level that may contain object keys."""
        LOGGER.debug(event, extra={**self.fields, **fields})

    def info(self, event: str, **fields: object) -> None:
        """Log a normal event."""
        LOGGER.info(event, extra={**self.fields, **fields})

    def warning(self, event: str, *, detail: str | None = None, **fields: object) -> None:
        """Log a problem that was handled; `detail`, which may be AWS's message, only at DEBUG."""
        LOGGER.warning(event, extra={**self.fields, **fields})
        self._detail(event, detail)

    def alarm(self, event: str, *, cause: BaseException | None = None, detail: str | None = None, **fields: object) -> None:
        """Log at level ERROR what an operator must look at, with where the cause was raised; what it says only at DEBUG."""
        LOGGER.error(event, extra={**self.fields, **fields}, exc_info=cause and _without_message(cause))
        self._detail(event, detail, cause)

    def _detail(self, event: str, detail: str | None, cause: BaseException | None = None) -> None:
        if detail or cause:
            LOGGER.debug(event, extra={**self.fields, "detail": detail}, exc_info=cause)


class _MessagelessError(Exception):
    """Stands for an exception whose message may hold a key, by the name of its type."""


def _without_message(cause: BaseException) -> tuple[type[BaseException], BaseException, TracebackType | None]:
    """Return a cause for `exc_info` with its type and traceback, but without its message and those of its own causes."""
    return type(cause), _MessagelessError(type(cause).__name__), cause.__traceback__

"""Log events with fields: Lambda's JSON format copies the fields of `extra` to the top level.

Object keys may be personal data, so only DEBUG events have them. Others name a video by scan_id and video_id.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

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

    def warning(self, event: str, **fields: object) -> None:
        """Log a problem that was handled."""
        LOGGER.warning(event, extra={**self.fields, **fields})

    def alarm(self, event: str, *, cause: BaseException | None = None, **fields: object) -> None:
        """Log at level ERROR what an operator must look at, with the traceback of the cause, if any."""
        LOGGER.error(event, extra={**self.fields, **fields}, exc_info=cause)

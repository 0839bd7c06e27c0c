"""Events with fields, through the standard library: Lambda's JSON log format copies what comes by `extra` to the top level.

Keys of objects are personal data as a rule: they belong to DEBUG only. A video is named by its scan_id and video_id.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

LOGGER = logging.getLogger("video-moderation")


@dataclass(frozen=True, slots=True)
class Log:
    """A logger to which fields are bound. Values must be JSON's; a field may not be named like a LogRecord's attribute."""

    fields: Mapping[str, object] = field(default_factory=dict)

    def bind(self, **fields: object) -> Log:
        """Return a logger that adds these fields to each event."""
        return Log({**self.fields, **fields})

    def debug(self, event: str, **fields: object) -> None:
        """Log what helps to find a fault; the only level that may name keys."""
        LOGGER.debug(event, extra={**self.fields, **fields})

    def info(self, event: str, **fields: object) -> None:
        """Log what happened."""
        LOGGER.info(event, extra={**self.fields, **fields})

    def warning(self, event: str, **fields: object) -> None:
        """Log what is odd but was dealt with."""
        LOGGER.warning(event, extra={**self.fields, **fields})

    def alarm(self, event: str, *, cause: BaseException | None = None, **fields: object) -> None:
        """Log at level ERROR what an operator must look at, with the cause's traceback if there is one."""
        LOGGER.error(event, extra={**self.fields, **fields}, exc_info=cause)

"""The circuit breaker: pauses all starting after Rekognition has refused many videos in a row for what must be our own fault."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.adapters.table import Control, Outcome
from handlers.domain import Problem
from handlers.runtime import Log

# How many different videos must be refused, without one being accepted in between, to pause all starting.
BREAKER_VIDEOS = 20

BREAKER = "circuit breaker"


@dataclass(frozen=True, slots=True)
class Breaker:
    """Counts refused videos in the settings item, for all functions together."""

    _control: Control

    def counts(self, video_id: str, problem: Problem, log: Log) -> bool:
        """Count a refused video, and pause all starting if too many were refused in a row; return whether that is so."""
        if self._control.count_refused(video_id) < BREAKER_VIDEOS:
            return False
        # The sweeper mails the operator; the first refusal to get here is the reason.
        if self._control.pause(BREAKER, f"{problem.code}: {problem.message}", mail=True) is Outcome.DONE:
            log.alarm("starting is paused", by=BREAKER, reason=problem.code, detail=problem.message)
        return True

    def close(self) -> None:
        """Reset the count, because a video was accepted; writes nothing if the count is 0."""
        settings = self._control.settings()
        if settings is not None and settings.refused_in_row:
            self._control.forget_refused()

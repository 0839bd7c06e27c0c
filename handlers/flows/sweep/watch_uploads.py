"""Watching the dead letters of the queue of uploads."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.adapters import UploadQueue
from handlers.adapters.table import Watches
from handlers.flows.sweep.context import SweepContext
from handlers.runtime import Log


@dataclass(frozen=True, slots=True)
class WatchUploads:
    """Says when uploads could not be registered. The next comparison sends them again; of a retry only a person can."""

    _watches: Watches
    _uploads: UploadQueue

    def run(self, context: SweepContext, until: float) -> None:  # noqa: ARG002 # two short calls
        """Compare the number of dead letters with the one that was seen last."""
        seen, count = self._watches.dead_letters(), self._uploads.dead_letters()
        if count > seen:
            Log().alarm("uploads not registered: new dead letters", messages=count - seen)
        if count != seen:
            self._watches.note_dead_letters(count)

"""What one sweep sees of the scans and settings: read once, because each task would read the same."""

from __future__ import annotations

from typing import Protocol

from handlers.adapters.table import Control, Scans
from handlers.domain.record import Scan, Settings
from handlers.domain.states import ScanStatus


class SweepContext:
    """Scans and settings as this sweep has seen them; every write looks again by its condition."""

    def __init__(self, scans: Scans, control: Control) -> None:
        self._scans = scans
        self._control = control
        self._found_scans: list[Scan] | None = None
        self._found_settings: Settings | None = None

    def scans(self) -> list[Scan]:
        """Return all scans, the oldest first."""
        if self._found_scans is None:
            self._found_scans = self._scans.scans()[::-1]
        return self._found_scans

    def open_scans(self) -> list[Scan]:
        """Return the open scans, the oldest first."""
        return [scan for scan in self.scans() if scan.status is ScanStatus.OPEN]

    def settings(self) -> Settings:
        """Return the settings."""
        if self._found_settings is None:
            self._found_settings = self._control.settings() or Settings()
        return self._found_settings

    def forget(self) -> None:
        """Have the scans read again: this sweep has changed some."""
        self._found_scans = None


class SweepTask(Protocol):
    """One thing that a sweep does."""

    def run(self, context: SweepContext, until: float) -> None:
        """Do it, or a part of it, and stop at the time `until` (epoch seconds); what is left is done by the next sweep."""

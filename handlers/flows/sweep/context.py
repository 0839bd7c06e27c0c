"""Scans and settings, read once per sweep for all its tasks."""

from __future__ import annotations

from typing import Protocol

from handlers.adapters.table import Control, Scans
from handlers.domain import Scan, ScanStatus, Settings


class SweepContext:
    """The scans and settings of one sweep; they may be outdated, so every write has a condition."""

    def __init__(self, scans: Scans, control: Control) -> None:
        self._scans = scans
        self._control = control
        self._found_scans: list[Scan] | None = None
        self._found_settings: Settings | None = None

    def scans(self) -> list[Scan]:
        """Return the scans that are live or about which a mail is due, the oldest first."""
        if self._found_scans is None:
            self._found_scans = self._scans.active()[::-1]
        return self._found_scans

    def open_scans(self) -> list[Scan]:
        """Return the open scans, the oldest first."""
        return [scan for scan in self.scans() if scan.status is ScanStatus.OPEN]

    def settings(self) -> Settings:
        """Return the settings, or the defaults if none were ever written."""
        if self._found_settings is None:
            self._found_settings = self._control.settings() or Settings()
        return self._found_settings

    def forget(self) -> None:
        """Read the scans again at the next access: a task has changed some."""
        self._found_scans = None


class SweepTask(Protocol):
    """One of the things that a sweep does, independent of the others."""

    def run(self, context: SweepContext, until: float) -> None:
        """Do as much as fits before `until` (epoch seconds); the next sweep does the rest."""

"""Quotas of calls a second."""

from __future__ import annotations

from collections import deque

from tools.emulator.services.rekognition.errors import RekognitionError


class RateLimit:
    """Admits a number of calls in any second; refused calls do not count."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._admitted: deque[float] = deque()

    def admit(self, now: float) -> None:
        """Count a call, or raise `RekognitionError` (ProvisionedThroughputExceededException)."""
        while self._admitted and self._admitted[0] <= now - 1.0:
            self._admitted.popleft()
        if len(self._admitted) >= self._per_second:
            raise RekognitionError("ProvisionedThroughputExceededException", "Provisioned rate exceeded.")
        self._admitted.append(now)

"""The reviews of the scans that a desk shows, each read when it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from handlers.domain import Scan
from handlers.domain.languages import phrase
from tools.lib.cli import Invocation
from tools.lib.desk.live_review import LiveReview
from tools.lib.desk.refusal import RefusedError
from tools.lib.review import SampleChoice


class Reviews:
    """The scans that the desk was started for; nothing else of the table can be asked for."""

    def __init__(self, run: Invocation, scans: Sequence[Scan], sample: SampleChoice) -> None:
        self.run = run
        self._scans = {scan.id: scan for scan in scans}
        self._sample = sample
        self._made: dict[str, LiveReview] = {}
        self._making = threading.Lock()

    def get(self, scan_id: object = None) -> LiveReview:
        """Return the review of a scan, by default of the first one.

        Raises:
            RefusedError: The desk was not started for that scan.
        """
        chosen = next(iter(self._scans)) if scan_id is None else scan_id
        if not isinstance(chosen, str) or chosen not in self._scans:
            reason = phrase("The desk was not started for this scan.")
            cure = phrase("Start it again with the id of the scan: review_report.py serve ID")
            raise RefusedError(HTTPStatus.NOT_FOUND, reason, cure)
        if (made := self._made.get(chosen)) is not None:
            return made
        with self._making:
            if chosen not in self._made:
                self._made[chosen] = LiveReview(self.run, chosen, self._sample)
            return self._made[chosen]

    def listed(self) -> list[dict[str, Any]]:
        """Return the scans as JSON values, in their order."""
        known = [self._made[each.id].scan if each.id in self._made else each for each in self._scans.values()]
        return [
            {"id": scan.id, "bucket": scan.bucket, "day": scan.day, "status": scan.status.value, "created_at": scan.created_at}
            for scan in known
        ]

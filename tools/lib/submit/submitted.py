"""What was submitted, as a result: the ids by which the scan is found again, and the next command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job that was created; `copy` is the local one of its manifest, `plan` that of the scan or retry as JSON values."""

    scan_id: str
    job_id: str
    manifest_uri: str
    copy: Path
    plan: Mapping[str, Any]
    next_command: str

    def sentences(self) -> list[str]:
        """Return what a person needs to find the scan again."""
        return [
            f"scan      {self.scan_id}",
            f"job       {self.job_id}",
            f"manifest  {self.copy}",
            f"next      {self.next_command}",
        ]

    def as_json(self) -> dict[str, Any]:
        """Return ids, manifest, next command and plan as JSON values."""
        return {
            "scan_id": self.scan_id,
            "job_id": self.job_id,
            "job_ids": [self.job_id],
            "manifest": {"uri": self.manifest_uri, "copy": str(self.copy)},
            "next": [self.next_command],
            "plan": self.plan,
        }

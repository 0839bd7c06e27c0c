"""What was submitted, as a result: the ids by which the scan is found again, and the next commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tools.lib.aws.deployment import Deployment


class SubmittedPlan(Protocol):
    """The plan that was submitted: of a scan, or of a retry."""

    @property
    def scan_id(self) -> str:
        """Return the scan that its job belongs to."""
        ...

    @property
    def deployment(self) -> Deployment:
        """Return where it was submitted."""
        ...

    def as_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        ...


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job that was created, and the command to type next."""

    plan: SubmittedPlan
    manifest_uri: str
    copy: Path
    job_id: str
    next_command: str

    def sentences(self) -> list[str]:
        """Return what a person needs to find the scan again."""
        return [
            f"scan      {self.plan.scan_id}",
            f"job       {self.job_id}",
            f"manifest  {self.copy}",
            f"next      {self.next_command}",
        ]

    def as_json(self) -> dict[str, Any]:
        """Return ids, manifest, next commands and plan as JSON values."""
        return {
            "scan_id": self.plan.scan_id,
            "job_id": self.job_id,
            "job_ids": [self.job_id],
            "manifest": {"uri": self.manifest_uri, "copy": str(self.copy)},
            "next": [self.next_command],
            "plan": self.plan.as_json(),
        }

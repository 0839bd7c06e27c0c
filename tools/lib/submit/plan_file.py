"""Plans on disk: `manifests/<scan id>.plan.json` beside the manifest `<scan id>.csv` that it was made of."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.lib.aws.deployment import Deployment
from tools.lib.cli import kept_if_done, replace_atomically
from tools.lib.errors import ToolError
from tools.lib.submit import plan as plans
from tools.lib.submit.plan import Plan

_SCAN_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_AGAIN = "Make a new plan with --dry-run."


@dataclass(frozen=True, slots=True)
class PlanFiles:
    """The files of one plan in a folder."""

    folder: Path
    scan_id: str

    @property
    def manifest(self) -> Path:
        return self.folder / f"{self.scan_id}.csv"

    @property
    def ineligible(self) -> Path:
        """Return where the list of what is left out is, if anything is."""
        return self.folder / f"{self.scan_id}-ineligible.csv"

    @property
    def plan(self) -> Path:
        return self.folder / f"{self.scan_id}.plan.json"

    @contextmanager
    def made(self) -> Iterator[PlanFiles]:
        """Make room for the files, and remove them again where the block ends in an exception."""
        with kept_if_done(self.plan, self.manifest, self.ineligible):
            yield self

    def write(self, plan: Plan) -> None:
        """Write the plan; it is there wholly or not at all."""
        with replace_atomically(self.plan) as part:
            part.write_text(f"{json.dumps(plan.as_json(), indent=2)}\n", encoding="utf-8")


def load(path: Path, deployment: Deployment) -> tuple[Plan, PlanFiles]:
    """Return a plan and its files, its manifest held against the hash in the plan.

    Raises:
        ToolError: The file is not a plan, is one for another deployment, or its manifest is gone or was changed.
    """
    values = _values(path)
    _require_deployment(path, values, deployment)
    _require_one_job(path, values)
    files = PlanFiles(path.parent, values["scan_id"])
    try:
        with files.manifest.open("rb") as manifest:
            sha256 = hashlib.file_digest(manifest, "sha256").hexdigest()
        plan = plans.from_json(values, deployment)
    except FileNotFoundError as error:
        raise ToolError(
            f"{files.manifest}: the manifest of the plan {path} is gone.", cure=f"Put it back beside the plan. {_AGAIN}"
        ) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _no_plan(path, error) from error
    if sha256 != plan.sha256:
        raise ToolError(
            f"{files.manifest}: it is not the manifest that the plan was made of (SHA-256 {sha256}, planned {plan.sha256}).",
            cure=f"Put the planned one back; nothing else will be submitted under this plan. {_AGAIN}",
        )
    return plan, files


def _values(path: Path) -> Mapping[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        scan_id, stack = values["scan_id"], (values["stack"], values["region"], values["account_id"])
        jobs = int(values["jobs"])
    except (ValueError, KeyError, TypeError) as error:
        raise _no_plan(path, error) from error
    # The names of files follow from it: it must not lead elsewhere.
    if not isinstance(scan_id, str) or not _SCAN_ID.fullmatch(scan_id) or not all(stack) or jobs < 1:
        raise _no_plan(path, f"scan_id {scan_id!r}, stack {stack!r}, jobs {jobs}")
    plan: Mapping[str, Any] = values
    return plan


def _require_deployment(path: Path, values: Mapping[str, Any], deployment: Deployment) -> None:
    planned = (values["stack"], values["region"], values["account_id"])
    found = (deployment.stack_name, deployment.region, deployment.account_id)
    if planned != found:
        raise ToolError(
            f"{path}: the plan is for the stack {planned[0]} in {planned[1]}, account {planned[2]}; "
            f"you are at {found[0]} in {found[1]}, account {found[2]}.",
            cure="Name the planned one with --stack, --region and --profile.",
        )


def _require_one_job(path: Path, values: Mapping[str, Any]) -> None:
    if values["jobs"] != 1:
        raise ToolError(
            f"{path}: the plan is of several jobs, made by an earlier version; a scan is one job now.",
            cure=f"If its scan was begun, end it: `python tools/control_scan.py cancel {values['scan_id']}`. {_AGAIN}",
        )


def _no_plan(path: Path, why: object) -> ToolError:
    return ToolError(f"{path}: this is not a plan of submit_job.py ({why}).", cure=_AGAIN)

"""Plans on disk: `manifests/<scan id>.plan.json` beside their manifest `<scan id>.csv`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.lib.aws import Deployment
from tools.lib.bounded import MAX_DOCUMENT, parse_json, read_file
from tools.lib.cli import kept_if_done, replace_atomically
from tools.lib.errors import ToolError
from tools.lib.submit import plan as plans
from tools.lib.submit.plan import Plan

_SCAN_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_NEW_PLAN = "Make a new plan with --dry-run."
_OTHERWISE = "Otherwise make a new plan with --dry-run."


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
        """Return the list of objects that are left out; the file exists only if there are any."""
        return self.folder / f"{self.scan_id}-ineligible.csv"

    @property
    def plan(self) -> Path:
        return self.folder / f"{self.scan_id}.plan.json"

    def made(self) -> AbstractContextManager[None]:
        """Create the folder, and remove the files again if the block ends in an exception."""
        return kept_if_done(self.plan, self.manifest, self.ineligible)

    def write(self, plan: Plan) -> None:
        with replace_atomically(self.plan) as part:
            part.write_text(f"{json.dumps(plan.as_json(), indent=2)}\n", encoding="utf-8")


def load(path: Path, deployment: Deployment) -> tuple[Plan, PlanFiles]:
    """Return a plan and its files, once the manifest is found to have the hash that the plan states.

    Raises:
        ToolError: The file is not a plan or is for another deployment, or its manifest is gone or was changed.
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
            f"{files.manifest}: the manifest of the plan {path} is gone.",
            cure=f"Put it back beside the plan. {_OTHERWISE}",
        ) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _no_plan(path, error) from error
    if sha256 != plan.sha256:
        raise ToolError(
            f"{files.manifest}: this is not the manifest of the plan (its SHA-256 is {sha256}, the plan has {plan.sha256}).",
            cure=f"Restore the manifest; this plan submits no other. {_OTHERWISE}",
        )
    return plan, files


def _values(path: Path) -> Mapping[str, Any]:
    try:
        values = parse_json(read_file(path, "a plan of submit_job.py", MAX_DOCUMENT))
        scan_id, stack = values["scan_id"], (values["stack"], values["region"], values["account_id"])
        jobs = int(values["jobs"])
    except (ValueError, KeyError, TypeError) as error:
        raise _no_plan(path, error) from error
    # File names are made of the scan id: it must not lead out of the folder.
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
            f"you are using {found[0]} in {found[1]}, account {found[2]}.",
            cure="Choose the stack of the plan with --stack, --region and --profile.",
        )


def _require_one_job(path: Path, values: Mapping[str, Any]) -> None:
    if values["jobs"] != 1:
        raise ToolError(
            f"{path}: the plan has several jobs, as an earlier version made them; a scan now has one.",
            cure=f"If its scan was begun, end it: `python tools/control_scan.py cancel {values['scan_id']}`. {_NEW_PLAN}",
        )


def _no_plan(path: Path, why: object) -> ToolError:
    return ToolError(f"{path}: this is not a plan of submit_job.py ({why}).", cure=_NEW_PLAN)

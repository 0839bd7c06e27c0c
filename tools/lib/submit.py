"""One run of `submit_job.py`: the steps from finding the deployment to the end of the scan, in their order."""

from __future__ import annotations

import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from handlers.adapters.table import ScanTable
from handlers.domain.states import Lane
from tools.lib import checks, deployment, manifest, submission
from tools.lib.aws import Clients
from tools.lib.deployment import Deployment
from tools.lib.errors import ToolError
from tools.lib.identifiers import new_scan_id
from tools.lib.listing import Harvest, Selection, harvest, is_versioned, list_batches
from tools.lib.manifest import UploadedManifest
from tools.lib.plan import Plan
from tools.lib.program import Surroundings, Target
from tools.lib.submission import Submission
from tools.lib.terminal import ExitCode, Terminal
from tools.lib.waiting import Waiting
from tools.lib.wording import printable

_REASONS = {
    "archived": "they are in Glacier or Deep Archive and must be restored first",
    "empty": "they are empty",
    "too-large": "they are over 10 GiB, which Rekognition does not take",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for on the command line."""

    target: Target
    selection: Selection
    lane: Lane
    dry_run: bool
    agreed: bool
    wait: bool
    unconfirmed_mail: bool
    poll_seconds: float
    manifests: Path


class SubmitRun:
    """The steps of one run."""

    def __init__(self, surroundings: Surroundings, terminal: Terminal, request: Request) -> None:
        self._clock = surroundings.clock
        self._entropy = surroundings.entropy
        self._terminal = terminal
        self._request = request
        self._clients: Clients = surroundings.connect(request.target.profile, request.target.region)

    def run(self) -> ExitCode:
        """Do what was asked for and return what to tell the shell."""
        found = deployment.find(self._clients.cloudformation, self._request.target.stack)
        warnings = self._check(found)
        scan_id = new_scan_id(self._clock, self._entropy)
        if self._request.dry_run:
            self._terminal.tell(self._plan(scan_id, found, warnings, None))
            return ExitCode.DONE
        with manifest.kept_if_done(self._request.manifests / f"{scan_id}.csv") as copy:
            plan = self._plan(scan_id, found, warnings, copy)
            self._agree(plan)
            with self._terminal.bar("bytes") as bar:
                uploaded = submission.upload_manifest(self._clients.s3, plan, copy, bar)
        return self._submit(plan, uploaded, copy)

    def _check(self, found: Deployment) -> tuple[str, ...]:
        checks.require_bucket(self._clients.s3, self._request.selection.bucket, found)
        recipients = checks.recipients(self._clients.sns, found.alerts_topic_arn)
        if not self._request.unconfirmed_mail:
            checks.require_confirmed(recipients, found.alerts_topic_arn)
        return (recipients.warning,) if recipients.warning else ()

    def _plan(self, scan_id: str, found: Deployment, warnings: tuple[str, ...], copy: Path | None) -> Plan:
        """List the bucket once: what is counted for the plan is what stands in the manifest."""
        selection = self._request.selection
        versioned = is_versioned(self._clients.s3, selection.bucket)
        listed = self._harvest(selection, copy, versioned=versioned)
        _require_objects(selection, listed)
        return Plan(
            scan_id=scan_id,
            selection=selection,
            versioned=versioned,
            lane=self._request.lane,
            tally=listed.tally,
            deployment=found,
            warnings=(*_left_out(listed, copy), *warnings),
        )

    def _harvest(self, selection: Selection, copy: Path | None, *, versioned: bool) -> Harvest:
        text = f"Listing {printable(selection.uri)}"
        with self._terminal.bar("objects") as bar:
            bar.show(text, 0, None)
            batches = list_batches(
                self._clients,
                selection,
                versioned=versioned,
                progress=lambda objects: bar.show(text, objects, None),
                directory=Path(tempfile.gettempdir()) if copy is None else copy.parent,
            )
            return harvest(batches, selection=selection, manifest=copy, ineligible=None if copy is None else _side_list(copy))

    def _agree(self, plan: Plan) -> None:
        for line in plan.sentences():
            self._terminal.say(line)
        if not (self._request.agreed or self._terminal.confirm(f"Submit {plan.tally.objects:,} objects?")):
            self._terminal.say("Nothing was submitted.")
            raise click.exceptions.Exit(ExitCode.FAILED)

    def _submit(self, plan: Plan, uploaded: UploadedManifest, copy: Path) -> ExitCode:
        table = ScanTable(self._clients.dynamodb, plan.deployment.table_name, self._clock)
        submission.register(table, plan, self._clock)
        job_id = submission.create_job(
            self._clients.s3control, plan, uploaded, refused=lambda: submission.close(table, plan.scan_id)
        )
        if trouble := submission.note_job(table, plan, job_id):
            self._terminal.say(trouble)
        review = self._request.target.command("review_report.py", "--scan", plan.scan_id)
        submitted = Submission(plan, uploaded, copy, job_id, (review,))
        if not self._request.wait:
            self._terminal.tell(submitted)
            return ExitCode.DONE
        waiting = Waiting(
            clients=self._clients, terminal=self._terminal, clock=self._clock, poll_seconds=self._request.poll_seconds
        )
        return waiting.wait(submitted, table, plan.tally.objects)


def _side_list(manifest_path: Path) -> Path:
    """Return where the objects that cannot be analysed are listed, beside the manifest."""
    return manifest_path.with_name(f"{manifest_path.stem}-ineligible.csv")


def _left_out(listed: Harvest, copy: Path | None) -> tuple[str, ...]:
    where = "" if copy is None else f", and listed in {_side_list(copy)}"
    return tuple(f"{count:,} objects are left out: {_REASONS[code]}{where}." for code, count in sorted(listed.ineligible.items()))


def _require_objects(selection: Selection, listed: Harvest) -> None:
    if not listed.rows:
        endings = " or ".join(printable(suffix) for suffix in selection.suffixes if suffix)
        raise ToolError(
            f"There is nothing to scan: no key below {printable(selection.uri)}{f' ends in {endings}' if endings else ''}.",
            cure=f"`aws s3 ls {shlex.quote(printable(selection.uri))}` shows what there is; choose with --prefix and --suffix "
            "(--suffix '' takes every key).",
        )

"""One run of `submit_job.py`: the steps from finding the deployment to the end of the scan, in their order."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from handlers.adapters.table import Table, open_table
from handlers.domain.record import Settings
from handlers.domain.states import Lane
from tools.lib.aws import deployment
from tools.lib.aws.clients import Clients
from tools.lib.aws.deployment import Deployment
from tools.lib.cli.output import ExitCode, Terminal
from tools.lib.cli.program import ProgramContext, Target
from tools.lib.doctor import Case, required
from tools.lib.errors import ToolError
from tools.lib.estimate import Estimate
from tools.lib.estimate.inspection import EstimateOptions, EstimateSummary, estimate_of, require_no_limit
from tools.lib.listing import Selection
from tools.lib.manifest.build import BuiltManifest, ManifestBuilder, ManifestRequest, bucket_of
from tools.lib.manifest.sources import Kind, Source
from tools.lib.submit import plan_file, plan_text
from tools.lib.submit.context import SubmitContext
from tools.lib.submit.perform import perform
from tools.lib.submit.plan import Plan
from tools.lib.submit.plan_file import PlanFiles
from tools.lib.submit.scan_id import new_scan_id
from tools.lib.submit.submitted import Submitted
from tools.lib.submit.wait import wait
from tools.lib.text import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for on the command line.

    Attributes:
        source: Where the rows come from.
        bucket: None where the source tells it, or a plan is run.
        selection: Returns the selection for a bucket.
        skip_unchanged: Whether what an earlier scan finished is left out.
        estimate_options: How the estimate is made, and the most that the scan may cost.
        check: Whether the deployment is only looked at.
        run_plan: The plan to run, or None.
        recheck: Whether to refuse the plan where its source would answer differently by now.
    """

    target: Target
    source: Source
    bucket: str | None
    selection: Callable[[str], Selection]
    skip_unchanged: bool
    estimate_options: EstimateOptions
    check: bool
    run_plan: Path | None
    recheck: bool
    lane: Lane
    suspended: bool
    dry_run: bool
    agreed: bool
    wait: bool
    unconfirmed_mail: bool
    poll_seconds: float
    manifests: Path


class SubmitRun:
    """The steps of one run."""

    def __init__(self, program_context: ProgramContext, terminal: Terminal, request: Request) -> None:
        self._clock = program_context.clock
        self._entropy = program_context.entropy
        self._terminal = terminal
        self._request = request
        self._submitting = False
        self._examine = program_context.examine
        self._clients: Clients = program_context.connect(request.target.profile, request.target.region)

    def run(self) -> ExitCode:
        """Do what was asked for and return what to tell the shell."""
        try:
            return self._run()
        except (KeyboardInterrupt, click.Abort):
            if not self._submitting:
                kept = "no files were kept" if self._request.run_plan is None else "the plan is unchanged"
                self._terminal.info(f"Interrupted before anything was submitted; {kept}.")
            raise

    def _run(self) -> ExitCode:
        found = deployment.find(self._clients.cloudformation, self._request.target.stack)
        if self._request.run_plan is not None:
            return self._run_plan(self._request.run_plan, found)
        return self._run_source(found)

    def _run_source(self, found: Deployment) -> ExitCode:
        bucket = self._request.bucket or bucket_of(self._clients, self._request.source)
        request = ManifestRequest(
            source=self._request.source,
            selection=self._request.selection(bucket),
            skip_unchanged=self._request.skip_unchanged,
            measure=self._request.estimate_options.measure,
        )
        if self._request.check:
            findings = self._examine(self._case(request.selection, found))
            self._terminal.result(findings)
            return findings.exit_code
        warnings = self._check(request.selection, found)
        files = PlanFiles(self._request.manifests, new_scan_id(self._clock, self._entropy))
        with files.made():
            plan = self._plan(request, found, warnings, files)
            if not self._request.dry_run:
                self._agree(plan)
        if self._request.dry_run:
            self._terminal.result(plan_text.PlanResult(plan))
            self._terminal.info(f"Nothing was submitted. To submit just this: {self._resume_command(files)}")
            return ExitCode.DONE
        return self._submit(plan, files)

    def _run_plan(self, path: Path, found: Deployment) -> ExitCode:
        plan, files = plan_file.load(path, found)
        self._check(plan.selection, found)
        if self._request.recheck:
            self._recheck(plan)
        self._agree(plan)
        return self._submit(plan, files)

    def _check(self, selection: Selection, found: Deployment) -> tuple[str, ...]:
        """Make sure that a scan makes sense, and return what to warn of. What is most often wrong comes first.

        Raises:
            ToolError: It makes none.
        """
        required.require_bucket(self._clients.s3, selection.bucket, found)
        findings = self._examine(self._case(selection, found))
        findings.require_none_stops()
        return findings.warnings

    def _case(self, selection: Selection, found: Deployment) -> Case:
        return Case(
            clients=self._clients,
            deployment=found,
            table=self._table(found),
            bucket=selection.bucket,
            unconfirmed_mail=self._request.unconfirmed_mail,
            prefixes=selection.ranges,
        )

    def _plan(self, request: ManifestRequest, found: Deployment, warnings: tuple[str, ...], files: PlanFiles) -> Plan:
        """Write manifest, side list and plan: what is counted for the plan is what the manifest holds."""
        built = self._build(request, found, files)
        if request.source.kind is not Kind.GENERATED:
            _require_objects(request, built)
        estimate = self._estimate(built, found)
        plan = Plan(
            scan_id=files.scan_id,
            created_at=self._clock.now(),
            selection=request.selection,
            source=request.source,
            versioned=built.stats.versioned,
            lane=self._request.lane,
            sizes=built.stats.sizes,
            ineligible=built.stats.ineligible,
            sha256=built.stats.sha256,
            suspended=self._request.suspended,
            skip_unchanged=request.skip_unchanged,
            measure=request.measure,
            deployment=found,
            estimate=None if estimate is None else EstimateSummary.of(estimate),
            warnings=(*built.warnings, *warnings),
        )
        files.write(plan)
        return plan

    def _estimate(self, built: BuiltManifest, found: Deployment) -> Estimate | None:
        options = self._request.estimate_options
        if built.measured is None:
            require_no_limit(options, "sizes are not known (--measure all looks at each object, where they are named one by one)")
            return None
        table = self._table(found)
        slots = (table.control.settings() or Settings()).slots or found.slots
        return estimate_of(
            options,
            built.measured,
            objects=built.stats.rows,
            history=table.scans,
            now=self._clock.now(),
            slots=slots,
            region=found.region,
        )

    def _table(self, found: Deployment) -> Table:
        return open_table(self._clients.dynamodb, found.table_name, self._clock)

    def _build(self, request: ManifestRequest, found: Deployment, files: PlanFiles) -> BuiltManifest:
        table = self._table(found)
        return ManifestBuilder(self._clients, self._clock, self._terminal).build(request, table, files.manifest, files.ineligible)

    def _recheck(self, plan: Plan) -> None:
        """Make sure that the plan's source would answer the same by now.

        Raises:
            ToolError: It would not.
        """
        with tempfile.TemporaryDirectory() as folder:
            request = ManifestRequest(
                source=plan.source,
                selection=plan.selection,
                skip_unchanged=plan.skip_unchanged,
                measure=plan.measure,
            )
            now = self._build(request, plan.deployment, PlanFiles(Path(folder), plan.scan_id)).stats
        if now.sha256 != plan.sha256:
            raise ToolError(
                f"The answer has changed since the plan was made: {plan.sizes.objects:,} objects were selected then, "
                f"{now.rows:,} are now, and the manifests differ.",
                cure="Make a new plan with --dry-run, or omit --recheck to submit what was seen then.",
            )

    def _agree(self, plan: Plan) -> None:
        for line in plan_text.lines_of(plan):
            self._terminal.info(line)
        if not (self._request.agreed or self._terminal.confirm(f"Submit {_count(plan)}?")):
            self._terminal.info("Nothing was submitted.")
            raise click.exceptions.Exit(ExitCode.FAILED)

    def _submit(self, plan: Plan, files: PlanFiles) -> ExitCode:
        self._submitting = True
        table = self._table(plan.deployment)
        context = SubmitContext(
            clients=self._clients,
            scans=table.scans,
            records=table.records,
            clock=self._clock,
            terminal=self._terminal,
            poll_seconds=self._request.poll_seconds,
        )
        job_id = perform(context, plan, files, self._resume_command(files))
        review = self._request.target.command("review_report.py", "--scan", plan.scan_id)
        submitted = Submitted(plan, plan.manifest_uri, files.plan if plan.generated else files.manifest, job_id, review)
        if not self._request.wait:
            self._terminal.result(submitted)
            return ExitCode.DONE
        return wait(context, submitted, plan.objects, set_aside=sum(plan.ineligible.values()))

    def _resume_command(self, files: PlanFiles) -> str:
        return self._request.target.command("submit_job.py", "--run-plan", str(files.plan))


def _require_objects(request: ManifestRequest, built: BuiltManifest) -> None:
    found = built.stats
    if found.rows:
        return
    selection, left_out = request.selection, sum(found.ineligible.values())
    if built.unchanged and not left_out:
        raise ToolError(
            f"There is nothing to scan: an earlier scan finished all {built.unchanged:,} objects that were selected, "
            "and they are unchanged.",
            cure="Omit --skip-unchanged to scan them again.",
        )
    if left_out:
        raise ToolError(
            f"There is nothing to scan: all {left_out:,} objects that were selected are left out, "
            f"because they are {plan_text.reasons(found.ineligible)}.",
            cure="Restore what is archived, or choose others.",
        )
    endings = " or ".join(printable(suffix) for suffix in selection.suffixes if suffix)
    raise ToolError(
        f"There is nothing to scan: no key below {printable(selection.uri)}{f' ends in {endings}' if endings else ''}.",
        cure=f"`aws s3 ls {shlex.quote(printable(selection.uri))}` shows what there is; choose with --prefix and --suffix "
        "(--suffix '' takes every key).",
    )


def _count(plan: Plan) -> str:
    return "whatever S3 finds" if plan.objects is None else f"{plan.objects:,} objects"

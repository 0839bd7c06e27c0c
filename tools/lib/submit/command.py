"""One run of `submit_job.py`: from finding the deployment to the submitted job, or to the end of the scan."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import click

from handlers.domain import Engine, Lane, Settings, reasons, unselected
from handlers.domain.languages import ENGLISH
from tools.lib.aws import Deployment
from tools.lib.cli import CommandResult, ExitCode, Invocation
from tools.lib.doctor import Case, Findings, examine, require_bucket
from tools.lib.errors import ToolError
from tools.lib.estimate import (
    Circumstances,
    EngineChoice,
    Estimate,
    EstimateOptions,
    estimate,
    measured_pace,
    measured_speed,
    missed,
    require_no_limit,
)
from tools.lib.listing import Selection
from tools.lib.manifest import BuiltManifest, Kind, ManifestRequest, Source, bucket_of, build_manifest
from tools.lib.review import cure_of
from tools.lib.submit import plan_file, plan_text
from tools.lib.submit.engine_options import deployed
from tools.lib.submit.finish import Submitted, finish
from tools.lib.submit.options import SubmitOptions
from tools.lib.submit.perform import perform
from tools.lib.submit.plan import Plan
from tools.lib.submit.plan_file import PlanFiles
from tools.lib.submit.scan_id import new_scan_id
from tools.lib.text import counted, printable

# The default of a deployment's `images_per_second`, for the estimate of a deployment without frames.
USUAL_IMAGES_PER_SECOND = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asks for.

    Attributes:
        source: Where the rows of the manifest come from.
        bucket: None where the source names it, or where a plan is run.
        selection: Returns the selection for a bucket.
        skip_unchanged: Whether to leave out what an earlier scan finished and that has not changed since.
        choice: The engine, and what it takes.
        estimate_options: How to estimate, and the most that the scan may cost.
        check: Whether only to check the deployment.
        run_plan: The plan to run, or None.
        recheck: Whether to refuse the plan if its source would now give another manifest.
    """

    source: Source
    bucket: str | None
    selection: Callable[[str], Selection]
    skip_unchanged: bool
    choice: EngineChoice
    estimate_options: EstimateOptions
    check: bool
    run_plan: Path | None
    recheck: bool
    lane: Lane
    suspended: bool
    unconfirmed_mail: bool
    how: SubmitOptions


class SubmitRun:
    """The steps of one run of `submit_job.py`."""

    def __init__(self, run: Invocation, request: Request) -> None:
        self._invocation = run
        self._terminal = run.terminal
        self._request = request
        self._submission_began = False

    def run(self) -> ExitCode:
        """Submit, check or only show the plan, as the request says."""
        try:
            return self._run_source() if self._request.run_plan is None else self._run_plan(self._request.run_plan)
        except (KeyboardInterrupt, click.Abort):
            if not self._submission_began:
                kept = "no files were kept" if self._request.run_plan is None else "the plan is unchanged"
                self._terminal.info(f"Interrupted before anything was submitted; {kept}.")
            raise

    def _run_source(self) -> ExitCode:
        run = self._invocation
        found = run.deployment  # before the bucket is looked at: a missing stack is the commonest fault
        bucket = self._request.bucket or bucket_of(run.clients.s3, self._request.source)
        request = ManifestRequest(
            source=self._request.source,
            selection=self._request.selection(bucket),
            skip_unchanged=self._request.skip_unchanged,
            measure=self._request.estimate_options.measure,
            choice=deployed(self._request.choice, found),
        )
        if self._request.check:
            findings = self._examine(request.selection)
            self._terminal.result(findings)
            return findings.exit_code
        warnings = self._check(request.selection)
        self._require_agreement()
        files = PlanFiles(self._request.how.manifests, new_scan_id(run.clock, run.program_context.entropy))
        with files.made():
            plan = self._plan(request, found, warnings, files)
            if not self._request.how.dry_run:
                self._agree(plan)
        if self._request.how.dry_run:
            self._terminal.result(CommandResult(plan_text.lines_of(plan), plan.as_json()))
            self._terminal.info(f"Nothing was submitted. To submit exactly this plan: {self._resume_command(files)}")
            return ExitCode.DONE
        return self._submit(plan, files)

    def _run_plan(self, path: Path) -> ExitCode:
        plan, files = plan_file.load(path, self._invocation.deployment)
        deployed(plan.choice, plan.deployment)
        self._check(plan.selection)
        self._require_agreement()
        if self._request.recheck:
            self._recheck(plan)
        self._agree(plan)
        return self._submit(plan, files)

    def _require_agreement(self) -> None:
        how = self._request.how
        self._invocation.require_agreement("pass --yes to submit, or --dry-run to see the plan", agreed=how.dry_run or how.yes)

    def _check(self, selection: Selection) -> tuple[str, ...]:
        """Make sure that a scan can succeed, and return warnings. What is most often wrong is checked first.

        Raises:
            ToolError: The scan must not start.
        """
        require_bucket(self._invocation.clients.s3, selection.bucket, self._invocation.deployment)
        findings = self._examine(selection)
        findings.require_none_stops()
        return findings.warnings

    def _examine(self, selection: Selection) -> Findings:
        run, unconfirmed = self._invocation, self._request.unconfirmed_mail
        return examine(Case(run.clients, run.deployment, run.table, selection.bucket, unconfirmed, selection.ranges, run.clock))

    def _plan(self, request: ManifestRequest, found: Deployment, warnings: tuple[str, ...], files: PlanFiles) -> Plan:
        """Write the manifest, the list of ineligible objects, and the plan, whose counts are those of the manifest."""
        built = self._build(request, files)
        if request.source.kind is not Kind.GENERATED:
            _require_objects(request, built, self._invocation.clock.now())
        estimated = self._estimate(built, found)
        plan = Plan(
            scan_id=files.scan_id,
            created_at=self._invocation.clock.now(),
            selection=request.selection,
            source=request.source,
            versioned=built.stats.versioned,
            lane=self._request.lane,
            sizes=built.stats.sizes,
            ineligible=built.stats.ineligible,
            sha256=built.stats.sha256,
            suspended=self._request.suspended,
            skip_unchanged=request.skip_unchanged,
            choice=request.choice,
            measure=request.measure,
            deployment=found,
            not_selected=built.not_selected,
            estimate=estimated,
            warnings=(*built.warnings, *warnings),
        )
        files.write(plan)
        return plan

    def _estimate(self, built: BuiltManifest, found: Deployment) -> dict[str, Any] | None:
        """Return the estimates of the chosen engine and of the other one, as the plan holds them.

        Raises:
            ToolError: The scan may cost more than the limit.
        """
        options = self._request.estimate_options
        if built.measured is None:
            require_no_limit(options, "sizes are not known (for objects named one by one, --measure all reads them)")
            return None
        chosen, other = built.measured.measurements, built.measured.alternative
        circumstances, rows = self._circumstances(found), built.stats.rows
        # What the other engine takes or does not take is left out for the chosen one, or is not.
        rows_of_other = max(0, rows + chosen.faults.total() - other.faults.total())
        made, alternative = (
            estimate(
                built.measured.populations,
                measurements,
                objects=objects,
                stored=built.measured.stored,
                circumstances=circumstances,
            )
            for measurements, objects in ((chosen, rows), (other, rows_of_other))
        )
        made.require_affordable(options.max_cost)
        other_way = {**alternative.as_json(), "sentences": _alternative_sentences(alternative, found)}
        return {**made.as_json(), "sentences": made.sentences(), "alternative": other_way}

    def _circumstances(self, found: Deployment) -> Circumstances:
        table = self._invocation.table
        slots = (table.control.settings() or Settings()).slots or found.slots
        return Circumstances(
            now=self._invocation.clock.now(),
            slots=slots,
            speed=measured_speed(table.scans, slots),
            pace=measured_pace(table.scans, found.images_per_second or USUAL_IMAGES_PER_SECOND),
            prices=self._request.estimate_options.prices,
            region=found.region,
        )

    def _build(self, request: ManifestRequest, files: PlanFiles) -> BuiltManifest:
        run = self._invocation
        return build_manifest(
            request,
            clients=run.clients,
            table=run.table,
            terminal=run.terminal,
            now=run.clock.now(),
            manifest=files.manifest,
            ineligible=files.ineligible,
        )

    def _recheck(self, plan: Plan) -> None:
        """Make sure that the plan's source still gives the same manifest.

        Raises:
            ToolError: It gives another.
        """
        with tempfile.TemporaryDirectory() as folder:
            request = ManifestRequest(
                source=plan.source,
                selection=plan.selection,
                skip_unchanged=plan.skip_unchanged,
                measure=plan.measure,
                choice=plan.choice,
            )
            now = self._build(request, PlanFiles(Path(folder), plan.scan_id)).stats
        if now.sha256 != plan.sha256:
            raise ToolError(
                f"The objects have changed since the plan was made: {plan.sizes.objects:,} were selected then, "
                f"{now.rows:,} now, and the manifests differ.",
                cure="Make a new plan with --dry-run, or omit --recheck to submit the plan as it is.",
            )

    def _agree(self, plan: Plan) -> None:
        for line in plan_text.lines_of(plan):
            self._terminal.info(line)
        if not self._request.how.yes:
            self._invocation.agree(f"Submit {_count(plan)}?", "Nothing was submitted.")

    def _submit(self, plan: Plan, files: PlanFiles) -> ExitCode:
        self._submission_began = True
        job_id = perform(self._invocation, plan, files, self._resume_command(files))
        copy = files.plan if plan.generated else files.manifest
        review = self._invocation.target.command("review_report.py", "--scan", plan.scan_id)
        submitted = Submitted(plan.scan_id, job_id, plan.manifest_uri, copy, plan.as_json(), review)
        return finish(self._invocation, self._request.how, submitted, sum(plan.ineligible.values()))

    def _resume_command(self, files: PlanFiles) -> str:
        return self._invocation.target.command("submit_job.py", "--run-plan", str(files.plan))


def _require_objects(request: ManifestRequest, built: BuiltManifest, now: float) -> None:
    found = built.stats
    if found.rows:
        return
    selection, left_out = request.selection, sum(found.ineligible.values())
    if built.unchanged and not left_out:
        raise ToolError(
            f"There is nothing to scan: an earlier scan finished every selected object ({built.unchanged:,} in all), "
            "and none has changed.",
            cure="Omit --skip-unchanged to scan them again.",
        )
    if left_out:
        raise ToolError(
            f"There is nothing to scan: every selected object ({left_out:,} in all) is left out, "
            f"because it is {plan_text.left_out_because(found.ineligible)}.",
            cure=_cure_of_all(found.ineligible),
        )
    others = "".join(f" {line}" for line in unselected.sentences(built.not_selected or {}, ENGLISH))
    after = selection.modified_after
    if after is not None and after.timestamp() > now:
        raise ToolError(
            f"There is nothing to scan: --modified-after {after.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC is in the future.",
            cure="Name an earlier time; without an offset it is UTC.",
        )
    raise ToolError(
        f"There is nothing to scan: {_none_found(selection)}.{others}",
        cure=f"`aws s3 ls {shlex.quote(printable(selection.uri))}` lists the keys; select some with --prefix and --suffix "
        "(--suffix '' selects every key).",
    )


def _cure_of_all(codes: Collection[str]) -> str:
    """Return what to do where every object is left out for one of these reasons."""
    cures = [f"{code}: {cure_of(code)}." for code in sorted(codes) if code != reasons.ARCHIVED]
    restore = ["Restore what is archived, or choose other objects."] if reasons.ARCHIVED in codes else ["Choose other objects."]
    return " ".join([*restore, *cures])


def _none_found(selection: Selection) -> str:
    endings = " or ".join(printable(suffix) for suffix in selection.suffixes if suffix)
    filters = plan_text.filter_lines(selection)
    if filters:
        ends = [f"keys ending in {endings}"] if endings else []
        return f"no object below {printable(selection.uri)} passes all filters ({'; '.join([*ends, *filters])})"
    return f"no key below {printable(selection.uri)}{f' ends in {endings}' if endings else ''}"


def _alternative_sentences(alternative: Estimate, deployment: Deployment) -> list[str]:
    """Return what the engine that was not chosen would cost, what it might miss, and how to choose it."""
    choice = alternative.choice
    if choice.engine is Engine.VIDEO:
        return [alternative.in_short(), "omit --frames to submit that"]
    option = f"--frames {choice.interval_ms / 1_000:g}s"
    needed = "" if deployment.has_frames else ', after "frames" was set to true in cdk.json and deployed'
    return [alternative.in_short(), missed(choice.interval_ms), f"pass {option} to submit that{needed}"]


def _count(plan: Plan) -> str:
    return "whatever S3 finds" if plan.objects is None else counted(plan.objects, "object")

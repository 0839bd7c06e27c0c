"""What `--wait` ends with: an exit code, lines, JSON, and what to do where a person must act."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from handlers.domain.languages import phrase
from handlers.domain.record import BatchJob, Scan, Settings, Totals
from handlers.domain.states import ScanStatus, State
from tests.tools.review_doubles import JOB, SCAN
from tools.lib.aws import JobView
from tools.lib.cli import ExitCode, Target
from tools.lib.scans import ScanProgress
from tools.lib.submit.finish import Ended, Submitted, _broken, held_error

COMPLETE = BatchJob(JOB, "Complete", tasks=4, succeeded=4, failed=0)
CLEAN = Totals({State.CLEAN: 3, State.FLAGGED: 1}, {})
RUN = SimpleNamespace(target=Target(stack="VideoModeration", region=None, profile=None))


def ended(*, job=COMPLETE, totals=CLEAN, status=ScanStatus.CLOSED, held=None, settings=None, set_aside=0, skipped=0, warnings=()):
    """Return how a scan of four objects ended."""
    scan = Scan(SCAN, "amzn-s3-demo-bucket", status=status, objects=4, jobs=(job,), held_reason=held)
    progress = ScanProgress(
        scan=scan,
        totals=totals,
        running=0,
        settings=settings or Settings(),
        slots=18,
        now=9.0,
        set_aside=set_aside,
        warnings=warnings,
    )
    return Ended(progress, JobView(job), skipped)


BROKEN = replace(COMPLETE, status="Failed", succeeded=1, failed=3, reasons=("too many failed", "really"))
FAILURE = replace(COMPLETE, succeeded=3, failed=1)
PAUSED = Settings(paused=True, paused_by="Ada", paused_reason="lunch")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, ExitCode.DONE),
        ({"totals": Totals({State.CLEAN: 3, State.FAILED: 1}, {})}, ExitCode.SOME_FAILED),
        ({"totals": Totals({State.CLEAN: 3, State.CANCELLED: 1}, {})}, ExitCode.SOME_FAILED),
        ({"set_aside": 1}, ExitCode.SOME_FAILED),
        ({"skipped": 1}, ExitCode.SOME_FAILED),
        ({"job": FAILURE}, ExitCode.SOME_FAILED),
        ({"status": ScanStatus.CANCELLED}, ExitCode.SOME_FAILED),
        ({"job": BROKEN}, ExitCode.FAILED),
        ({"job": replace(BROKEN, status="Cancelled", failed=0)}, ExitCode.FAILED),
        ({"status": ScanStatus.PAUSED}, ExitCode.FAILED),
        ({"status": ScanStatus.OPEN}, ExitCode.DONE),
        ({"status": ScanStatus.OPEN, "settings": PAUSED}, ExitCode.FAILED),
        ({"status": ScanStatus.CLOSED, "settings": PAUSED}, ExitCode.DONE),
        ({"job": replace(COMPLETE, failed=None)}, ExitCode.DONE),
    ],
)
def test_exit_code(given, code):
    """0 where every object has a verdict, 3 where one has none, 1 where the job broke or a person must act."""
    assert code is ended(**given).exit_code


def test_lines():
    """The progress is followed by what its counts do not show; where the job broke, by S3's reasons."""
    warned = ended(warnings=(phrase("{count} {count:video|videos} odd", count=1),)).sentences()
    broken = ended(job=BROKEN).sentences()

    assert (2, "Warning: 1 video odd") == (len(warned), warned[1])
    assert ["job failed because  too many failed", "job failed because  really"] == broken[1:]


def test_json():
    """The JSON has the scan, its job, who paused what, and every count."""
    found = ended(
        job=BROKEN,
        totals=Totals({State.CLEAN: 1, State.FLAGGED: 0, State.FAILED: 2, State.CANCELLED: 1}, {}, {"empty": 1, "forbidden": 1}),
        status=ScanStatus.PAUSED,
        held="its job broke",
        settings=PAUSED,
        set_aside=5,
        skipped=6,
        warnings=(phrase("odd"),),
    )

    assert {
        "status": "paused",
        "job": {"status": "Failed", "tasks": 4, "succeeded": 1, "failed": 3, "reasons": ["too many failed", "really"]},
        "held_reason": "its job broke",
        "paused": True,
        "paused_by": "Ada",
        "paused_reason": "lunch",
        "warnings": ["odd"],
        "videos": {"CANCELLED": 1, "CLEAN": 1, "FAILED": 2, "FLAGGED": 0},
        "ineligible": 6,
        "skipped": 6,
        "running": 0,
        "exit_code": 1,
    } == found.as_json()


@pytest.mark.parametrize(("reason", "shown"), [("its job broke", "its job broke"), (None, "no reason was given")])
def test_paused_scan(reason, shown):
    """A paused scan is named with its reason, and with the commands that let it go on or end it."""
    error = held_error(RUN, ended(status=ScanStatus.PAUSED, held=reason).progress)

    assert f"Scan {SCAN} is paused: {shown}. What waits is not analysed." == str(error)
    assert (
        f"`python tools/control_scan.py resume {SCAN}` lets it go on, `python tools/control_scan.py cancel {SCAN}` ends it; "
        f"`python tools/control_scan.py status {SCAN} --watch` follows it."
    ) == error.cure


@pytest.mark.parametrize(
    ("settings", "shown"),
    [(PAUSED, "by Ada: lunch"), (Settings(paused=True), "by someone: no reason was given")],
)
def test_paused_starting(settings, shown):
    """Where all starting is paused, it is said by whom and why, and what ends that."""
    error = held_error(RUN, ended(status=ScanStatus.OPEN, settings=settings).progress)

    assert f"Starting is paused {shown}. What waits is not analysed." == str(error)
    assert (
        "Fix the cause, then `python tools/control_scan.py resume`; "
        f"`python tools/control_scan.py status {SCAN} --watch` follows the scan."
    ) == error.cure


SUBMITTED = Submitted(
    SCAN, JOB, "s3://amzn-s3-demo-work/manifests/x.csv", Path("manifests/x.csv"), {"objects": 4}, "python tools/review_report.py"
)


def test_submitted():
    """What was submitted has its ids, both places of its manifest, its plan, and the command that comes next."""
    assert [
        f"scan      {SCAN}",
        f"job       {JOB}",
        "manifest  manifests/x.csv",
        "next      python tools/review_report.py",
    ] == SUBMITTED.sentences()
    assert {
        "scan_id": SCAN,
        "job_id": JOB,
        "job_ids": [JOB],
        "manifest": {"uri": "s3://amzn-s3-demo-work/manifests/x.csv", "copy": "manifests/x.csv"},
        "next": ["python tools/review_report.py"],
        "plan": {"objects": 4},
    } == SUBMITTED.as_json()


@pytest.mark.parametrize(
    ("reasons", "shown"), [(("too many failed", "really"), "too many failed; really"), ((), "S3 gave no reason")]
)
def test_broken_job(reasons, shown):
    """A job that ended early is named with S3's reasons, and with what takes up the rest."""
    job = replace(BROKEN, reasons=reasons)

    error = _broken(RUN, SUBMITTED, JobView(job))

    assert f"The S3 Batch Operations job {JOB} ended as Failed: {shown}" == str(error)
    assert f"`python tools/control_scan.py resume {SCAN}` has them analysed." in error.cure
    assert f"`python tools/review_report.py retry --scan {SCAN}` takes up the rest" in error.cure
    assert error.cure.endswith("`python tools/review_report.py` shows what became of each.")

"""Plans on disk."""

import hashlib
import json
from dataclasses import replace

import pytest

from tests.tools.submit.test_plan import plan
from tools.lib.errors import ToolError
from tools.lib.submit import plan_file
from tools.lib.submit.plan_file import PlanFiles


@pytest.fixture(name="files")
def _files(tmp_path):
    """A plan and its manifest in a folder."""
    content = b"amzn-s3-demo-bucket,a.mp4\namzn-s3-demo-bucket,b.mp4\n"
    files = PlanFiles(tmp_path, plan().scan_id)
    files.manifest.write_bytes(content)
    files.write(plan(sha256=hashlib.sha256(content).hexdigest()))
    return files


def test_a_plan_is_loaded_as_it_was_written(files):
    """The plan as it was made, and its files."""
    loaded, found = plan_file.load(files.plan, plan().deployment)

    assert (json.loads(files.plan.read_text()), files) == (loaded.as_json(), found)


def test_a_changed_manifest_is_refused(files):
    """One byte is enough."""
    files.manifest.write_bytes(files.manifest.read_bytes().replace(b"b.mp4", b"c.mp4"))

    with pytest.raises(ToolError, match="this is not the manifest of the plan"):
        plan_file.load(files.plan, plan().deployment)


def test_a_missing_manifest_is_refused(files):
    """A plan without its manifest cannot be run."""
    files.manifest.unlink()

    with pytest.raises(ToolError, match=r"the manifest of the plan .* is gone"):
        plan_file.load(files.plan, plan().deployment)


@pytest.mark.parametrize(
    "changed",
    [
        {"scan_id": "../../etc/passwd"},
        {"scan_id": 5},
        {"format": "video-moderation-plan/1"},
        {"measure": "a few"},
        {"jobs": 0},
        {"jobs": "x"},
        {"selection": {"bucket": "b", "shape": "round"}},
        {"source": {"kind": "hearsay", "location": None}},
        {"lane": "slow"},
        {"sizes": []},
        {"stack": ""},
    ],
)
def test_what_is_no_plan_is_refused(files, changed):
    """A plan that was tampered with ends in a sentence, whatever was changed."""
    files.plan.write_text(json.dumps(json.loads(files.plan.read_text()) | changed))

    with pytest.raises(ToolError, match=r"this is not a plan of submit_job\.py"):
        plan_file.load(files.plan, plan().deployment)


def test_what_a_plan_says_is_text(files):
    """Sentences and warnings of a plan that was tampered with are shown as text, whatever they are."""
    values = json.loads(files.plan.read_text())
    values |= {"estimate": {"sentences": [5, None]}, "warnings": [7]}
    files.plan.write_text(json.dumps(values))

    loaded, _ = plan_file.load(files.plan, plan().deployment)

    assert (["5", "None"], ("7",)) == (loaded.estimate["sentences"], loaded.warnings)


READ = (
    *("format", "scan_id", "created_at", "selection", "source", "versioned", "lane", "objects", "bytes", "sizes", "ineligible"),
    *("stack", "region", "account_id", "manifest_sha256", "jobs", "suspended", "skip_unchanged", "measure", "estimate", "warnings"),
)


@pytest.mark.parametrize("missing", READ)
def test_a_plan_that_lacks_a_field_is_refused(files, missing):
    """A plan without one of the fields that are read is not one: nothing is guessed."""
    values = json.loads(files.plan.read_text())
    del values[missing]
    files.plan.write_text(json.dumps(values))

    with pytest.raises(ToolError, match=r"this is not a plan of submit_job\.py"):
        plan_file.load(files.plan, plan().deployment)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "{", "\x00"])
def test_what_is_no_json_is_refused(files, text):
    """So does a file that is something else."""
    files.plan.write_text(text)

    with pytest.raises(ToolError, match=r"this is not a plan of submit_job\.py"):
        plan_file.load(files.plan, plan().deployment)


def test_a_plan_for_another_deployment_is_refused(files):
    """Another account, Region or stack is not what was seen."""
    files.plan.write_text(json.dumps(json.loads(files.plan.read_text()) | {"account_id": "444455556666"}))

    with pytest.raises(ToolError, match="the plan is for the stack VideoModeration in us-east-1, account 444455556666"):
        plan_file.load(files.plan, plan().deployment)


def test_a_plan_of_several_jobs_is_refused(files):
    """An earlier version split long manifests: such a plan is not run, and how the scan that it began is ended is said."""
    files.plan.write_text(json.dumps(json.loads(files.plan.read_text()) | {"rows_per_job": 1, "jobs": 2}))

    with pytest.raises(ToolError, match="the plan has several jobs") as refused:
        plan_file.load(files.plan, plan().deployment)

    assert f"`python tools/control_scan.py cancel {plan().scan_id}`" in refused.value.cure


def test_a_plan_from_before_of_one_job_is_run(files):
    """What such a version said of splitting is read past."""
    before = json.loads(files.plan.read_text())
    files.plan.write_text(json.dumps(before | {"rows_per_job": 1_000_000_000}))

    assert before == plan_file.load(files.plan, plan().deployment)[0].as_json()


def test_what_is_interrupted_leaves_no_file(tmp_path):
    """Ctrl-C while files are made: half a manifest must not look like a whole one."""
    files = PlanFiles(tmp_path / "new", plan().scan_id)

    def interrupted():
        with files.made():
            files.manifest.write_text("half")
            files.ineligible.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert [] == list(files.folder.iterdir())


@pytest.mark.parametrize("changed", [{"stack_name": "Other"}, {"region": "eu-west-1"}, {"account_id": "444455556666"}])
def test_another_deployment_is_named(files, changed):
    """A plan for another deployment is refused with both, and what chooses the other."""
    found = replace(plan().deployment, **changed)

    with pytest.raises(ToolError) as refused:
        plan_file.load(files.plan, found)

    assert (
        f"{files.plan}: the plan is for the stack VideoModeration in us-east-1, account 111122223333; "
        f"you are using {found.stack_name} in {found.region}, account {found.account_id}."
    ) == str(refused.value)
    assert "Choose the stack of the plan with --stack, --region and --profile." == refused.value.cure

"""Cutting a manifest into parts, and plans on disk."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.submit.test_plan import plan
from tools.lib.errors import ToolError
from tools.lib.manifest import parts
from tools.lib.submit import plan_file
from tools.lib.submit.plan_file import PlanFiles


@pytest.fixture(scope="module", name="path")
def _path(tmp_path_factory):
    return tmp_path_factory.mktemp("manifest") / "manifest.csv"


@given(
    rows=st.lists(st.binary(max_size=6).map(lambda row: row.replace(b"\n", b"") + b"\n")),
    most=st.integers(1, 7),
    block=st.integers(1, 40),
)
def test_the_parts_are_the_manifest(path, rows, most, block):
    """Put together the parts are the manifest; each is full but for the last, and ends where a row does."""
    path.write_bytes(content := b"".join(rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "_BLOCK", block)
        found = parts.survey(path, most)

    cut = [content[part.start : part.end] for part in found.parts]
    assert content == b"".join(cut)
    assert [rows[at : at + most] for at in range(0, len(rows), most)] or [[]] == [part.splitlines(keepends=True) for part in cut]
    assert [part.count(b"\n") for part in cut] == [part.rows for part in found.parts]
    assert {most} >= {part.rows for part in found.parts[:-1]}
    assert (len(rows), hashlib.sha256(content).hexdigest()) == (found.rows, found.sha256)
    assert [*range(1, len(cut) + 1)] == [part.number for part in found.parts]


# --- plans on disk ------------------------------------------------------------------------------------------------------


@pytest.fixture(name="files")
def _files(tmp_path):
    """A plan and its manifest in a folder."""
    content = b"amzn-s3-demo-bucket,a.mp4\namzn-s3-demo-bucket,b.mp4\n"
    files = PlanFiles(tmp_path, plan().scan_id)
    files.manifest.write_bytes(content)
    survey = parts.survey(files.manifest, 1)
    files.write(plan(sha256=survey.sha256, parts=survey.parts, rows_per_job=1))
    return files


def test_a_plan_is_loaded_as_it_was_written(files):
    """The plan, and the parts that its manifest is cut into."""
    loaded, found = plan_file.load(files.plan, plan().deployment)

    assert (json.loads(files.plan.read_text()), files) == (loaded.as_json(), found)
    assert [1, 1] == [part.rows for part in loaded.parts]


def test_a_changed_manifest_is_refused(files):
    """One byte is enough."""
    files.manifest.write_bytes(files.manifest.read_bytes().replace(b"b.mp4", b"c.mp4"))

    with pytest.raises(ToolError, match="it is not the manifest that the plan was made of"):
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
        {"rows_per_job": 0},
        {"rows_per_job": "x"},
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


def test_what_breaks_off_leaves_no_file(tmp_path):
    """Ctrl-C while files are made: half a manifest must not look like a whole one."""
    files = PlanFiles(tmp_path / "new", plan().scan_id)

    def broken_off():
        with files.made():
            files.manifest.write_text("half")
            files.ineligible.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()

    assert [] == list(files.folder.iterdir())

"""What is looked at before a scan is paid for: the deployment, the headers, and what an earlier scan has finished."""

import json

import pytest

from tests.line.line import BUCKET
from tests.line.videos import video
from tests.submitting.runs import Runs
from tools.emulator.samples import demo_library


@pytest.fixture(name="library")
def _library(line):
    """Real mp4 files, one of them in a codec that Rekognition does not take."""
    for sample in demo_library():
        if sample.key.endswith(("IMG 0001.MP4", "vp9 in disguise.mp4", "zero.mp4")):
            line.put(sample.key, sample.body())
    return Runs(line)


def planned(runs, *arguments):
    """Return the plan that a dry run prints, which is the plan that it writes."""
    shown = runs.submit("--bucket", BUCKET, "--dry-run", "--json", *arguments)
    assert 0 == shown.exit_code, shown.stderr
    [written] = runs.folder.glob("*.plan.json")
    assert json.loads(shown.stdout) == json.loads(written.read_text())
    return json.loads(shown.stdout)


def test_a_check_looks_and_submits_nothing(library):
    """$ submit_job.py --bucket B --check: a line for each thing, and exit code 0 where nothing stops a scan."""
    done = library.submit("--bucket", BUCKET, "--check", "--json")

    told = json.loads(done.stdout)
    assert (0, 0) == (done.exit_code, told["stop"]), told
    assert {"bucket", "batch role", "mail"} <= {each["subject"] for each in told["findings"]}
    assert ([], []) == (library.line.table.scans(), list(library.folder.glob("*")))


def test_what_would_make_the_scan_fail_refuses_it(library):
    """The doctor is asked before every submission: a function that is gone stops it, with a cure, before anything is written."""
    name = library.line.function("batch_invoke").name
    library.line.client("lambda").delete_function(FunctionName=name)

    refused = library.submit("--bucket", BUCKET)

    assert 1 == refused.exit_code
    assert "Cure:" in refused.stderr
    assert ([], []) == (library.line.table.scans(), list(library.folder.glob("*")))


def test_every_header_read_leaves_out_what_rekognition_would_refuse(library):
    """$ submit_job.py --measure all: the codec goes to the side list beside the empty object, and minutes are exact."""
    plan = planned(library, "--measure", "all")

    side = next(library.folder.glob("*-ineligible.csv")).read_text().splitlines()
    assert ({"codec": 1, "empty": 1}, 1) == (plan["ineligible"], plan["objects"])
    assert [f"{BUCKET},broken/zero.mp4,,empty", f"{BUCKET},legacy/vp9%20in%20disguise.mp4,,codec"] == sorted(side)
    assert plan["estimate"]["minutes"]["low"] == plan["estimate"]["minutes"]["high"] > 0


def test_a_sample_of_headers_leaves_the_manifest_as_it_is(library):
    """By default the fault is counted in the estimate, and the function that looks at the object decides."""
    plan = planned(library, "--measure", "5")

    assert ({"empty": 1}, 2) == (plan["ineligible"], plan["objects"])
    assert 1.0 == plan["estimate"]["ineligible"]["codec"]["best"]


def test_a_scan_that_may_cost_too_much_is_refused(library):
    """$ submit_job.py --max-cost 0.01: the batch job alone costs more."""
    refused = library.submit("--bucket", BUCKET, "--max-cost", "0.01")

    assert 1 == refused.exit_code
    assert "more than the $0.01 of --max-cost" in refused.stderr
    assert ([], []) == (library.line.table.scans(), list(library.folder.glob("*")))


def test_what_an_earlier_scan_finished_is_left_out(line):
    """$ submit_job.py --skip-unchanged: only what is new or was replaced is scanned, and nothing at all where nothing is."""
    runs = Runs(line)
    line.put("a.mp4")
    line.put("b.mp4")
    runs.truth("--bucket", BUCKET)
    nothing = runs.submit("--bucket", BUCKET, "--skip-unchanged")
    line.put("b.mp4", video((1_000, "Violence", 99.0)))
    line.put("c.mp4")

    counts, adds_up = runs.truth("--bucket", BUCKET, "--skip-unchanged")

    assert (1, {"clean": 1, "flagged": 1}) == (nothing.exit_code, {state: count for state, count in counts.items() if count})
    assert adds_up
    assert "an earlier scan finished all 2 objects that were selected, and they are unchanged" in nothing.stderr

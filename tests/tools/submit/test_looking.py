"""What is looked at before a scan is paid for: the deployment, the headers, and what an earlier scan has finished."""

import hashlib
import json

import pytest

from tests.harness.line import BUCKET
from tests.harness.videos import video
from tests.tools.estimate.films import film
from tests.tools.submit.runs import Runs
from tools.emulator.samples import Clip, demo_library, encode

SIDE_LIST = [
    f'{BUCKET},broken/zero.mp4,,empty,"The object has 0 bytes."',
    f'{BUCKET},legacy/vp9%20in%20disguise.mp4,,codec,"The codec is vp9; Rekognition takes H.264."',
]


def left_out(folder):
    """Return the rows of the side list in a folder, without the etags and sizes."""
    return [row.rsplit(",", 2)[0] for row in next(folder.glob("*-ineligible.csv")).read_text().splitlines()]


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
    plan = json.loads(shown.stdout)
    assert plan == json.loads((runs.folder / f"{plan['scan_id']}.plan.json").read_text())
    return plan


def test_a_check_looks_and_submits_nothing(library):
    """$ submit_job.py --bucket B --check: a line for each thing, and exit code 0 where nothing stops a scan."""
    done = library.submit("--bucket", BUCKET, "--check", "--json")

    output = json.loads(done.stdout)
    assert (0, 0) == (done.exit_code, output["stop"]), output
    assert {"bucket", "batch role", "mail"} <= {each["subject"] for each in output["findings"]}
    assert ([], []) == (library.line.table.scans.scans(), list(library.folder.glob("*")))


@pytest.mark.slow
def test_an_open_scan_of_other_keys_is_no_warning(line):
    """What a scan was submitted with is what the next one is held against."""
    for key in ("2023/a.mp4", "2024/a.mp4"):
        line.put(key)
    runs = Runs(line)
    runs.submit("--bucket", BUCKET, "--prefix", "2024/")

    other, same = (planned(runs, "--prefix", prefix, "--measure", "none") for prefix in ("2023/", "20"))

    assert [False, True] == [any("open scan" in warning for warning in plan["warnings"]) for plan in (other, same)]
    assert any("keys below 2024/" in warning for warning in same["warnings"])


def test_what_would_make_the_scan_fail_refuses_it(library):
    """The doctor is asked before every submission: a function that is gone stops it, with a cure, before anything is written."""
    name = library.line.function("batch_invoke").name
    library.line.client("lambda").delete_function(FunctionName=name)

    refused = library.submit("--bucket", BUCKET)

    assert 1 == refused.exit_code
    assert "Cure:" in refused.stderr
    assert ([], []) == (library.line.table.scans.scans(), list(library.folder.glob("*")))


@pytest.mark.slow
def test_every_header_read_leaves_out_what_rekognition_would_refuse(library):
    """$ submit_job.py --measure all: the codec goes to the side list beside the empty object, and minutes are exact."""
    plan = planned(library, "--measure", "all")

    side = left_out(library.folder)
    assert ({"codec": 1, "empty": 1}, 1) == (plan["ineligible"], plan["objects"])
    assert SIDE_LIST == sorted(side)
    assert plan["estimate"]["minutes"]["low"] == plan["estimate"]["minutes"]["high"] > 0


@pytest.mark.parametrize("source", ["listing", "keys"])
def test_steps_that_take_turns_are_one(library, source):
    """$ submit_job.py --measure all 2> log: listing and reading headers take turns for each page, and are one line of the log."""
    keys = library.folder.parent / "keys.txt"
    keys.write_text("".join(f"{found['Key']}\n" for found in library.line.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]))
    named = ["--keys-from", str(keys)] if source == "keys" else []

    shown = library.submit("--bucket", BUCKET, "--dry-run", "--measure", "all", *named)

    lines = shown.stderr.splitlines()
    assert (0, 1) == (shown.exit_code, sum("headers" in line for line in lines)), lines
    assert 1 == sum(line.startswith(("Listing", "Reading")) for line in lines), lines


def test_a_sample_of_headers_leaves_out_what_they_speak_against(library):
    """By default too: the codec goes to the side list, and the estimate is about what remains."""
    plan = planned(library, "--measure", "5")

    side = left_out(library.folder)
    assert ({"codec": 1, "empty": 1}, 1) == (plan["ineligible"], plan["objects"])
    assert SIDE_LIST == side
    assert (1, {}) == (plan["estimate"]["objects"], plan["estimate"]["ineligible"])
    assert plan["estimate"]["minutes"]["low"] == plan["estimate"]["minutes"]["high"] > 0


@pytest.mark.slow
def test_every_key_and_every_header(line):
    """$ submit_job.py --suffix '' --measure all: what a header says for certain is left out, and every header counts once."""
    bodies = {
        "a.mp4": film(4),
        "b.mkv": film(4, container="matroska"),
        "c.webm": film(4, container="webm", codec="vp9"),
        "d.ts": film(4, container="mpegts"),
        "e.avi": film(4, container="avi"),
        "f.mov": film(4, container="mov", codec="hevc"),
        "g.mp4": film(60, padding=5_000)[:100_000],
        "h.mp3": b"ID3\x04\x00\x00\x00\x00\x00\x00" + film(4),
        "i.txt": b"This was meant to be a video.\n",
    }
    for key, body in bodies.items():
        line.put(key, body)

    plan = planned(Runs(line), "--suffix", "", "--measure", "all")

    estimate = plan["estimate"]
    assert ({"codec": 1, "container": 3, "no-header": 1}, 4) == (plan["ineligible"], plan["objects"])
    assert ({"not-a-video": 1, "other-container": 1, "unknown-beginning": 1}, {}) == (
        estimate["unreadable"],
        estimate["ineligible"],
    )
    assert estimate["assumptions"][0].startswith("every object was inspected")
    assert "the length of 2 objects is not known" in estimate["assumptions"][0]


@pytest.fixture(name="many")
def _many(line):
    """Videos of one size of two codecs, one after another: a sample of some headers tells of some only."""
    bodies = [encode(Clip(1.0, codec=codec)) for codec in ("h264", "vp9")]
    largest = max(map(len, bodies))
    for number in range(16):
        line.put(f"{number:02} +,.mp4", bodies[number % 2].ljust(largest, b"\0"))
    return Runs(line)


def test_what_the_sample_did_not_meet_stays(many):
    """No one has looked at the others: they are in the manifest, and the estimate says how many of them may be refused."""
    plan = planned(many, "--measure", "10")

    [manifest] = many.folder.glob("*[!e].csv")
    rows = manifest.read_text().splitlines()
    side = left_out(many.folder)
    left = sum(int(row.split(",")[1][:2]) % 2 for row in rows)
    assert 0 < left < 8
    assert all(int(row.split(",")[1][:2]) % 2 and row.endswith(SIDE_LIST[1].partition(",,")[2]) for row in side)
    assert ({"codec": 8 - left}, 8 + left) == (plan["ineligible"], plan["objects"]) == ({"codec": len(side)}, len(rows))
    assert (1, hashlib.sha256(manifest.read_bytes()).hexdigest()) == (plan["jobs"], plan["manifest_sha256"])
    assert plan["estimate"]["ineligible"]["codec"]["low"] < left < plan["estimate"]["ineligible"]["codec"]["high"] < 6
    assert (len(rows), 10) == (plan["estimate"]["objects"], plan["estimate"]["measured"])
    assert sum(plan["sizes"].values()) == len(rows)
    assert plan["bytes"] == len(rows) * many.line.client("s3").head_object(Bucket=BUCKET, Key="00 +,.mp4")["ContentLength"]


def test_a_plan_is_checked_again_with_the_sample_it_was_made_with(many):
    """--recheck draws what was drawn then, as many as were drawn then: where nothing has changed the manifests are the same."""
    plan = planned(many, "--measure", "10")
    [file] = many.folder.glob("*.plan.json")

    same = many.submit("--run-plan", str(file), "--recheck", "--json")

    assert (0, "10") == (same.exit_code, plan["measure"]), same.stderr
    assert plan["manifest_sha256"] == json.loads(same.stdout)["plan"]["manifest_sha256"]


def test_a_sampled_object_that_was_replaced_is_seen_when_checked_again(many):
    """What is not a fault any more belongs in the manifest: the plan is refused, because it was asked to be checked."""
    planned(many, "--measure", "16")
    [file] = many.folder.glob("*.plan.json")
    many.line.put("01 +,.mp4", many.line.client("s3").get_object(Bucket=BUCKET, Key="00 +,.mp4")["Body"].read())

    refused = many.submit("--run-plan", str(file), "--recheck")

    assert 1 == refused.exit_code
    assert "8 were selected then, 9 now" in refused.stderr


def test_nothing_is_left_to_scan(line):
    """Where the headers speak against all there is, it is said why, and nothing is submitted."""
    line.put("a.mp4", encode(Clip(1.0, codec="vp9")))
    runs = Runs(line)

    refused = runs.submit("--bucket", BUCKET, "--measure", "5")

    assert 1 == refused.exit_code
    assert "every selected object (1 in all) is left out, because it is in a codec that Rekognition does" in refused.stderr
    assert ([], []) == (line.table.scans.scans(), list(runs.folder.glob("*")))


def test_a_plan_says_where_its_objects_come_from(library, tmp_path):
    """A plan names the list that it was made from, so that whoever runs it later can see that."""
    keys = tmp_path / "keys.txt"
    keys.write_text("".join(f"{sample.key}\n" for sample in demo_library() if sample.key.endswith("IMG 0001.MP4")))

    listed, named = planned(library)["source"], planned(library, "--keys-from", str(keys))["source"]

    assert (None, str(keys)) == (listed["location"], named["location"])
    assert listed["kind"] != named["kind"]


def test_fewer_slots_take_longer(library):
    """The estimate counts on the slots that `control_scan.py slots` has set, else on those of the stack."""
    library.line.table.control.resume()
    before = planned(library, "--measure", "all")["estimate"]
    library.line.table.control.set_slots(1)

    after = planned(library, "--measure", "all")["estimate"]

    assert any("18 slots" in sentence for sentence in before["sentences"])
    assert any("1 slot" in sentence for sentence in after["sentences"])


def test_a_scan_that_may_cost_too_much_is_refused(library):
    """$ submit_job.py --max-cost 0.01: the batch job alone costs more."""
    refused = library.submit("--bucket", BUCKET, "--max-cost", "0.01")

    assert 1 == refused.exit_code
    assert "more than the $0.01 of --max-cost" in refused.stderr
    assert ([], []) == (library.line.table.scans.scans(), list(library.folder.glob("*")))


@pytest.mark.slow
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
    assert "an earlier scan finished every selected object (2 in all), and none has changed" in nothing.stderr


@pytest.mark.parametrize(
    ("storage_class", "least", "most"),
    [("STANDARD_IA", 0.01, 0.02), ("GLACIER_IR", 0.03, 0.06), ("INTELLIGENT_TIERING", 0.0, 0.036), ("STANDARD", 0.0, 0.0)],
)
def test_reading_dearer_classes_is_part_of_the_estimate(line, storage_class, least, most):
    """$ submit_job.py --dry-run: what S3 charges for reading the bytes of a class is in the plan."""
    size = 5_000_000
    line.client("s3").put_object(Bucket=BUCKET, Key="a.mp4", Body=bytes(size), StorageClass=storage_class)

    plan = planned(Runs(line), "--measure", "none")

    gigabytes, requests = size / 1e9, 4 * 0.01 / 1_000
    cost = plan["estimate"]["cost"]
    assert least * gigabytes <= cost["s3_retrieval"]["low"] <= least * gigabytes + requests
    assert most * gigabytes <= cost["s3_retrieval"]["high"] <= most * gigabytes + requests
    assert {"bytes": {storage_class: size}, "complete": True} == plan["estimate"]["retrieval"]


def test_what_is_left_out_is_not_read(library):
    """An object that is left out for its header costs nothing to read."""
    s3, body = library.line.client("s3"), next(each for each in demo_library() if each.key.endswith("vp9 in disguise.mp4")).body()
    s3.put_object(Bucket=BUCKET, Key="legacy/vp9 in disguise.mp4", Body=body, StorageClass="GLACIER_IR")

    for measure in ("all", "5"):
        plan = planned(library, "--measure", measure)

        assert ["STANDARD"] == list(plan["estimate"]["retrieval"]["bytes"]), measure

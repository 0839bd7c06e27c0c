"""A scan submitted by each source ends in the same truth table."""

import csv
import gzip
import hashlib
import io
import json
import tracemalloc
from urllib.parse import quote, quote_plus

import pytest

from tests.harness.line import BUCKET
from tests.harness.videos import unreadable, video
from tests.tools.submit.runs import Runs
from tools.emulator.samples import Clip, encode

LIBRARY = {
    "2024/clean.mp4": video(),
    "2024/a +,%.mp4": video((1_000, "Violence", 99.0)),
    'quotes/"x" ; é 🎬.mp4': video((2_000, "Explicit", 97.0)),
    "2023//slashes.mp4": unreadable(),
    "2023/no video.mp4": b"just words",
}
TRUTH = ({"clean": 1, "flagged": 2, "failed": 1, "skipped": 1}, True)
INVENTORY = "amzn-s3-demo-inventory"
SCHEMA = ("Bucket", "Key", "VersionId", "IsLatest", "IsDeleteMarker", "Size", "LastModifiedDate", "ETag", "StorageClass")


@pytest.fixture(name="library")
def _library(line):
    for key, body in LIBRARY.items():
        line.put(key, body)
    line.put("2024/notes.txt", b"no")
    return Runs(line)


def truth(runs, *arguments, **given):
    """Submit, and return what became of the objects: counts that are not zero, and whether they add up."""
    counts, adds_up = runs.truth(*arguments, **given)
    return {state: count for state, count in counts.items() if count}, adds_up


def own_manifest(runs):
    """Write a manifest of one's own: other encodings than ours, lines that end in CRLF."""
    rows = [f'{BUCKET},"{quote_plus(key)}"' if '"' in key else f"{BUCKET},{quote(key)}" for key in LIBRARY]
    path = runs.line.directory / "own.csv"
    path.write_bytes("\r\n".join(rows).encode())
    return path


def inventory(runs, *, rows=None, columns=SCHEMA, schema=SCHEMA, form="CSV", spoil=False):
    """Put an inventory of the bucket into another one, as S3 writes it, and return the URI of its manifest.json."""
    s3 = runs.line.client("s3")
    if rows is None:
        listed = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        rows = [
            (
                BUCKET,
                quote_plus(each["Key"], safe="/"),
                "",
                "true",
                "false",
                each["Size"],
                "2026-11-22T16:30:00.000Z",
                "x",
                "STANDARD",
            )
            for each in listed
        ]
    places = [schema.index(column) for column in columns]
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([row[place] for place in places] for row in rows)
    body = gzip.compress(text.getvalue().encode())
    manifest = {
        "sourceBucket": BUCKET,
        "destinationBucket": f"arn:aws:s3:::{INVENTORY}",
        "version": "2016-11-30",
        "creationTimestamp": "1699900000000",
        "fileFormat": form,
        "fileSchema": ", ".join(columns),
        "files": [{"key": "data/1.csv.gz", "size": len(body), "MD5checksum": hashlib.md5(body).hexdigest()}],
    }
    if INVENTORY not in {each["Name"] for each in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=INVENTORY)
    s3.put_object(Bucket=INVENTORY, Key="data/1.csv.gz", Body=body + b"x" * spoil)
    s3.put_object(Bucket=INVENTORY, Key="manifest.json", Body=json.dumps(manifest).encode())
    return f"s3://{INVENTORY}/manifest.json"


@pytest.mark.slow
def test_a_listing(library):
    """$ submit_job.py --bucket B: the measure of all others."""
    assert TRUTH == truth(library, "--bucket", BUCKET)


@pytest.mark.slow
def test_a_manifest_of_ones_own(library):
    """$ submit_job.py --manifest own.csv: encoded otherwise, the same objects."""
    assert TRUTH == truth(library, "--manifest", str(own_manifest(library)))


@pytest.mark.slow
def test_a_manifest_in_s3(library):
    """$ submit_job.py --manifest s3://…: fetched and checked like a local one; with --measure all each object is looked at."""
    s3 = library.line.client("s3")
    s3.put_object(Bucket=BUCKET, Key="manifests/own.csv", Body=own_manifest(library).read_bytes())

    assert TRUTH == truth(library, "--manifest", f"s3://{BUCKET}/manifests/own.csv", "--measure", "all")


@pytest.mark.slow
@pytest.mark.parametrize("separator", ["\n", "\0"])
def test_keys_from_standard_input(library, separator):
    """$ … | submit_job.py --bucket B --keys-from -: one a line, or NUL between them."""
    keys = separator.join(LIBRARY).encode()

    assert TRUTH == truth(library, "--bucket", BUCKET, "--keys-from", "-", input=keys)


@pytest.mark.slow
def test_an_inventory(library):
    """$ submit_job.py --inventory s3://…/manifest.json: filters apply, notes.txt is none of it."""
    assert TRUTH == truth(library, "--inventory", inventory(library, columns=("Bucket", "Key", "Size")))


@pytest.mark.slow
def test_a_manifest_that_s3_makes(library):
    """$ submit_job.py --bucket B --generate: S3 lists the bucket itself, and the report says what there was."""
    assert TRUTH == truth(library, "--bucket", BUCKET, "--generate")


def test_a_manifest_that_s3_makes_has_no_estimate(library):
    """That there is none is said in the plan, and why, to the person and to the program."""
    shown, output = (library.submit("--bucket", BUCKET, "--generate", "--dry-run", *more).stdout for more in ((), ("--json",)))

    why = "S3 lists the bucket when it prepares the job, so the number and length of the videos are not known yet"
    assert f"  Estimate  none: {why}\n" in shown
    assert (None, why) == (json.loads(output)["estimate"], json.loads(output)["no_estimate"])


@pytest.mark.slow
def test_a_plan(library):
    """$ submit_job.py --dry-run, then --run-plan: what was seen is what is scanned, also if the bucket has changed since."""
    library.submit("--bucket", BUCKET, "--dry-run")
    [plan] = library.folder.glob("*.plan.json")
    library.line.put("2024/later.mp4", video())

    assert TRUTH == truth(library, "--run-plan", str(plan))


def test_a_changed_bucket_is_refused_only_when_asked(library):
    """With --recheck the source is asked again, and another answer ends the run before anything is done."""
    library.submit("--bucket", BUCKET, "--dry-run")
    [plan] = library.folder.glob("*.plan.json")
    same = library.submit("--run-plan", str(plan), "--recheck")
    library.line.put("2024/later.mp4", video())

    refused = library.submit("--run-plan", str(plan), "--recheck")

    assert (0, 1) == (same.exit_code, refused.exit_code)
    assert "5 were selected then, 6 now" in refused.stderr


# --- headers ------------------------------------------------------------------------------------------------------------

GOOD, BAD = "2024/good +,%.mp4", '2024/"bad" é.mp4'


def listed(_):
    """Every object of the bucket, found by the program itself."""
    return ("--bucket", BUCKET, "--measure", "9")


def in_an_inventory(runs):
    """The same, from an inventory that tells sizes."""
    return ("--inventory", inventory(runs, columns=("Bucket", "Key", "Size")), "--measure", "9")


def named_in_a_manifest(runs):
    """Each twice: who names objects one by one has them all looked at."""
    path = runs.line.directory / "own.csv"
    path.write_text("".join(f"{BUCKET},{quote(key)}\n" for key in [GOOD, BAD] * 2))
    return ("--manifest", str(path), "--measure", "all")


def named_by_their_keys(runs):
    """Each twice, as a list of keys."""
    path = runs.line.directory / "keys.txt"
    path.write_text("".join(f"{key}\n" for key in [GOOD, BAD] * 2))
    return ("--bucket", BUCKET, "--keys-from", str(path), "--measure", "all")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "times"), [(listed, 1), (in_an_inventory, 1), (named_in_a_manifest, 2), (named_by_their_keys, 2)]
)
def test_what_a_header_speaks_against_is_left_out(line, source, times):
    """Whatever the source, each row of a video whose header was read and is at fault goes to the side list with its reason."""
    line.put(GOOD, encode(Clip(1.0)))
    line.put(BAD, encode(Clip(1.0, codec="mpeg4")))
    runs = Runs(line)

    plan = json.loads(runs.submit(*source(runs), "--dry-run", "--json").stdout)

    [manifest], [side] = runs.folder.glob("*[!e].csv"), runs.folder.glob("*-ineligible.csv")
    assert [f"{BUCKET},{quote(GOOD)}"] * times == manifest.read_text().splitlines()
    rows = [row.rsplit(",", 2)[0] for row in side.read_text().splitlines()]
    assert [f'{BUCKET},{quote(BAD)},,codec,"The codec is mpeg4; Rekognition takes H.264."'] * times == rows
    assert (times, times, {"codec": times}) == (plan["objects"], plan["estimate"]["objects"], plan["ineligible"])


def test_an_inventory_without_storage_classes(library):
    """Where an inventory has no storage classes the upper end of the estimate takes the dearest to read."""
    uri = inventory(library, columns=("Bucket", "Key", "Size"))

    plan = json.loads(library.submit("--inventory", uri, "--dry-run", "--json").stdout)

    retrieval = plan["estimate"]["cost"]["s3_retrieval"]
    assert 0 == retrieval["low"] < retrieval["high"]
    assert any("no storage classes" in sentence for sentence in plan["estimate"]["assumptions"] + plan["estimate"]["sentences"])


def test_an_inventory_without_sizes(line):
    """Nothing can be drawn by size, so there is no estimate, which is said; with --measure all each object is looked at."""
    line.put(GOOD, encode(Clip(1.0)))
    line.put(BAD, encode(Clip(1.0, codec="mpeg4")))
    line.put("zero.mp4", b"")
    runs = Runs(line)
    uri = inventory(runs, columns=("Bucket", "Key"))

    plain, looked = (
        json.loads(runs.submit("--inventory", uri, "--measure", measure, "--dry-run", "--json").stdout) for measure in ("9", "all")
    )

    assert (3, {}, None) == (plain["objects"], plain["ineligible"], plain["estimate"])
    assert "sizes are not known; --measure all reads the size and length of each object" in plain["no_estimate"]
    assert any("has no sizes" in warning for warning in plain["warnings"])
    assert (1, {"codec": 1, "empty": 1}, None) == (looked["objects"], looked["ineligible"], looked["no_estimate"])
    assert 1 == looked["estimate"]["objects"]


def test_versions_stay_what_they_are(line):
    """In a bucket with versions the row that goes is that of the version whose header was read, and the others keep theirs."""
    line.client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    line.put("a.mp4", encode(Clip(1.0, codec="vp9")))
    line.put("a.mp4", encode(Clip(1.0)))
    runs = Runs(line)

    plan = json.loads(runs.submit("--bucket", BUCKET, "--all-versions", "--measure", "9", "--dry-run", "--json").stdout)

    newest, oldest = line.client("s3").list_object_versions(Bucket=BUCKET)["Versions"]
    [manifest], [side] = runs.folder.glob("*[!e].csv"), runs.folder.glob("*-ineligible.csv")
    assert f"{BUCKET},a.mp4,{newest['VersionId']}\n" == manifest.read_text()
    content = f"{oldest['ETag']},{oldest['Size']}"
    assert (
        f'{BUCKET},a.mp4,{oldest["VersionId"]},codec,"The codec is vp9; Rekognition takes H.264.",{content}\n' == side.read_text()
    )
    assert (True, 1) == (plan["versioned"], plan["objects"])


# --- versions -----------------------------------------------------------------------------------------------------------


def test_a_versioned_inventory(library):
    """Delete markers and older versions are left out; an object older than versioning has the version null."""
    row = (BUCKET, "a.mp4", "v1", "true", "false", 5, "2026-11-22T16:30:00.000Z", "x", "STANDARD")
    uri = inventory(
        library,
        rows=[
            row,
            (BUCKET, "a.mp4", "v0", "false", *row[4:]),
            (BUCKET, "gone.mp4", "v2", "true", "true", "", *row[6:]),
            (BUCKET, "old.mp4", "", *row[3:]),
        ],
    )

    library.submit("--inventory", uri, "--dry-run")

    [manifest] = list(library.folder.glob("*.csv"))
    assert [f"{BUCKET},a.mp4,v1", f"{BUCKET},old.mp4,null"] == manifest.read_text().splitlines()


def test_an_inventory_with_archive_tiers(library):
    """What Intelligent-Tiering has archived is left out like what is in Glacier; --storage-class takes all of its tiers."""
    tiers = ["", "FREQUENT", "ARCHIVE_INSTANT_ACCESS", "ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"]
    rows = [(BUCKET, f"{number}.mp4", 5, "INTELLIGENT_TIERING", tier) for number, tier in enumerate(tiers)]
    columns = ("Bucket", "Key", "Size", "StorageClass", "IntelligentTieringAccessTier")
    uri = inventory(library, rows=[*rows, (BUCKET, "s.mp4", 5, "STANDARD", "ARCHIVE_ACCESS")], columns=columns, schema=columns)

    plan = library.submit("--inventory", uri, "--storage-class", "INTELLIGENT_TIERING", "--dry-run", "--measure", "none", "--json")

    [manifest] = [path for path in library.folder.glob("*.csv") if "ineligible" not in path.name]
    assert [f"{BUCKET},{number}.mp4" for number in range(3)] == manifest.read_text().splitlines(), plan.stderr


def test_an_inventory_without_access_tiers_is_warned_of(library):
    """Where the inventory does not tell the tiers, what they archive would fail: the plan says so."""
    done = library.submit("--inventory", inventory(library), "--dry-run", "--measure", "none")

    assert "The inventory has no access tiers" in done.stderr + done.stdout


@pytest.mark.parametrize("columns", [("Bucket", "Key"), ("Bucket", "Key", "Size")])
def test_a_bomb_in_an_inventory(library, columns):
    """A row without an end is refused while it is read: a few kilobytes of gzip must not take gigabytes of memory."""
    uri = inventory(library, rows=[(BUCKET, "k" * 64_000_000, 5)], columns=columns, schema=columns)
    tracemalloc.start()

    refused = library.submit("--inventory", uri)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (1, "this is not gzipped CSV" in refused.stderr) == (refused.exit_code, True)
    assert peak < 32_000_000


def test_a_manifest_json_that_does_not_end(library, monkeypatch):
    """The description of an inventory is read up to a limit."""
    monkeypatch.setattr("tools.lib.manifest.sources.inventory.MAX_DOCUMENT", 100)

    refused = library.submit("--inventory", inventory(library))

    assert (1, "has more than 100 bytes" in refused.stderr) == (refused.exit_code, True)


# --- what is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"form": "ORC"}, "the inventory's files are ORC; only CSV is supported"),
        ({"form": "Parquet"}, "the inventory's files are Parquet; only CSV is supported"),
        ({"spoil": True}, "its MD5 is"),
        ({"columns": ("Bucket", "Size")}, "its fileSchema lacks Key"),
        ({"rows": [("other", "a.mp4", "", "true", "false", 5, "", "", "")]}, "line 1: bucket 'other' in an inventory of"),
        ({"rows": [(BUCKET, "a%80.mp4", "", "true", "false", 5, "", "", "")]}, "line 1: the key 'a%80.mp4' is not UTF-8"),
        ({"rows": [(BUCKET, "a.mp4", "", "true", "false", "x", "", "", "")]}, "line 1: 'x' is not a valid size"),
    ],
)
def test_an_inventory_that_cannot_be_read_is_refused(library, changed, message):
    """By name, with what is wrong; no scan is begun."""
    refused = library.submit("--inventory", inventory(library, **changed))

    assert 1 == refused.exit_code
    assert message in refused.stderr
    assert [] == library.line.table.scans.scans()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--min-size", "1"), "no column Size, which --min-size and --max-size would need"),
        (("--storage-class", "STANDARD"), "no column StorageClass"),
        (("--modified-after", "7d"), "no column LastModifiedDate"),
        (("--all-versions",), "no column VersionId"),
    ],
)
def test_an_inventory_that_does_not_tell_what_is_asked_for(library, arguments, message):
    """A filter that would take everything for want of a column is refused by name."""
    refused = library.submit("--inventory", inventory(library, columns=("Bucket", "Key")), *arguments)

    assert 1 == refused.exit_code
    assert message in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing option '--bucket'"),
        (("--keys-from", "-"), "Missing option '--bucket'"),
        (("--bucket", BUCKET, "--manifest", __file__, "--inventory", __file__), "--manifest and --inventory exclude each other"),
        (("--bucket", BUCKET, "--generate", "--keys-from", "-"), "--keys-from and --generate exclude each other"),
        (("--manifest", __file__, "--prefix", "x"), "--prefix cannot be used with --manifest"),
        (("--bucket", BUCKET, "--keys-from", "-", "--min-size", "5"), "--min-size cannot be used with --keys-from"),
        (("--bucket", BUCKET, "--generate", "--include", "*"), "--include cannot be used with --generate"),
        (("--bucket", BUCKET, "--generate", "--limit", "5"), "--limit cannot be used with --generate"),
        (("--bucket", BUCKET, "--recheck"), "--recheck requires --run-plan"),
        (("--run-plan", __file__, "--prefix", "x"), "--prefix cannot be used with --run-plan"),
    ],
)
def test_options_that_do_not_go_together_are_bad_usage(library, arguments, message):
    """Told by name, before AWS is asked."""
    calls = len(library.line.calls)

    refused = library.submit(*arguments)

    assert (2, calls) == (refused.exit_code, len(library.line.calls))
    assert message in " ".join(refused.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--prefix", "a", "--prefix", "b"), "ManifestGenerator takes one --prefix"),
        (("--suffix", ".mp4", "--suffix", ".mov"), "ManifestGenerator takes one --suffix"),
        (("--storage-class", "SNOW"), "ManifestGenerator knows no storage class SNOW"),
        (("--max-cost", "5"), "Whether the scan costs less than --max-cost is not known"),
    ],
)
def test_what_s3_cannot_generate_is_refused(library, arguments, message):
    """Where S3 has the filter, but not for this number or this value."""
    refused = library.submit("--bucket", BUCKET, "--generate", *arguments)

    assert 1 == refused.exit_code
    assert message in refused.stderr
    assert [] == library.line.table.scans.scans()


def test_an_inventory_counts_other_suffixes(library):
    """An inventory lists its bucket, too: what it has with other suffixes is counted as of its date."""
    planned = library.submit("--inventory", inventory(library), "--dry-run", "--json")

    assert {"objects": 1, "look_like_videos": 0, "suffixes": {".txt": 1}} == json.loads(planned.stdout)["not_selected"]


def test_a_limit_does_not_tell_what_else_there_is(library):
    """A listing that a limit ends has not seen the whole bucket; with a sample it has."""
    limited, sampled = (
        json.loads(library.submit("--bucket", BUCKET, *options, "--dry-run", "--json").stdout)["not_selected"]
        for options in (("--limit", "1"), ("--sample", "1"))
    )

    assert (None, 1) == (limited, sampled["objects"])


def test_s3s_own_generator_takes_one_suffix(library):
    """By default that is .mp4, and the plan warns of the others."""
    plan = json.loads(library.submit("--bucket", BUCKET, "--generate", "--dry-run", "--json").stdout)

    assert ([".mp4"], None) == (plan["selection"]["suffixes"], plan["not_selected"])
    assert any("keys that end in .m4v, .mov are not selected" in warning for warning in plan["warnings"])

"""What cannot be analysed as it is, in a review: by its record, or by the list of what was left out of the job."""

import csv
import json
import re

import pytest

from handlers.domain.states import State
from tests.tools.review_doubles import (
    BUCKET,
    HOSTILE,
    SCAN,
    WORK_BUCKET,
    add_flagged,
    add_record,
    add_report,
    add_scan,
    output_of,
    review,
    set_aside,
)

ACCEPTED = '{"state":"WAITING"}'


@pytest.fixture(name="scanned")
def _scanned(account):
    """An account with a scan of three videos, one of which is empty, and three more that were left out of its job."""
    add_scan(account, "clean", "flagged", "empty")
    add_report(account, [(key, True, ACCEPTED) for key in ("clean", "flagged", "empty")])
    add_record(account, "clean", State.CLEAN)
    add_flagged(account, "flagged")
    add_record(account, "empty", State.FAILED, code="empty")
    set_aside(account, [(HOSTILE, "", "archived"), ("large", "v1", "too-large"), ("void", "", "empty")])
    return account


def ineligible(output):
    """Return (key, version, reason) of what a review calls ineligible."""
    return [(each["key"], each["version_id"], each["reason"]) for each in output["ineligible"]]


def test_sums(scanned):
    """Each has one state, whichever list holds it; the sums are those of manifest and list together, and it is said so."""
    output = output_of(review(scanned, "--json"))
    shown = review(scanned).stdout

    assert [("empty", None, "empty"), (HOSTILE, None, "archived"), ("large", "v1", "too-large"), ("void", None, "empty")] == (
        ineligible(output)
    )
    assert {"clean": 1, "flagged": 1, "ineligible": 4} == {state: count for state, count in output["states"].items() if count}
    assert (6, 6, 3, True, []) == tuple(output[name] for name in ("objects", "expected", "set_aside", "adds_up", "warnings"))
    assert "6 of 6: every object is accounted for" in shown
    assert "3 in the manifest, 3 left out of it as ineligible when the scan was submitted" in shown
    assert re.search(r"^Ineligible\n  empty: 2 objects\n", shown, re.MULTILINE)
    assert [] == scanned.wire.writes


@pytest.mark.parametrize(
    ("counts", "lines"),
    [
        ({".mkv": 2, ".txt": 1}, ["because of their suffixes: 3 objects (2 .mkv, 1 .txt).", "2 of them look like videos (2 .mkv)"]),
        (None, ["Not known: whether there are objects with other suffixes"]),
        ({}, []),
    ],
)
def test_other_suffixes(account, counts, lines):
    """A review names what was not part of the scan because of its suffix, and says where that is not known."""
    add_scan(account, "a.mp4", not_selected=counts)
    add_report(account, [("a.mp4", True, ACCEPTED)])
    add_record(account, "a.mp4", State.CLEAN)

    output, shown = output_of(review(account, "--json")), review(account).stdout

    assert counts == (None if counts is None else output["not_selected"]["suffixes"])
    assert (counts is None) == (output["not_selected"] is None)
    assert "1 of 1: every object is accounted for" in shown
    assert [line for line in lines if line not in shown] == []
    assert ("suffix" in shown) == bool(lines)


def test_without_such_a_list(scanned):
    """A scan all of whose objects went into its job has none."""
    scanned.s3.delete_object(Bucket=WORK_BUCKET, Key=f"manifests/{SCAN}-ineligible.csv")

    result = review(scanned, "--json")

    assert [("empty", None, "empty")] == ineligible(output_of(result))
    assert (3, 3, 0, True) == tuple(output_of(result)[name] for name in ("objects", "expected", "set_aside", "adds_up"))


HEVC = 'The codec is "hevc", not, as it says, h264.'


@pytest.mark.slow
def test_what_was_found(account, tmp_path):
    """What was found in each object that was left out is in text, --json, page and exports, and lists without it stay readable."""
    add_scan(account, "clean")
    add_report(account, [("clean", True, ACCEPTED)])
    add_record(account, "clean", State.CLEAN)
    page, rows = tmp_path / "page.html", tmp_path / "rows.csv"
    set_aside(account, [(HOSTILE, "", "codec", HEVC), ("old", "", "codec"), ("none", "", "codec", "")])

    output, shown = output_of(review(account, "--json")), review(account).stdout
    review(account, "page", str(page))
    review(account, "export", "--csv", str(rows))

    island = json.loads(re.search(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)[1])
    with rows.open(encoding="utf-8", newline="") as file:
        exported = list(csv.DictReader(file))
    old = "left out of the batch job when the scan was submitted"
    assert [HEVC, old, ""] == [each["message"] for each in output["ineligible"]]
    assert [HEVC, old, None] == [each.get("message") for each in island["ineligible"]]
    assert ["", HEVC, old, ""] == [row["message"] for row in exported]
    assert HEVC in shown


def test_cure(scanned):
    """--json has the cure that the text has."""
    output, shown = output_of(review(scanned, "--json")), review(scanned).stdout

    cures = {each["cure"] for each in output["ineligible"]}
    assert 3 == len(cures)
    assert all(f"Cure: {cure}." in shown for cure in cures)


@pytest.mark.parametrize(("language", "cure"), [("en", "upload it again"), ("es", "subirlo de nuevo")])
def test_cure_on_the_page(scanned, tmp_path, language, cure):
    """The page has the cure of each reason once, in its language."""
    page = tmp_path / "page.html"

    review(scanned, "page", str(page), "--language", language)

    island = json.loads(re.search(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)[1])
    assert ["archived", "empty", "too-large"] == list(island["cures"])
    assert cure == island["cures"]["empty"]


def test_restored_and_retried(scanned):
    """An archived object is worth a retry; when it has a record, that has the word."""
    plan = output_of(review(scanned, "retry", "--dry-run", "--json"))
    add_flagged(scanned, HOSTILE)
    output = output_of(review(scanned, "--json"))

    assert {"archived": 1} == {group["reason"]: group["objects"] for group in plan["retried"]}
    assert {"empty": 2, "too-large": 1} == {group["reason"]: group["objects"] for group in plan["left"]}
    assert [("flagged", 3), (HOSTILE, 3)] == [(each["key"], output["states"]["ineligible"]) for each in output["flagged"]]


def test_page_and_export(scanned, tmp_path):
    """The page and the exports have them too, in the same state."""
    page, rows = tmp_path / "page.html", tmp_path / "rows.jsonl"

    review(scanned, "page", str(page))
    review(scanned, "export", "--jsonl", str(rows))

    island = re.search(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    data = json.loads(island[1])
    states = [json.loads(line)["state"] for line in rows.read_text(encoding="utf-8").splitlines()]
    assert ["empty", HOSTILE, "large", "void"] == [each["key"] for each in data["ineligible"]]
    assert (6, 6, {"name": "ineligible", "count": 4}) == (data["objects"], data["expected"], data["states"][-1])
    assert ["clean", "flagged", *["ineligible"] * 4] == states


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (f"{BUCKET},a,\n", "row 1: 3 columns, but such a list has 4 or 5 or 7"),
        (f"{BUCKET},a,,codec,hevc,e1\n", "row 1: 6 columns, but such a list has 4 or 5 or 7"),
        (f"{BUCKET},a,,codec,hevc,e1,huge\n", "row 1: the size 'huge' is not a number"),
        (f"{BUCKET},a,,empty\n{BUCKET},%ff,,empty\n", "row 2: the key '%ff' is not percent-encoded UTF-8"),
        (b"\xff", "not CSV in UTF-8"),
    ],
)
def test_damaged_list(scanned, body, rule):
    """A damaged list is said to be one; nothing is guessed."""
    scanned.s3.put_object(Bucket=WORK_BUCKET, Key=f"manifests/{SCAN}-ineligible.csv", Body=body)

    result = review(scanned)

    assert (1, "") == (result.exit_code, result.stdout)
    assert f"manifests/{SCAN}-ineligible.csv" in result.stderr
    assert rule in result.stderr

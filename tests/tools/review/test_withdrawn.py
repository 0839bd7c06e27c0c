"""A decision that was withdrawn counts as none wherever decisions are read; and every decision is exported."""

import csv
import io
import json
import re

import pytest

from handlers.domain.states import State
from tests.tools.review.test_apply import _apply, decided, entry, exported  # noqa: F401 # the fixture
from tests.tools.review_doubles import BUCKET, ETAG, HOSTILE, SCAN, add_flagged, add_record, add_report, add_scan, output_of, review

EARLIER, LATER = "2025-10-09T08:31:00.000Z", "2025-10-09T08:32:00.000Z"


def second(*entries, **changed):
    """Return a file of the format that may withdraw."""
    return exported(*entries, format="video-moderation-decisions-2", decided_by="Bo", **changed)


@pytest.fixture(name="scanned")
def _scanned(account):
    """Return an account with a scan of a flagged, a clean and a failed video."""
    keys = (HOSTILE, "clean.mp4", "failed.mp4")
    add_scan(account, *keys)
    add_report(account, [(key, True, '{"state":"WAITING"}') for key in keys])
    add_flagged(account, HOSTILE)
    add_record(account, "clean.mp4", State.CLEAN)
    add_record(account, "failed.mp4", State.FAILED, code="result-lost")
    return account


@pytest.fixture(name="withdrawn")
def _withdrawn(scanned, apply):
    """Have all three decided about and withdrawn again, and the flagged one decided about once more and withdrawn."""
    keys = (HOSTILE, "clean.mp4", "failed.mp4")
    assert 0 == apply(exported(*map(entry, keys))).exit_code
    taken_back = [entry(key, decision="withdrawn", decided_at=EARLIER, note="=oops") for key in keys]
    assert 0 == apply(second(*taken_back)).exit_code
    return scanned


def page_of(account, path):
    """Return the values of a page."""
    review(account, "page", str(path), "--sample-clean", "5")
    return json.loads(re.search(r'id="data">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL)[1])


@pytest.mark.slow
def test_review(withdrawn):
    """The review shows no decision, counts none, and what failed is open again."""
    shown = review(withdrawn, "--json", "--sample-clean", "5")
    values = output_of(shown)

    assert 3 == shown.exit_code
    assert [None, None] == [values["flagged"][0]["decision"], values["failed"][0]["decision"]]
    assert {"confirmed": 0, "false-alarm": 0} == values["decided"]["flagged"] == values["decided"]["failed"]
    assert (0, 0, None) == tuple(values["sample"][name] for name in ("decided", "missed", "miss_rate_percent"))
    assert "withdrawn" not in review(withdrawn).stdout


def test_page(withdrawn, tmp_path):
    """The page has no recorded decision, nor counts one."""
    values = page_of(withdrawn, tmp_path / "page.html")

    assert [False, False, False] == ["recorded" in values[name][0] for name in ("flagged", "clean", "failed")]
    assert {"flagged": 0, "failed": 0, "ineligible": 0} == values["decided"]


@pytest.mark.parametrize("rows", ["videos", "segments"])
def test_export(withdrawn, tmp_path, rows):
    """No row of the exports has a decision."""
    path = tmp_path / "rows.jsonl"
    review(withdrawn, "export", "--jsonl", str(path), "--rows", rows)

    assert {None} >= {json.loads(line)["decision"] for line in path.read_text().splitlines()}


def test_decided_again(withdrawn, apply):
    """A later decision stands, an earlier one is refused: by whatever order files are applied, the latest counts."""
    early = apply(exported(entry(HOSTILE, decided_at="2025-10-09T08:30:30.000Z")), "--json")
    late = apply(exported(entry(HOSTILE, decision="false-alarm", decided_at=LATER)))

    assert "there is a later decision: withdrawn by Bo" in output_of(early)["refused"][0]["reason"]
    assert (0, "false-alarm") == (late.exit_code, decided(withdrawn)[HOSTILE]["decision"])


def test_a_file_that_former_tools_know(scanned, apply):
    """In the first format, which former tools read, nothing can be withdrawn; the second is refused by them as a whole."""
    refused = apply(exported(entry(HOSTILE), entry("failed.mp4", decision="withdrawn")))

    assert 3 == refused.exit_code
    assert 'decision is "withdrawn", but must be confirmed or false-alarm' in refused.stdout
    assert 0 == apply(second(entry("failed.mp4", decision="withdrawn"), entry("clean.mp4"))).exit_code


def test_history(withdrawn, apply):
    """The history of a video has every decision in order, and none that stands."""
    apply(exported(entry(HOSTILE, decision="false-alarm", decided_at=LATER)))
    apply(second(entry(HOSTILE, decision="withdrawn", decided_at="2025-10-09T08:33:00.000Z")))

    text = review(withdrawn, "video", f"s3://{BUCKET}/{HOSTILE}").stdout
    [chapter] = output_of(review(withdrawn, "video", f"s3://{BUCKET}/{HOSTILE}", "--json"))["versions"]

    lines = re.findall(r"^    (confirmed by Ada|withdrawn by Bo|false-alarm by Ada)", text, re.MULTILINE)
    assert ["confirmed by Ada", "withdrawn by Bo", "false-alarm by Ada", "withdrawn by Bo"] == lines
    assert ([], 4) == (chapter["decisions"], len(chapter["log"]))
    assert {"decision": "confirmed", "by": "Ada", "decided_time": "2025-10-09T08:30:00.250Z"} == chapter["log"][1]["before"]


def test_every_decision_is_exported(withdrawn, apply, tmp_path):
    """`export --decisions` has a row for each decision with what it replaced, in order; nothing in it is a formula."""
    apply(exported(entry(HOSTILE, decision="false-alarm", decided_at=LATER)))
    path = tmp_path / "log.csv"

    done = review(withdrawn, "export", "--decisions", "--csv", str(path), "--jsonl", str(tmp_path / "log.jsonl"))

    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    found = [(row["decision"], row["decided_by"], row["before_decision"], row["before_decided_by"]) for row in rows]
    assert 3 == done.exit_code
    assert 7 == len(rows) == len((tmp_path / "log.jsonl").read_text().splitlines())
    assert [
        ("confirmed", "Ada", "", ""),
        ("withdrawn", "Bo", "confirmed", "Ada"),
        ("false-alarm", "Ada", "withdrawn", "Bo"),
    ] == [each for each, row in zip(found, rows, strict=True) if row["key"] == "'" + HOSTILE]
    assert {("'=oops", SCAN, "0", ETAG, EARLIER)} == {
        (row["note"], row["scan_id"], row["attempt"], row["etag"], row["decided_time"])
        for row in rows
        if row["decision"] == "withdrawn"
    }


def test_one_kind_of_row(account, tmp_path):
    """A file has rows of one kind."""
    done = review(account, "export", "--decisions", "--rows", "segments", "--csv", str(tmp_path / "rows.csv"))

    assert (2, False) == (done.exit_code, (tmp_path / "rows.csv").exists())
    assert "omit one of them" in done.stderr


def test_only_what_was_decided_about_is_read(scanned, apply, tmp_path):
    """The log costs a query for each content that was decided about, none for the others."""
    apply(exported(entry(HOSTILE)))
    before = len(scanned.wire.of("Query"))
    review(scanned, "export", "--jsonl", str(tmp_path / "videos.jsonl"))
    plain = len(scanned.wire.of("Query")) - before

    review(scanned, "export", "--decisions", "--jsonl", str(tmp_path / "log.jsonl"))

    queries = scanned.wire.of("Query")[before + plain :]
    assert 1 == len([each for each in queries if "DECIDED#" in str(each)])

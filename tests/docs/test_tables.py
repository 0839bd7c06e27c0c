"""Tables in the documents agree with the code."""

import ast
import json
import re
from collections import Counter
from dataclasses import fields
from unittest.mock import MagicMock

import pytest

from handlers.domain.decision import FOUND
from handlers.domain.identity import Video
from handlers.domain.reasons import REASONS
from handlers.domain.record import BatchJob, Record, Scan, Segment, Settings, Totals
from handlers.domain.scan_mail import digest_mail
from handlers.domain.states import Lane, ScanStatus, State
from handlers.flows.sweep import sweep
from tests.browser.reviews import page_of
from tests.browser.reviews import review as page_review
from tests.docs.markdown import ROOT
from tools.emulator.settings import EmulatorSettings
from tools.lib.coverage import Coverage, Status
from tools.lib.coverage.lookup import _STATUSES as STATUSES
from tools.lib.listing import Selection
from tools.lib.review import ObjectStatus, Review, TruthTable
from tools.lib.review.decided import WORDS
from tools.lib.review.export import Form, Rows, writer
from tools.lib.review.join import ObjectResult
from tools.lib.review.page.summary import states as page_states
from tools.lib.scans import ScanProgress

SCAN = "01JD8Z0Q4N6T9W2XK5C7R3VBHM"
# Two videos in each final state, one of them ineligible.
TOTALS = Totals(videos={state: 2 for state in State if state.final}, failures={"empty": 1, "forbidden": 1})

ARCHITECTURE, AWS, OFFLINE, OPERATIONS, REVIEW_REPORT = (
    ROOT / "docs" / name for name in ("architecture.md", "aws.md", "offline.md", "operations.md", "review_report.md")
)


def rows(page, *header):
    """Return the rows, as cells, of the only table of a page that begins with this header."""
    text = page.read_text("utf-8")
    heading = re.escape("| " + " | ".join(header))
    (body,) = re.findall(rf"^{heading}[^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)*)", text, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body.splitlines()]


def names(cell):
    """Return what a cell shows as code."""
    return re.findall(r"`([^`]+)`", cell)


def test_settings_of_the_offline_world():
    """The table in docs/offline.md has every setting of the offline world with its default."""
    expected = [[f"`{field.name}`", f"`{field.default}`"] for field in fields(EmulatorSettings)]

    assert expected == [row[:2] for row in rows(OFFLINE, "setting", "default", "meaning")]


def test_unknowns():
    """Everything that docs/offline.md calls unknown or undocumented is in docs/aws.md, and all of that is a setting."""
    settings = {names(row[0])[0]: row[2] for row in rows(OFFLINE, "setting", "default", "meaning")}

    shown = {name for row in rows(AWS, "unknown", "setting") for name in names(row[1])}

    assert {name for name, meaning in settings.items() if re.search("unknown on AWS|undocumented", meaning, re.IGNORECASE)} <= shown
    assert shown <= set(settings)


def test_reason_codes():
    """The table in docs/architecture.md has this project's own reason codes and what they mean."""
    own = [reason for code, reason in REASONS.items() if re.fullmatch(r"[a-z-]+", code)]

    expected = [
        [f"`{each.code}`", each.sentence, *("yes" if flag else "" for flag in (each.ineligible, each.retryable))] for each in own
    ]

    assert expected == rows(ARCHITECTURE, "code", "the object …")


def counted_by(surface):
    """Return the statuses that a surface counts, by the table of statuses."""
    return {names(row[0])[0] for row in rows(ARCHITECTURE, "status", "state of the record") if surface in row[2]}


def test_states_of_records():
    """The table of statuses has each state of a record beside the statuses that it may have."""
    table = rows(ARCHITECTURE, "status", "state of the record")

    assert set(State) == {name for row in table for name in names(row[1])}


def test_statuses_of_a_review():
    """A review counts the statuses that the table says, with the same words in its text, its JSON and its page."""
    truth = TruthTable(Counter(dict.fromkeys(ObjectStatus, 2)))
    review = Review(Scan(SCAN, "bucket"), truth)

    lines = "\n".join(review.sentences())

    assert counted_by("review") == set(re.findall(r"^  ([a-z ]+?) +2$", lines, re.MULTILINE))
    assert counted_by("review") == set(review.as_json()["states"])
    assert counted_by("review") == {state["name"] for state in page_states(truth)}


def test_words_for_decisions():
    """The table of decisions has the words of a review for each status and each stored decision; the page has the same."""
    header = [f"`{judgement}`" for judgement in FOUND]

    found = {names(row[0])[0]: row[1:] for row in rows(REVIEW_REPORT, "status", *header)}

    assert {status.value: [WORDS[status][judgement] for judgement in FOUND] for status in WORDS} == found
    made, totals = page_review(flagged_count=1)
    words = page_of(made, totals).values["decided_words"]
    assert found == {status: [words[status][judgement] for judgement in FOUND] for status in words}


@pytest.mark.parametrize("rows_of_file", [Rows.VIDEOS, Rows.SEGMENTS], ids=str)
def test_statuses_of_an_export(tmp_path, rows_of_file):
    """The column `state` of an export has the statuses that the table says, with the same words."""
    path = tmp_path / "export.jsonl"

    with writer(path, Form.JSONL, rows_of_file, MagicMock()) as export:
        for status in ObjectStatus:
            export.add(ObjectResult(Video("bucket", "key"), status), [Segment("Drinking", "Alcohol", 2, 0, 500, 91.5, 1)])

    assert counted_by("review") == {json.loads(line)["state"] for line in path.read_text("utf-8").splitlines()}


def test_statuses_of_coverage():
    """Coverage counts the statuses of its own table, in its text and its JSON, by the states that the table names."""
    table = rows(ARCHITECTURE, "coverage", "in its `--json`")
    counts = Coverage(Selection(bucket="bucket"), scans=0)

    lines = [line for line in counts.sentences() if re.search(r"  0 {2,}", line)]
    states = {status.name.lower(): {state.value for state, each in STATUSES.items() if each is status} for status in Status}

    assert [row[0] for row in table] == [re.split("  +", line.strip())[0] for line in lines]
    assert [names(row[1])[0] for row in table] == list(counts.as_json()["statuses"])
    assert states == {names(row[1])[0]: set(names(row[2])) for row in table}


def test_statuses_of_a_digest():
    """The digest counts the statuses that the table says, with the same words; a list of scans has those that have a record."""
    scan = Scan(SCAN, "bucket", objects=20)
    replaced = Record(Video("bucket", "key"), SCAN, State.FLAGGED, superseded_at=1.0)

    mail = digest_mail(scan, TOTALS, [], "stack", seen_all=True, replaced=[replaced])

    assert counted_by("digest") == set(re.findall(r"^  ([a-z ]+?) +\d+$", mail.body, re.MULTILINE)) - {"objects"}
    assert counted_by("digest") - {"without record", "superseded"} == set(TOTALS.counts)


def test_statuses_of_a_scan_in_progress():
    """`control_scan.py status` counts the statuses that the table says, with the same words."""
    scan = Scan(SCAN, "bucket", objects=20, jobs=(BatchJob("job", terminal_since=1.0),), waiting_empty_since=1.0)
    progress = ScanProgress(scan=scan, totals=TOTALS, running=1, settings=Settings(), slots=1, now=2.0, set_aside=0)

    line = progress.line()

    assert counted_by("`status`") == set(re.findall(r"\d+ ([a-z ]+?)(?=,| \()", line)) - {"done"}
    assert {state.value for state in State if state.final} == set(progress.as_json()["videos"])


@pytest.mark.parametrize("status", ScanStatus)
def test_scan_statuses(status):
    """The sentence about the status of a scan names all of them."""
    (sentence,) = re.findall(r"A scan as a whole is .*?\.", ARCHITECTURE.read_text("utf-8"))

    assert f"`{status}`" in sentence


def test_sweep_tasks():
    """The table of sweep tasks has those of a deployment with everything, in order, with the seconds that each may take."""
    ports = MagicMock()
    ports.queues.lanes = frozenset(Lane)
    tasks = sweep._tasks(ports, MagicMock(), sweep.SweepSettings("a stack", "a topic", "a Region", 25, 18))

    expected = [
        [f"`{type(task).__name__}`", "the rest" if seconds == sweep.SWEEP_SECONDS else f"{seconds:g}"] for task, seconds in tasks
    ]

    assert expected == [[row[0], row[2]] for row in rows(ARCHITECTURE, "task, in this order")]


def keys_in_code():
    """Yield the literal beginning of each partition key that the adapters of the table write."""
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "handlers/adapters/table").glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    constants = {
        target.id: ast.unparse(node.value).strip("'")
        for node in nodes
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in nodes:
        for name, value in zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ():
            if name is not None and ast.unparse(name) == "'pk'":
                match value:
                    case ast.Constant(value=str(text)) | ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
                        yield text
                    case ast.Name(id=constant):
                        yield constants[constant]


def test_items_of_the_table():
    """The table of items has every kind of partition key that is written."""
    shown = {name.partition("<")[0] for row in rows(ARCHITECTURE, "item", "`pk`", "`sk`") for name in names(row[1])}

    assert set(keys_in_code()) == shown


def test_alarms():
    """The table of alarms has one row for each alarm of the stack."""
    calls = [
        node for node in ast.walk(ast.parse((ROOT / "stacks/video_moderation.py").read_text("utf-8"))) if isinstance(node, ast.Call)
    ]
    (made,) = [call for call in calls if ast.unparse(call.func) == "Alarms"]
    (queues,) = [keyword.value for keyword in made.keywords if keyword.arg == "dead_letters"]

    shown = [name for row in rows(OPERATIONS, "alarm (its name contains)") for name in names(row[0])]

    assert sorted([*(ast.literal_eval(key) for key in queues.keys), "Silent"]) == sorted(shown)

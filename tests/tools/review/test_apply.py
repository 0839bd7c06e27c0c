"""Decisions come back: `review_report.py apply`, and what a review then shows."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.identity import Video
from handlers.domain.record import ObjectFacts, Problem, Record
from handlers.domain.states import State
from tests.tools.review_doubles import (
    BUCKET,
    ETAG,
    HOSTILE,
    LATER_SCAN,
    SCAN,
    add_flagged,
    add_record,
    add_report,
    add_scan,
    output_of,
    review,
    set_aside,
    video,
)
from tools.lib.errors import ToolError
from tools.lib.review import decisions as decisions_file

AT = "2025-10-09T08:30:00.250Z"
"""Before the clock of the tests' account, 2025-10-09 08:53 UTC."""
NOW = 1_760_000_000.0


def entry(key="a.mp4", **changed):
    """Return a decision as the page exports it."""
    return {
        "video_id": video(key).id,
        "bucket": BUCKET,
        "key": key,
        "version_id": None,
        "etag": ETAG,
        "attempt": 0,
        "decision": "confirmed",
        "note": "",
        "decided_at": AT,
    } | changed


def exported(*entries, **changed):
    """Return a file as the page exports it."""
    return {"format": "video-moderation-decisions-1", "scan": SCAN, "decided_by": "Ada", "decisions": list(entries)} | changed


@pytest.fixture(name="apply")
def _apply(account, tmp_path):
    """Return a function that applies a file, and returns what it came to."""

    def run(content, *arguments):
        path = tmp_path / "decisions.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return review(account, "apply", str(path), *arguments)

    return run


@pytest.fixture(name="scanned")
def _scanned(account):
    """Return an account with a scan of two flagged videos, one of them hostile by name."""
    add_scan(account, "a.mp4", HOSTILE)
    add_report(account, [("a.mp4", True, '{"state":"WAITING"}'), (HOSTILE, True, '{"state":"WAITING"}')])
    for key in ("a.mp4", HOSTILE):
        add_flagged(account, key)
    return account


def decided(account, scan_id=SCAN):
    """Return what a review says was decided, by key."""
    shown = output_of(review(account, "--json", "--scan", scan_id))
    return {flagged["key"]: flagged["decision"] for flagged in shown["flagged"]}


# --- applying -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_decisions_are_written_and_shown(scanned, apply):
    """Who, when, what and the note are in the review, as JSON and for a person."""
    result = apply(exported(entry(), entry(HOSTILE, decision="false-alarm", note="a toy\n\x1b[31m")))

    shown = review(scanned)
    assert (0, "Scan 01K742SG00000G40R40M30E209: 2 decisions by Ada written, 0 refused\n") == (result.exit_code, result.stdout)
    assert {
        "decision": "confirmed",
        "by": "Ada",
        "note": "",
        "at": 1_759_998_600.25,
        "decided_time": "2025-10-09T08:30:00.250Z",
        "scan": SCAN,
        "scan_id": SCAN,
    } == decided(scanned)["a.mp4"]
    assert ("false-alarm", "a toy\n\x1b[31m") == tuple(decided(scanned)[HOSTILE][name] for name in ("decision", "note"))
    assert "confirmed by Ada, 2025-10-09 08:30 UTC\n" in shown.stdout
    assert "false alarm by Ada, 2025-10-09 08:30 UTC: a toy\\n\\x1b[31m\n" in shown.stdout


def test_applying_twice_equals_once(scanned, apply):
    """The second time nothing is written, and nothing is wrong."""
    apply(exported(entry(), entry(HOSTILE)))
    before = decided(scanned)
    scanned.wire.calls.clear()

    result = apply(exported(entry(), entry(HOSTILE)), "--json")

    assert (0, 0, 2, []) == (result.exit_code, *(output_of(result)[name] for name in ("written", "already", "refused")))
    assert [] == scanned.wire.writes
    assert before == decided(scanned)


def test_good_ones_are_applied_among_bad_ones(scanned, apply):
    """Each refusal is named with its entry and reason, the others are written, and the exit code is 3."""
    result = apply(exported(entry(etag="other"), "nonsense", entry(HOSTILE), entry("unknown.mp4"), entry(decision="maybe")))

    assert 3 == result.exit_code
    assert decided(scanned)[HOSTILE]["decision"] == "confirmed"
    assert decided(scanned)["a.mp4"] is None
    reasons = [line for line in result.stdout.splitlines() if line.startswith("  entry")]
    assert reasons == [
        f"  entry 1 (s3://{BUCKET}/a.mp4): another object was analysed: its etag is {ETAG}, that of the decision other",
        '  entry 2: is "nonsense", but must be an object',
        f"  entry 4 (s3://{BUCKET}/unknown.mp4): scan {SCAN} has no record of it",
        f'  entry 5 (s3://{BUCKET}/a.mp4): decision is "maybe", but must be confirmed or false-alarm',
    ]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"attempt": 1}, "it was analysed again: the record is of attempt 1, the decision of 0"),
        ({"facts": None}, "its etag is unknown, as nothing has read it: nothing tells which content was decided about"),
        ({"facts": ObjectFacts("other", 3, None)}, f"another object was analysed: its etag is other, that of the decision {ETAG}"),
    ],
)
def test_changed_since(account, apply, record, reason):
    """A decision about another attempt, or about an unknown scan, is refused."""
    add_scan(account, "a.mp4")
    add_flagged(account, "a.mp4", **record)

    result = apply(exported(entry()), "--json")

    assert 3 == result.exit_code
    assert output_of(result)["refused"][0]["reason"].startswith(reason)


@pytest.mark.parametrize("state", [State.WAITING, State.RUNNING, State.CANCELLED])
def test_not_looked_at(account, apply, state):
    """There is nothing to decide about a video that is still to be analysed, or whose scan was cancelled."""
    add_scan(account, "a.mp4")
    add_record(account, "a.mp4", state)

    result = apply(exported(entry()), "--json")

    reason = f"it is {state.value}: only what is FLAGGED, CLEAN or FAILED can be decided about"
    assert [reason] == [each["reason"] for each in output_of(result)["refused"]]


# --- what is not flagged ------------------------------------------------------------------------------------------------


@pytest.fixture(name="unflagged")
def _unflagged(account):
    """Return an account with a scan of a failed, an ineligible and a clean video."""
    add_scan(account, "failed.mp4", "empty.mp4", HOSTILE)
    add_record(account, "failed.mp4", State.FAILED, code="analysis-failed")
    add_record(account, "empty.mp4", State.FAILED, code="empty")
    add_record(account, HOSTILE, State.CLEAN)
    return account


@pytest.mark.slow
def test_what_a_person_looked_at_is_settled(unflagged, apply):
    """What failed or is ineligible is settled once a person has decided about it; it is counted apart and still listed."""
    before = review(unflagged)
    first = apply(exported(entry("failed.mp4")))
    between = review(unflagged)

    apply(exported(entry("empty.mp4", decision="false-alarm", note="really\n empty")))

    after = review(unflagged)
    assert (0, [3, 3, 0]) == (first.exit_code, [each.exit_code for each in (before, between, after)])
    lines = [line.strip() for line in after.stdout.splitlines()]
    assert {"failed               1", "ineligible           1", "clean                1"} <= set(lines)
    assert "1 of 1 failed decided by a person: 1 found" in lines
    assert "1 of 1 ineligible decided by a person: 1 cleared" in lines
    assert "found by Ada, 2025-10-09 08:30 UTC" in lines
    assert "cleared by Ada, 2025-10-09 08:30 UTC: really\\n empty" in lines


def test_what_a_person_looked_at_as_json(unflagged, apply):
    """The JSON has the decision with each object, and how many there are, by the words that are stored."""
    apply(exported(entry("failed.mp4"), entry("empty.mp4", decision="false-alarm")))

    output = output_of(review(unflagged, "--json"))

    assert {
        "flagged": {"confirmed": 0, "false-alarm": 0},
        "failed": {"confirmed": 1, "false-alarm": 0},
        "ineligible": {"confirmed": 0, "false-alarm": 1},
    } == output["decided"]
    assert ["confirmed", "false-alarm"] == [output[name][0]["decision"]["decision"] for name in ("failed", "ineligible")]
    assert (1, 1) == (output["states"]["failed"], output["states"]["ineligible"])


def test_an_object_in_two_rows_is_settled_by_one_decision(account, apply):
    """A manifest that names a failed video twice is settled by the decision about it."""
    add_scan(account, "a.mp4", "a.mp4")
    add_record(account, "a.mp4", State.FAILED, code="analysis-failed")

    apply(exported(entry()))

    assert 0 == review(account).exit_code


def test_an_export_has_decisions_about_clean_videos(unflagged, apply, tmp_path):
    """An export has a row for each video, and so the decisions about clean ones too."""
    apply(exported(entry(HOSTILE), entry("failed.mp4", decision="false-alarm")))

    result = review(unflagged, "export", "--jsonl", str(tmp_path / "videos.jsonl"))

    rows = [json.loads(line) for line in (tmp_path / "videos.jsonl").read_text().splitlines()]
    assert {HOSTILE: "confirmed", "failed.mp4": "false-alarm", "empty.mp4": None} == {row["key"]: row["decision"] for row in rows}
    assert "1 of 1 clean decided by a person: 1 missed" in result.stdout


def test_a_miss_stays_one_where_it_is_flagged_later(unflagged, apply):
    """What a person found in a clean video confirms a later flag on the same content."""
    apply(exported(entry(HOSTILE)))
    add_scan(unflagged, HOSTILE, scan_id=LATER_SCAN)
    add_flagged(unflagged, HOSTILE, scan_id=LATER_SCAN)

    assert "confirmed" == decided(unflagged, LATER_SCAN)[HOSTILE]["decision"]


def test_the_page_gets_back_decisions_about_what_failed(unflagged, apply, tmp_path):
    """The page is handed each of these decisions, and its words for them."""
    apply(exported(entry("failed.mp4"), entry("empty.mp4", decision="false-alarm")))

    review(unflagged, "page", str(tmp_path / "page.html"))

    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', (tmp_path / "page.html").read_text())
    values = json.loads(data)
    assert ["confirmed", "false-alarm"] == [values[name][0]["recorded"]["decision"] for name in ("failed", "ineligible")]
    assert {"flagged": 0, "failed": 1, "ineligible": 1} == values["decided"]


def test_what_was_left_out_of_the_job(account, apply, tmp_path):
    """What was left out for its codec has no record: its listing has the etag for a decision; applying it twice equals once."""
    add_scan(account, "a.mp4")
    add_record(account, "a.mp4", State.CLEAN)
    hevc = "The codec is hevc."
    set_aside(account, [(HOSTILE, "", "codec", hevc, ETAG, "7"), ("other.mp4", "", "codec", hevc, "e2", "7")])
    review(account, "page", str(tmp_path / "page.html"))
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', (tmp_path / "page.html").read_text())
    shown = {each["key"]: (each["etag"], each["size"], each["attempt"]) for each in json.loads(data)["ineligible"]}

    results = [apply(exported(entry(HOSTILE))) for _ in range(2)]

    after = output_of(review(account, "--json"))
    assert {HOSTILE: (ETAG, 7, 0), "other.mp4": ("e2", 7, 0)} == shown
    assert [(0, "1 decision"), (0, "0 decisions")] == [
        (each.exit_code, re.search(r": (\d+ \w+) by Ada", each.stdout)[1]) for each in results
    ]
    assert [("codec", hevc, "confirmed"), ("codec", hevc, None)] == [
        (each["reason"], each["message"], each["decision"] and each["decision"]["decision"]) for each in after["ineligible"]
    ]
    assert (3, 3, True, 1) == (after["objects"], after["expected"], after["adds_up"], after["decided"]["ineligible"]["confirmed"])
    assert State.FAILED is account.table.records.record(video(HOSTILE).id, SCAN).state


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("a.mp4", "", "codec", "hevc", "other", "7"), "another object was analysed: its etag is other"),
        (("a.mp4", "", "codec", "hevc"), "its etag is unknown, as nothing has read it"),
        (("a.mp4", "", "codec", "hevc", "", "7"), "its etag is unknown, as nothing has read it"),
        (("a.mp4", "", "codec", "hevc", ETAG, "-1"), "its etag is unknown, as nothing has read it"),
        (("b.mp4", "", "codec", "hevc", ETAG, "7"), f"scan {SCAN} has no record of it"),
    ],
)
def test_left_out_but_another_content(account, apply, row, reason):
    """A decision about what was left out is refused where the list has another etag or none, and nothing is recorded."""
    add_scan(account)
    set_aside(account, [row])
    before = len(account.wire.writes)

    refused = output_of(apply(exported(entry()), "--json"))["refused"]

    assert [True] == [each["reason"].startswith(reason) for each in refused]
    assert before == len(account.wire.writes)


def test_an_upload_that_could_not_be_read(account, apply):
    """The event of an upload names its etag, which is enough to decide about one that could not be read."""
    add_scan(account)
    upload = replace(video("a.mp4"), etag=ETAG)
    record = Record(upload, SCAN, State.FAILED, problem=Problem("forbidden", "no"), queued_at=1.0)
    account.table.records.register(record, None)

    result = apply(exported(entry(video_id=upload.id)), "--json")

    assert (0, 1) == (result.exit_code, output_of(result)["written"])


def test_the_latest_decision_stands(scanned, apply):
    """Whichever file comes first, what was decided last stands; the other is refused by name."""
    apply(exported(entry(decision="false-alarm", decided_at="2025-10-09T08:40:00Z"), decided_by="Grace"))

    result = apply(exported(entry()), "--json")

    assert (3, "Grace") == (result.exit_code, decided(scanned)["a.mp4"]["by"])
    assert "there is a later decision: false-alarm by Grace, 2025-10-09 08:40 UTC" == output_of(result)["refused"][0]["reason"]


def test_twice_in_one_file(scanned, apply):
    """Of two decisions about one video in a file the later one is taken; doing it again changes nothing."""
    later = entry(decision="false-alarm", decided_at="2025-10-09T08:31:00Z")

    results = [output_of(apply(exported(later, entry()), "--json")) for _ in range(2)]

    assert [(1, 0), (0, 1)] == [(result["written"], result["already"]) for result in results]
    assert "the file has a later decision about this video, entry 1" == results[0]["refused"][0]["reason"]
    assert "false-alarm" == decided(scanned)["a.mp4"]["decision"]


# --- surviving a rescan -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("etag", "survives"), [(ETAG, True), ("another", False)])
def test_rescan(scanned, apply, etag, survives):
    """A later scan of the same content shows the decision; one of other content under the same key does not."""
    apply(exported(entry()))
    add_scan(scanned, "a.mp4", scan_id=LATER_SCAN)
    add_flagged(scanned, "a.mp4", scan_id=LATER_SCAN, etag=etag)

    shown = decided(scanned, LATER_SCAN)["a.mp4"]

    assert survives == (shown is not None)


@pytest.mark.slow
def test_decisions_cost_one_request_for_a_hundred_videos(account, apply):
    """A review asks for the decisions about 100 flagged videos at once."""
    keys = [f"{number}.mp4" for number in range(100)]
    add_scan(account, *keys)
    for key in keys:
        add_flagged(account, key)
    apply(exported(*map(entry, keys)))
    account.wire.calls.clear()

    review(account, "--json")

    assert 2 == len(account.wire.of("BatchGetItem"))  # the records of the flagged, the decisions


def test_changed_between_look_and_write(scanned, tmp_path):
    """The write itself makes sure that the record is as it was looked at."""
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(exported(entry())))
    decision = decisions_file.read(path, decided_by=None, now=NOW).entries[0].decision
    gone = replace(decision, attempt=5)

    outcomes = [scanned.table.decisions.note_decisions([each])[0].value for each in (gone, decision, decision)]

    assert ["by another", "done", "done before"] == outcomes


def test_the_longest_note(scanned, apply):
    """A note may have as many characters as the page lets a person write."""
    result = apply(exported(entry(note="x" * 2_000)))

    assert (0, "x" * 2_000) == (result.exit_code, decided(scanned)["a.mp4"]["note"])


def test_the_page_gets_back_what_it_exported(scanned, apply, tmp_path):
    """A page of the same scan is handed each decision, its time as the first page wrote it."""
    apply(exported(entry(HOSTILE, note="a toy")))

    review(scanned, "page", str(tmp_path / "page.html"))

    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', (tmp_path / "page.html").read_text())
    recorded = {entry["id"]: entry["recorded"] for entry in json.loads(data)["flagged"] if "recorded" in entry}
    expected = {"decision": "confirmed", "note": "a toy", "decided_by": "Ada", "decided_at": AT}
    assert {video(HOSTILE).id: expected} == recorded


# --- the file -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("{", "line 1, column 2: not JSON (Expecting property name enclosed in double quotes)."),
        ("[]", "holds [], but must hold an object with decisions."),
        ("[" * 100_000, "not readable as JSON in UTF-8"),
        ("[1" + "0" * 5_000 + "]", "not readable as JSON in UTF-8"),
        (
            exported(format="other"),
            '"format" is "other", but must be "video-moderation-decisions-1" or "video-moderation-decisions-2".',
        ),
        (exported(scan="../x"), '"scan" is "../x", which is not a scan id.'),
        (
            exported(scan=LATER_SCAN),
            f"its decisions are about scan {LATER_SCAN}, which the table of VideoModeration does not know.",
        ),
        (exported(decided_by=""), '"decided_by" is "", but must be a name of at most 100 characters.'),
        ([], "holds [], but must hold an object with decisions."),
        (exported(decisions={}), '"decisions" is {}, but must be a list.'),
    ],
)
def test_no_such_file(scanned, apply, content, error):
    """A file that is none is refused as a whole, with what is wrong and what to do; nothing is written."""
    result = apply(content)

    assert (1, "") == (result.exit_code, result.stdout)
    assert error in result.stderr
    assert "Cure:" in result.stderr
    assert [] == scanned.wire.writes


@pytest.mark.parametrize(
    ("content", "error", "cure"),
    [
        (
            exported(format="other"),
            '"format" is "other", but must be "video-moderation-decisions-1" or "video-moderation-decisions-2".',
            "Pass a file that the page",
        ),
        (
            {},
            '"format" is missing, but must be "video-moderation-decisions-1" or "video-moderation-decisions-2".',
            "or update this program.",
        ),
        (exported(decisions={}), '"decisions" is {}, but must be a list.', "Export the decisions from the page again."),
        ([], "holds [], but must hold an object with decisions.", "Export the decisions from the page again."),
        (exported(decided_by=None), '"decided_by" is missing, but must be a name', "or pass --decided-by NAME."),
        (exported(decided_by="  "), '"decided_by" is "  ", but must be a name', "or pass --decided-by NAME."),
    ],
)
def test_not_a_file_of_decisions(tmp_path, content, error, cure):
    """A file that is not one of decisions is refused as a whole, with what is wrong and what to do."""
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(content))

    with pytest.raises(ToolError) as refused:
        decisions_file.read(path, decided_by=None, now=NOW)

    assert str(refused.value).startswith(f"{path}: {error}")
    assert cure in refused.value.cure


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"{", ", line 1, column 2: not JSON (Expecting property name enclosed in double quotes)."),
        (b'{"scan": "\xff"}', ": not readable as JSON in UTF-8 ("),
    ],
)
def test_not_json(tmp_path, content, error):
    """A file that is not JSON in UTF-8 is refused with where it ends to be."""
    path = tmp_path / "decisions.json"
    path.write_bytes(content)

    with pytest.raises(ToolError) as refused:
        decisions_file.read(path, decided_by=None, now=NOW)

    assert str(refused.value).startswith(f"{path}{error}")


@pytest.mark.parametrize(
    ("given", "otherwise", "name"),
    [("Ada", "Grace", "Ada"), (" Ada ", None, "Ada"), ("", " Grace ", "Grace"), (5, "Grace", "Grace")],
)
def test_who_decided(tmp_path, given, otherwise, name):
    """Who decided is who the file names, else who the command does."""
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(exported(entry(), decided_by=given)))

    found = decisions_file.read(path, decided_by=otherwise, now=NOW)

    assert (name, name, SCAN) == (found.decided_by, found.entries[0].decision.decided_by, found.scan_id)


def test_a_refused_entry(tmp_path):
    """A refusal has the entry's number, its video where that is known, the reason and the cure."""
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(exported(entry(attempt=-1), entry(attempt=-1, bucket=None), entry() | {"key": 5}, [1])))

    refused = decisions_file.read(path, decided_by=None, now=NOW).refused

    assert [(1, f"s3://{BUCKET}/a.mp4"), (2, None), (3, None), (4, None)] == [(each.entry, each.uri) for each in refused]
    assert {"Export the decisions from the page again."} == {each.cure for each in refused}
    assert "attempt is -1, but must be a number from 0 to 99" == refused[0].reason


@pytest.mark.parametrize(
    ("note", "shown"), [("x" * 2_001, '"' + "x" * 56 + "..."), ([0] * 20, str([0] * 20)), ([0] * 21, "[0, 0, ")]
)
def test_values_in_reasons(tmp_path, note, shown):
    """A value that is refused is shown, up to sixty characters of it."""
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(exported(entry(note=note))))

    (refused,) = decisions_file.read(path, decided_by=None, now=NOW).refused

    value = refused.reason.removeprefix("note is ").removesuffix(", but must be text of at most 2,000 characters")
    assert value.startswith(shown)
    assert len(value) == 60


@pytest.mark.parametrize("order", [1, -1])
def test_the_latest_of_a_file(tmp_path, order):
    """Of two entries about one content the later decision is taken, in whichever order they stand; the other is named."""
    path = tmp_path / "decisions.json"
    entries = [entry(note="early"), entry(note="late", decided_at="2025-10-09T08:31:00Z")][::order]
    path.write_text(json.dumps(exported(*entries, entry("b.mp4"))))

    found = decisions_file.read(path, decided_by=None, now=NOW)

    late, early = (2, 1) if order == 1 else (1, 2)
    assert [(late, "late"), (3, "")] == [(each.number, each.decision.note) for each in found.entries]
    (refused,) = found.refused
    assert (early, f"s3://{BUCKET}/a.mp4") == (refused.entry, refused.uri)
    assert f"the file has a later decision about this video, entry {late}" == refused.reason
    assert "Nothing, if the later one is right." == refused.cure


@pytest.mark.slow
def test_name_of_who_decided(scanned, apply):
    """Where the file does not say who decided, --decided-by does."""
    apply(exported(entry(), decided_by=""), "--decided-by", "Grace")

    assert "Grace" == decided(scanned)["a.mp4"]["by"]


def test_scan_that_is_meant(scanned, apply):
    """The page's own command names the scan; a file about another one is refused."""
    right, wrong = apply(exported(entry()), "--scan", SCAN), apply(exported(entry()), "--scan", LATER_SCAN)

    assert (0, 1) == (right.exit_code, wrong.exit_code)
    assert f"Cure: Pass a file with decisions about {LATER_SCAN}, or omit --scan." in " ".join(wrong.stderr.split())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"video_id": "0" * 32}, "video_id is"),
        ({"key": None}, "bucket, key or version_id is missing or not text"),
        ({"key": "x" * 1025}, "the key has 1025 bytes"),
        ({"key": "\ud800"}, "the key, the version or the etag is not valid Unicode text"),
        ({"bucket": "a/b"}, "the bucket has a name that S3 does not allow"),
        ({"etag": None}, "etag is missing"),
        ({"etag": "é"}, "etag is"),
        ({"attempt": True}, "attempt is true"),
        ({"attempt": 100}, "attempt is 100"),
        ({"attempt": 10**400}, "attempt is 1000"),
        ({"decision": ["confirmed"]}, "decision is"),
        ({"note": "x" * 2_001}, "note is"),
        ({"note": "\ud800"}, "note is"),
        ({"decided_at": "yesterday"}, "decided_at is"),
        ({"decided_at": "2025-10-09T08:30:00"}, "decided_at is"),
        ({"decided_at": "2099-01-01T00:00:00Z"}, 'decided_at is "2099-01-01T00:00:00Z", which is not in the past'),
        ({"decided_at": "0001-01-01T00:00:00+23:59"}, "decided_at is"),
        ({"decided_at": None}, "decided_at is missing"),
    ],
)
def test_broken_entry(tmp_path, changed, reason):
    """An entry that breaks a rule is refused with the rule; the one beside it is read."""
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(exported(entry("b.mp4"), entry() | changed)))

    file = decisions_file.read(path, decided_by=None, now=NOW)

    assert [1] == [each.number for each in file.entries]
    assert [2] == [refusal.entry for refusal in file.refused]
    assert file.refused[0].reason.startswith(reason)


LIMIT = datetime.fromtimestamp(NOW + 3_600.0, UTC).isoformat()


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("note", "x" * 2_000, "x" * 2_001),
        ("etag", "x" * 256, "x" * 257),
        ("etag", "x", ""),
        ("attempt", 0, -1),
        ("attempt", 99, 100),
        ("decided_at", LIMIT, datetime.fromtimestamp(NOW + 3_600.001, UTC).isoformat()),
        ("decided_at", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z"),
    ],
)
def test_limits(tmp_path, field, good, bad):
    """A field at its limit is read, and refused beyond it; a clock may be an hour fast."""
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(exported(entry(**{field: good}), entry("b.mp4", **{field: bad}))))

    file = decisions_file.read(path, decided_by=None, now=NOW)

    assert ([1], [2]) == ([each.number for each in file.entries], [refusal.entry for refusal in file.refused])


@pytest.mark.parametrize(("name", "length"), [("x" * 100, 100), (" Ada ", 3), ("x" * 101, None), ("\ud800", None)])
def test_limit_of_names(tmp_path, name, length):
    """A name has at most a hundred characters, spaces around it are not part of it."""
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(exported(entry(), decided_by=name)))

    if length is None:
        with pytest.raises(ToolError, match="at most 100 characters"):
            decisions_file.read(path, decided_by=None, now=NOW)
    else:
        assert length == len(decisions_file.read(path, decided_by=None, now=NOW).decided_by)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "read"), [(100_000, True), (100_001, False)])
def test_limit_of_entries(tmp_path, count, read):
    """A file has at most 100,000 entries."""
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(exported(*[0] * count)))

    if read:
        assert count == len(decisions_file.read(path, decided_by=None, now=NOW).refused)
    else:
        with pytest.raises(ToolError, match="has 100,001 entries; a file has up to 100,000"):
            decisions_file.read(path, decided_by=None, now=NOW)


@pytest.mark.parametrize("scan", [None, 5, "", "a scan", f"{SCAN}0", SCAN.lower().replace("k", "#")])
def test_no_scan(tmp_path, scan):
    """A file that names no scan is refused: nothing of it could be checked."""
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(exported(entry(), scan=scan)))

    with pytest.raises(ToolError, match="which is not a scan id"):
        decisions_file.read(path, decided_by=None, now=NOW)


def test_times_are_milliseconds(tmp_path):
    """A time is read to the millisecond, as the table and the page have it."""
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(exported(entry(decided_at="2025-10-09T08:30:00.123456Z"))))

    (found,) = decisions_file.read(path, decided_by=None, now=NOW).entries

    assert datetime(2025, 10, 9, 8, 30, 0, 123_000, UTC).timestamp() == found.decision.decided_at


def test_a_wrong_video_id(tmp_path):
    """An id that fits neither the place nor the upload is refused with both ids; of a version there is one."""
    path = tmp_path / "decisions.json"
    versioned = video("b.mp4", "v1")
    path.write_text(json.dumps(exported(entry(video_id="0"), entry("b.mp4", version_id="v1", video_id="0"))))

    one, other = decisions_file.read(path, decided_by=None, now=NOW).refused

    upload = Video(BUCKET, "a.mp4", None, ETAG)
    assert f'video_id is "0", but bucket, key and version_id give {video("a.mp4").id}, and with the etag {upload.id}' == one.reason
    assert f'video_id is "0", but bucket, key and version_id give {versioned.id}' == other.reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.slow
@given(st.lists(JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(entry(), JSON)), max_size=5))
def test_whatever_comes(tmp_path_factory, entries):
    """Whatever the entries are, each is read or refused, and the good one is not lost."""
    path = tmp_path_factory.mktemp("any") / "decisions.json"
    path.write_text(json.dumps(exported(entry(), *entries)))

    file = decisions_file.read(path, decided_by=None, now=NOW)

    assert [1] == [each.number for each in file.entries]
    assert len(entries) == len(file.refused)


def test_a_missing_file_of_the_page(account):
    """A path that does not exist is bad usage."""
    assert 2 == review(account, "apply", "/nonexistent/decisions.json").exit_code

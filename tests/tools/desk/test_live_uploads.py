"""What changes at a desk of a day's uploads: others supersede one, and it may come back; neither changes a total of the scan."""

from dataclasses import replace

import pytest

from handlers.domain.record import Problem, Segment
from handlers.domain.states import ScanStatus, State
from tests.tools.review_doubles import output_of, review
from tests.tools.uploads import DAY_SCAN, add_day, add_flagged_upload, add_upload
from tools.lib.desk.live_review import LOOKED_UP

pytestmark = pytest.mark.slow

SUMMARY = ("objects", "expected", "adds_up", "states", "analysed_ms", "costs", "found", "confidences", "cures", "decided")
LISTS = ("flagged", "clean", "failed", "ineligible", "superseded")


@pytest.fixture(name="day", autouse=True)
def _day(account):
    """The scan of a day that is not over."""
    add_day(account, status=ScanStatus.OPEN)


@pytest.fixture(name="watch")
def _watch(follow):
    """Return a function that makes the review of the day, and one that asks it for changes."""
    return lambda sample=0: follow(sample, DAY_SCAN)


def supersede(account, record):
    """Note, as the function of uploads does, that another content has replaced an upload."""
    account.table.records.supersede(record.video.id, DAY_SCAN)


def restore(account, record):
    """Note that its content is there again."""
    account.table.records.restore(account.table.records.record(record.video.id, DAY_SCAN))


def put_again(account, record):
    """Register the same content once more, as the function does where it was put again, and return its record."""
    stored = account.table.records.record(record.video.id, DAY_SCAN)
    anew = {"problem": None, "superseded_at": None, "finished_at": None, "labels": (), "counted": ()}
    again = replace(record, state=State.WAITING, attempt=1, **anew)
    account.table.records.register(again, stored)
    return again


def listed(answer):
    """Return the keys of each list that has any."""
    return {name: [each["key"] for each in answer[name]] for name in LISTS if answer[name]}


def counted(answer):
    """Return the counts by status that are not 0."""
    return {each["name"]: each["count"] for each in answer["states"] if each["count"]}


def test_superseded_and_back(account, watch):
    """An upload that another one replaces moves to what is superseded within a poll, and back; the counts move with it."""
    record = add_flagged_upload(account, "a.mp4", etag="e1")
    add_flagged_upload(account, "b.mp4", etag="e1")
    _, ask = watch()

    supersede(account, record)
    gone = ask()
    restore(account, record)
    back = ask(gone["number"])

    assert ({"superseded": ["a.mp4"]}, {"flagged": 1, "superseded": 1}) == (listed(gone), counted(gone))
    assert ("flagged", None) == (gone["superseded"][0]["was"], gone["superseded"][0].get("segments") or None)
    assert ({"flagged": ["a.mp4"]}, {"flagged": 2}) == (listed(back), counted(back))
    assert ({}, []) == (listed(ask(back["number"])), ask(back["number"])["gone"])


@pytest.mark.parametrize(
    ("state", "code", "name"),
    [(State.FLAGGED, None, "flagged"), (State.FAILED, "forbidden", "failed"), (State.FAILED, "empty", "ineligible")],
)
def test_superseded_at_the_start(account, watch, state, code, name):
    """What was superseded before the desk was opened comes into its list with its status when it comes back."""
    record = add_upload(account, "a.mp4", state, etag="e1", code=code, superseded=True)
    _, ask = watch()
    assert ({"superseded": ["a.mp4"]}, {"superseded": 1}) == (listed(ask(0)), counted(ask(0)))

    restore(account, record)

    assert ({name: ["a.mp4"]}, {name: 1}) == (listed(ask()), counted(ask()))


@pytest.mark.parametrize("sample", [0, 5])
def test_clean_ones(account, watch, sample):
    """A clean upload that comes back is shown if it was drawn; one that was not is counted and gone from what is superseded."""
    record = add_upload(account, "a.mp4", State.CLEAN, etag="e1", superseded=True)
    drawn = add_upload(account, "b.mp4", State.CLEAN, etag="e1")
    _, ask = watch(sample)

    restore(account, record)
    supersede(account, drawn)
    answer = ask()

    assert [record.video.id] == answer["gone"]
    assert {0: {"clean": 2}, 5: {"clean": 1, "superseded": 1}}[sample] == counted(answer)
    assert {0: {}, 5: {"superseded": ["b.mp4"]}}[sample] == listed(answer)

    restore(account, drawn)

    assert {0: {}, 5: {"clean": ["b.mp4"]}}[sample] == listed(ask(answer["number"]))


def test_superseded_before_its_verdict(account, watch):
    """An upload that is flagged after another one replaced it is superseded from the first."""
    waiting = add_upload(account, "a.mp4", State.WAITING, etag="e1", superseded=True)
    _, ask = watch()
    assert {"waiting": 1} == counted(ask(0))

    flagged = replace(waiting, state=State.FLAGGED, finished_at=account.clock.now(), duration_ms=1_000)
    account.table.records.finish(flagged)

    assert ({"superseded": ["a.mp4"]}, {"superseded": 1}) == (listed(ask()), counted(ask()))


def test_put_again(account, watch):
    """A superseded upload that is analysed once more is in no list until it has a verdict."""
    record = add_upload(account, "a.mp4", State.CLEAN, etag="e1", superseded=True)
    _, ask = watch()

    put_again(account, record)

    assert ([record.video.id], {}) == (ask()["gone"], listed(ask()))
    assert {"waiting": 1} == counted(ask())


def upload_others(account, _record):
    """Have uploads come in: one that waits, one that runs, one that fails, and one that is flagged."""
    add_upload(account, "new/1.mp4", State.WAITING, etag="e1")
    add_upload(account, "new/2.mp4", State.RUNNING, etag="e1", started_at=account.clock.now())
    waiting = add_upload(account, "new/3.mp4", State.WAITING, etag="e1")
    account.table.records.finish(waiting.as_failed(Problem("codec", "VP9"), at=account.clock.now()))
    flagged = add_flagged_upload(account, "new/4.mp4", etag="e1", duration_ms=60_000)
    account.table.records.write_segments(flagged, [Segment("Weapons", "Violence", 2, 1_500, 3_500, 99.5, 5)])


@pytest.mark.parametrize(("change", "superseded"), [(supersede, False), (restore, True), (put_again, True), (upload_others, False)])
def test_as_a_desk_that_is_opened_later(account, watch, change, superseded):
    """What an open desk tells, and a page of it that is loaded again, is what a desk says that is opened after the change."""
    record = add_flagged_upload(account, "a.mp4", etag="e1", superseded=superseded)
    add_flagged_upload(account, "b.mp4", etag="e1", superseded=True)
    desk, ask = watch()

    change(account, record)
    answer, later, anew = ask(), desk.page()[0].values, watch()[0].page()[0].values

    for name in LISTS:
        assert sorted(map(str, anew[name])) == sorted(map(str, later[name]))
    for name in SUMMARY:
        assert [anew[name]] * 2 == [later[name], answer[name]], name
    assert later["adds_up"]


def test_a_failure_meanwhile(account, watch):
    """What fails while the desk is open comes with what to do about it."""
    waiting = add_upload(account, "a.mp4", State.WAITING, etag="e1")
    _, ask = watch()
    assert {} == ask(0)["cures"]

    account.table.records.finish(waiting.as_failed(Problem("archived", "in Glacier"), at=account.clock.now()))

    assert ["archived"] == list(ask()["cures"])


@pytest.mark.parametrize(
    ("before", "after"), [(State.FLAGGED, State.FAILED), (State.FAILED, State.FLAGGED), (State.CLEAN, State.FLAGGED)]
)
def test_another_verdict_of_what_came_back(account, watch, before, after):
    """What was superseded, is put again and gets another verdict is counted once, by the new one."""
    code = "forbidden" if before is State.FAILED else None
    record = add_upload(account, "a.mp4", before, etag="e1", code=code, superseded=True)
    _, ask = watch()
    again = put_again(account, record)
    assert {"waiting": 1} == counted(ask())

    ended = replace(again, state=after, problem=None, finished_at=account.clock.now(), duration_ms=1_000)
    if after is State.FAILED:
        ended = again.as_failed(Problem("forbidden", "no"), at=account.clock.now())
    account.table.records.finish(ended)

    assert ({after.value.lower(): 1}, 1) == (counted(ask()), ask()["objects"])


def test_closed_meanwhile(account, watch, monkeypatch):
    """The counts of a day that is closed hold nothing under way, even if the index still names what waited."""
    waiting = add_upload(account, "a.mp4", State.WAITING, etag="e1")
    _, ask = watch()
    named = type(account.table.records).in_state
    account.table.records.finish(replace(waiting, state=State.CLEAN, finished_at=account.clock.now()))
    account.table.scans.close_scan(account.table.scans.scan(DAY_SCAN))

    def lagging(records, scan_id, state, **options):
        return iter([waiting.video.id]) if state is State.WAITING else named(records, scan_id, state, **options)

    with monkeypatch.context() as patched:
        patched.setattr(type(account.table.records), "in_state", lagging)
        ask()
    answer = ask()

    assert ("closed", {"clean": 1}, [], True) == (answer["status"], counted(answer), answer["warnings"], answer["adds_up"])


@pytest.mark.slow
def test_in_turn(account, watch):
    """However many uploads a day has, each is looked at within as many polls as there are hundreds, one BatchGetItem each."""
    records = [add_flagged_upload(account, f"{number:03}.mp4", etag="e1") for number in range(2 * LOOKED_UP + 50)]
    _, ask = watch()
    for record in records:
        supersede(account, record)
    requests = len(account.wire.requests)

    number, found = None, []
    for _ in range(3):
        answer = ask(number)
        number = answer["number"]
        found.append(len(answer["superseded"]))

    assert [100, 100, 50] == found
    asked = [each for each in account.wire.requests[requests:] if each == "BatchGetItem"]
    assert len(asked) <= 3 * 3


def test_decided_about_meanwhile(account, watch):
    """A decision about an upload that is superseded since is not counted among those that were looked at."""
    record = add_flagged_upload(account, "a.mp4", etag="e1")
    desk, ask = watch()
    supersede(account, record)

    answer = ask()

    assert (0, {"superseded": 1}) == (answer["decided"]["flagged"], counted(answer))
    assert "a.mp4" == desk.find(record.video.id).video.key


def test_the_program_agrees(account, watch):
    """The counts of an open desk are those of `review_report.py`."""
    records = [add_flagged_upload(account, f"{number}.mp4", etag="e1") for number in range(3)]
    add_upload(account, "failed.mp4", State.FAILED, etag="e1", code="forbidden")
    _, ask = watch()
    supersede(account, records[0])
    supersede(account, records[1])
    answer = ask()

    states = output_of(review(account, "--scan", DAY_SCAN, "--json"))["states"]

    assert {name: count for name, count in states.items() if count} == counted(answer)

"""What changes at a desk of a day's uploads: others supersede one, and it may come back; neither changes a total of the scan."""

from dataclasses import replace

import pytest

from handlers.domain.states import ScanStatus, State
from tests.tools.review_doubles import output_of, review
from tests.tools.uploads import DAY_SCAN, add_day, add_flagged_upload, add_upload
from tools.lib.desk.live_review import LOOKED_UP

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

    again = replace(record, state=State.WAITING, attempt=1, superseded_at=None, finished_at=None)
    account.table.records.register(again, account.table.records.record(record.video.id, DAY_SCAN))

    assert (([record.video.id], {})) == (ask()["gone"], listed(ask()))


def test_a_page_that_is_loaded_later(account, watch):
    """A page that is loaded after a change is that of a desk that is opened then."""
    record = add_flagged_upload(account, "a.mp4", etag="e1")
    add_flagged_upload(account, "b.mp4", etag="e1", superseded=True)
    desk, ask = watch()
    supersede(account, record)
    ask()

    later, _ = desk.page()
    anew, _ = watch()[0].page()

    assert {"a.mp4", "b.mp4"} == {each["key"] for each in later.values["superseded"]}
    for name in (*LISTS, "states"):
        assert sorted(map(str, anew.values[name])) == sorted(map(str, later.values[name]))


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

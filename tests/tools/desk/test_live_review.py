"""What changes while a browser looks: verdicts of a running scan, decisions of others; and how little is read for it."""

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from handlers.adapters.table.decisions import decision_item, log_item
from handlers.domain import Judgement
from handlers.domain.record import LabelSummary, Problem
from handlers.domain.states import ScanStatus, State
from tests.tools.conftest import http_error
from tests.tools.desk.many import reviews_of_many
from tests.tools.review_doubles import (
    ETAG,
    LATER_SCAN,
    SCAN,
    add_flagged,
    add_record,
    add_report,
    add_scan,
    decision,
    video,
)
from tools.lib.desk import live_review
from tools.lib.desk.live_review import POLL_SECONDS
from tools.lib.desk.refusal import RefusedError
from tools.lib.review.page.videos import Describer

pytestmark = pytest.mark.slow

LABEL = LabelSummary("Weapons", "Violence", 2, 99.5, 1_500, 2_000)


def finish(account, record, state, **fields):
    """Finish the analysis of a record that waits."""
    account.table.records.finish(replace(record, state=state, finished_at=account.clock.now(), duration_ms=1_000, **fields))


def keys(changed, listed="flagged"):
    """Return the keys of a list."""
    return [each["key"] for each in changed[listed]]


def counted(changed):
    """Return the counts by status."""
    return {each["name"]: each["count"] for each in changed["states"] if each["count"]}


def waiting(account, *names):
    """Write a scan that runs, with videos that wait."""
    add_scan(account, *names, status=ScanStatus.OPEN, job_status="Active")
    return [add_record(account, name, State.WAITING) for name in names]


def test_new_verdicts(account, follow):
    """A video that is flagged or fails while somebody looks appears with its labels; the counts follow."""
    first, second, third = waiting(account, "a.mp4", "b.mp4", "c.mp4")
    _, ask = follow()
    assert {"waiting": 3} == counted(ask(0))

    finish(account, first, State.FLAGGED, labels=(LABEL,), counted=("Weapons",))
    one = ask()
    finish(account, second, State.CLEAN)
    failed = third.as_failed(Problem("throttled", "later"), at=account.clock.now())
    account.table.records.finish(failed)
    two = ask(one["number"])

    assert (["a.mp4"], []) == (keys(one), keys(one, "failed"))
    assert "Weapons" == one["labels"][one["flagged"][0]["labels"][0][0]]["name"]
    assert ([], ["c.mp4"]) == (keys(two), keys(two, "failed"))
    assert {"flagged": 1, "waiting": 2} == counted(one)
    assert {"flagged": 1, "clean": 1, "failed": 1} == counted(two)
    assert ([], {}) == (keys(ask(two["number"])), ask(two["number"])["recorded"])


def test_status(account, follow):
    """The scan's status follows."""
    waiting(account, "a.mp4")
    _, ask = follow()
    assert "open" == ask(0)["status"]

    account.table.scans.pause_scan(SCAN, "by hand")

    assert "paused" == ask(0)["status"]


def test_again(account, follow):
    """A failed video that is retried is gone while it waits, and comes back with its new verdict and attempt."""
    add_scan(account, "a.mp4", status=ScanStatus.OPEN)
    failed = add_record(account, "a.mp4", State.FAILED, code="throttled")
    add_report(account, [("a.mp4", True, "")])
    _, ask = follow()
    again = replace(failed, state=State.WAITING, problem=None, attempt=1)
    account.table.records.register(again, failed)

    gone = ask()
    finish(account, again, State.FLAGGED, labels=(LABEL,), counted=("Weapons",))
    back = ask(gone["number"])

    assert [video("a.mp4").id] == gone["gone"]
    assert ([], [("a.mp4", 1)]) == (back["gone"], [(each["key"], each["attempt"]) for each in back["flagged"]])
    assert ([], ["a.mp4"]) == (keys(back, "failed"), keys(ask(0)))


def test_another_browser(account, follow):
    """A browser that has seen nothing gets everything, one that has seen all gets nothing."""
    add_scan(account, "a.mp4", "b.mp4")
    add_flagged(account, "a.mp4")
    add_flagged(account, "b.mp4")
    add_report(account, [("a.mp4", True, ""), ("b.mp4", True, "")])
    _, ask = follow()

    everything = ask(0)

    assert {"a.mp4", "b.mp4"} == set(keys(everything))
    assert [] == keys(ask(everything["number"]))


def test_decisions_of_others(account, follow):
    """A decision that another person writes appears, and is gone again when it is withdrawn."""
    add_scan(account, "a.mp4")
    add_flagged(account, "a.mp4")
    add_report(account, [("a.mp4", True, "")])
    _, ask = follow()
    decision = theirs(account, "a.mp4")

    account.table.decisions.note_decisions([decision])
    one = ask()
    withdrawn = replace(decision, judgement=Judgement.WITHDRAWN, decided_at=account.clock.now())
    account.table.decisions.note_decisions([withdrawn])
    two = ask(one["number"])

    assert {video("a.mp4").id: "Bob"} == {video_id: each["decided_by"] for video_id, each in one["recorded"].items()}
    assert 1 == one["decided"]["flagged"]
    assert ({video("a.mp4").id: None}, 0) == (two["recorded"], two["decided"]["flagged"])


def theirs(account, key, scan_id=SCAN):
    """Return a decision that somebody else makes now."""
    return decision(key, scan_id=scan_id, decided_by="Bob", decided_at=account.clock.now())


def test_decision_in_another_scan(account, follow):
    """A decision that is made in another scan of the same content appears, too."""
    for scan_id in (LATER_SCAN, SCAN):
        add_scan(account, "a.mp4", scan_id=scan_id)
        add_flagged(account, "a.mp4", scan_id=scan_id)
    _, ask = follow()

    account.table.decisions.note_decisions([theirs(account, "a.mp4", LATER_SCAN)])

    assert [video("a.mp4").id] == list(ask()["recorded"])


@pytest.fixture(name="of_many")
def _of_many(account):
    """A review of 2,000 flagged videos, of which the table has the last, whose record this is."""
    with reviews_of_many(account, 2_000) as record:
        yield record


@pytest.fixture(name="of_20_000")
def _of_20_000(account):
    """The same with as many as a page shows."""
    with reviews_of_many(account) as record:
        yield record


def test_two_desks(account, of_20_000, entered):
    """With 20,000 videos on the page a decision that is made at one desk is on the other one's at its next poll."""
    with entered() as (_, one), entered() as (_, other):
        number = other.page()["desk"]["number"]
        account.clock.time += 3_600.0
        asked = {"id": of_20_000.video.id, "etag": ETAG, "attempt": 0, "decision": "false-alarm", "note": "", "before": None}
        (written,) = one.decide(asked)
        account.clock.time += POLL_SECONDS

        seen = other.json(f"/api/changes?scan={SCAN}&after={number}")["recorded"]

    assert written["outcome"] == "written"
    assert {of_20_000.video.id: ("Ada", "false-alarm")} == {
        name: (each["decided_by"], each["decision"]) for name, each in seen.items()
    }


def test_a_large_desk_reads_little(account, of_20_000, entered):
    """With 20,000 videos on the page a decision reads and writes what is of its own video."""
    asked = {"id": of_20_000.video.id, "etag": ETAG, "attempt": 0, "decision": "confirmed", "note": "", "before": None}
    with entered() as (_, browser):
        browser.page()
        calls, read = len(account.wire.calls), account.wire.items_read
        (written,) = browser.decide(asked)
        made = [name for name, _ in account.wire.calls[calls:]]
        items = account.wire.items_read - read
        shown = {each["id"]: each.get("recorded") for each in browser.page()["flagged"]}[of_20_000.video.id]

    assert ("written", "Ada") == (written["outcome"], shown["decided_by"])
    assert (1, True) == (made.count("TransactWriteItems"), len(made) <= 4), made
    assert items <= 4


def test_what_others_decide_is_read_once(account, of_many, follow):
    """A decision of another person is read when the index first names it; the polls after that read the index alone for it."""
    _, ask = follow()
    account.table.decisions.note_decisions([theirs(account, "last.mp4")])
    read = len(account.wire.of("BatchGetItem"))

    found = [(len(ask()["recorded"]), len(account.wire.of("BatchGetItem")) - read) for _ in range(3)]

    assert [(1, 3), (1, 5), (1, 7)] == found


def test_an_index_that_lags(account, of_many, follow):
    """A decision that the index names only minutes after it was written appears all the same."""
    lags = [True]
    nothing = {"Items": [], "Count": 0}
    account.wire.answer("Query", lambda given: nothing if lags and given.get("IndexName") == "by_scan" else None)
    _, ask = follow()
    account.table.decisions.note_decisions([theirs(account, "last.mp4")])
    missed = ask()["recorded"]
    account.clock.time += 240.0
    missed |= ask()["recorded"]
    lags.clear()

    assert ({}, [of_many.video.id]) == (missed, list(ask()["recorded"]))


@pytest.mark.parametrize("seconds", [-600.0, 600.0])
def test_clocks_that_differ(account, of_many, follow, seconds):
    """A desk whose clock is as far off as AWS lets two differ is followed by the others."""
    _, ask = follow()
    for _ in range(3):
        ask()
    account.clock.time += seconds
    account.table.decisions.note_decisions([theirs(account, "last.mp4")])
    account.clock.time -= seconds

    assert [of_many.video.id] == list(ask()["recorded"])


def test_a_file_of_old_decisions(account, of_many, follow):
    """A decision that was made a month before it is applied appears when it is written."""
    _, ask = follow()

    account.table.decisions.note_decisions([replace(theirs(account, "last.mp4"), decided_at=account.clock.now() - 2_592_000)])

    assert [of_many.video.id] == list(ask()["recorded"])


def test_a_pause_of_days(account, of_many, follow):
    """A desk at which no one looked for days, as on a closed laptop, finds all that was decided meanwhile."""
    _, ask = follow()
    account.table.decisions.note_decisions([theirs(account, "last.mp4")])

    account.clock.time += 259_200.0

    assert [of_many.video.id] == list(ask()["recorded"])


def test_a_look_that_fails(account, of_many, follow):
    """What a look that AWS refused did not read is read by the next one."""
    _, ask = follow()
    ask()
    account.table.decisions.note_decisions([theirs(account, "last.mp4")])
    refused = [http_error("ExpiredTokenException", 400)]
    account.wire.answer("BatchGetItem", lambda _: refused.pop() if refused else None)
    with pytest.raises(ClientError):
        ask()
    account.clock.time += 7_200.0

    assert [of_many.video.id] == list(ask()["recorded"])


@pytest.mark.parametrize("kept", ["no log", "log without the key of the index"])
def test_a_former_program(account, follow, kept):
    """What programs of former versions write, which no index has, is found in turn."""
    add_scan(account, "a.mp4")
    add_flagged(account, "a.mp4")
    _, ask = follow()
    decision = theirs(account, "a.mp4")
    former = [decision_item(decision), *([log_item(decision, None)] if kept != "no log" else [])]
    account.table.decisions._table.put_all(former)

    assert [video("a.mp4").id] == list(ask()["recorded"])


def test_own_decision_while_a_record_is_read(account, follow, monkeypatch):
    """A decision that this desk writes while it reads a record and its decision is not shown as taken back."""
    waited = waiting(account, "a.mp4")[0]
    review, ask = follow()
    finish(account, waited, State.FLAGGED, labels=(LABEL,), counted=("Weapons",))
    ask()
    mine = theirs(account, "a.mp4")
    read = review._decisions

    def slow(outcomes):
        found = read(outcomes)
        review.note_decision(mine.video.id, mine)
        return found

    monkeypatch.setattr(review, "_decisions", slow)

    assert mine.judgement is review.read_again(mine.video.id).decision.judgement


def test_own_decision_meanwhile(account, of_many, follow, monkeypatch):
    """A decision that this desk writes while it reads those of others is not taken back by what was read before it."""
    review, ask = follow()
    account.table.decisions.note_decisions([theirs(account, "last.mp4")])
    mine = replace(theirs(account, "last.mp4"), decided_by="Ada", decided_at=account.clock.now() + 1.0)
    read = type(account.table.decisions).decisions

    def overtaken(self, contents):
        found = list(read(self, contents))
        review.note_decision(of_many.video.id, mine)
        return iter(found)

    monkeypatch.setattr(type(account.table.decisions), "decisions", overtaken)

    assert ["Ada"] == [each["decided_by"] for each in ask()["recorded"].values()]


def test_sample(account, follow):
    """A clean video is shown if it was drawn; another one that becomes clean is only counted."""
    add_scan(account, "a.mp4", "b.mp4", status=ScanStatus.OPEN)
    add_record(account, "a.mp4", State.CLEAN)
    other = add_record(account, "b.mp4", State.WAITING)
    add_report(account, [("a.mp4", True, ""), ("b.mp4", True, "")])
    _, ask = follow(sample=5)
    assert ["a.mp4"] == keys(ask(0), "clean")

    finish(account, other, State.CLEAN)

    assert (["a.mp4"], 2) == (keys(ask(0), "clean"), counted(ask(0))["clean"])


def test_what_a_poll_reads(account, follow):
    """However many videos a closed scan shows, a poll is five requests, and of records and decisions it reads a hundred."""
    names = [f"{number:03}.mp4" for number in range(250)]
    add_scan(account, *names)
    for name in names:
        add_flagged(account, name)
    add_report(account, [(name, True, "") for name in names])
    _, ask = follow()
    requests, items = len(account.wire.requests), account.wire.items_read

    ask()

    assert ["GetItem", "Query", "Query", "BatchGetItem", "BatchGetItem"] == account.wire.requests[requests:]
    assert account.wire.items_read - items < 180
    assert 100 == max(len(each["RequestItems"]["videos"]["Keys"]) for each in account.wire.of("BatchGetItem")[-1:])


def test_each_in_turn(account, follow):
    """Every video's decision is looked up within a few polls, also one that a former version writes, which no log has."""
    names = [f"{number:03}.mp4" for number in range(250)]
    add_scan(account, *names)
    for name in names:
        add_flagged(account, name)
    _, ask = follow()
    account.table.decisions._table.put_all([decision_item(theirs(account, name)) for name in names])

    found = [len(ask()["recorded"]) for _ in range(3)]

    assert [100, 200, 250] == found


def test_many_browsers(account, follow):
    """However many browsers ask within a poll, the table is read once."""
    add_scan(account, "a.mp4")
    review, ask = follow()
    ask(0)
    before = len(account.wire.requests)

    for _ in range(50):
        review.changes(0)

    assert before == len(account.wire.requests)


def test_many_at_once(account, follow, monkeypatch):
    """Of more new verdicts than are read at a time the rest comes with the next polls, each once."""
    monkeypatch.setattr(live_review, "MOST_RECORDS", 3)
    records = waiting(account, *(f"{number}.mp4" for number in range(8)))
    _, ask = follow()
    for record in records:
        finish(account, record, State.FLAGGED, labels=(LABEL,), counted=("Weapons",))

    number, found = None, []
    for _ in range(4):
        changed = ask(number)
        number = changed["number"]
        found.append(keys(changed))

    assert [3, 3, 2, 0] == [len(each) for each in found]
    assert 8 == len({key for each in found for key in each})


def test_lagging_index(account, follow, monkeypatch):
    """An index that does not have a new verdict yet is read again with the next poll."""
    (record,) = waiting(account, "a.mp4")
    _, ask = follow()
    finish(account, record, State.FLAGGED, labels=(LABEL,), counted=("Weapons",))
    with monkeypatch.context() as patched:
        patched.setattr(type(account.table.records), "in_state", lambda *_: iter(()))
        assert [] == keys(ask())

    assert ["a.mp4"] == keys(ask())


def test_a_page_of_an_earlier_desk(account, follow):
    """A page that a closed desk made is told so: the numbers of its labels are not those of this desk."""
    waiting(account, "a.mp4")
    former, _ = follow()
    account.clock.time += 60.0
    review, ask = follow()
    _, number = former.page()

    for unknown in (number, review.page()[1] + 1):
        with pytest.raises(RefusedError, match="a desk that was closed") as error:
            ask(unknown)

        assert 409 == error.value.status


def test_the_page_later(account, follow):
    """A page that is loaded later has what came meanwhile, numbers labels as the first one did, and says what it has seen."""
    (record,) = waiting(account, "a.mp4")
    review, ask = follow()
    finish(account, record, State.FLAGGED, labels=(LABEL,), counted=("Weapons",))
    changed = ask()

    data, number = review.page()

    assert (changed["flagged"], changed["number"]) == (data.values["flagged"], number)
    assert changed["labels"] == data.values["labels"]


def test_what_a_page_costs(account, follow, monkeypatch):
    """A page that is loaded again describes only the videos that have changed since."""
    add_scan(account, "a.mp4", "b.mp4")
    for name in ("a.mp4", "b.mp4"):
        add_flagged(account, name)
    review, _ = follow()
    described, of_describer = [], Describer.flagged
    monkeypatch.setattr(
        Describer, "flagged", lambda self, each: described.append(each.outcome.video.key) or of_describer(self, each)
    )
    mine = theirs(account, "b.mp4")

    review.note_decision(mine.video.id, mine)
    pages = [review.page()[0].values["flagged"] for _ in range(2)]

    assert ["b.mp4"] == described
    assert [{"a.mp4": None, "b.mp4": "Bob"}] * 2 == [
        {each["key"]: each.get("recorded", {}).get("decided_by") for each in page} for page in pages
    ]

"""Decisions at the desk: written at once, each if what is stored is still what the browser saw."""

import json
import threading
from contextlib import closing, suppress
from dataclasses import replace

import pytest

from handlers.domain.states import State
from tests.tools.conftest import http_error
from tests.tools.review_doubles import (
    ETAG,
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


@pytest.fixture(name="desk")
def _desk(account, entered):
    """A desk with three flagged videos, one failed and one left out; and a browser that was let in."""
    add_scan(account, "a.mp4", "b.mp4", "c.mp4", "bad.mp4", "unread.mp4")
    for key in ("a.mp4", "b.mp4", "c.mp4"):
        add_flagged(account, key)
    add_record(account, "bad.mp4", State.FAILED, code="throttled")
    add_record(account, "unread.mp4", State.FAILED, code="forbidden", facts=None)
    add_report(account, [(key, True, "") for key in ("a.mp4", "b.mp4", "c.mp4", "bad.mp4", "unread.mp4")])
    set_aside(account, [("odd.mp4", "", "codec", "it is VP9", "e" * 32, "7")])
    with entered() as (served, browser):
        yield served, browser


@pytest.fixture(name="spanish")
def _spanish(account, entered):
    """A browser at the desk of a deployment whose page is Spanish."""
    account.cloudformation.delete_stack(StackName="VideoModeration")
    account.deploy(Language="es")
    add_scan(account, "a.mp4", "b.mp4", "c.mp4")
    for key in ("a.mp4", "b.mp4", "c.mp4"):
        add_flagged(account, key)
    with entered() as (_, browser):
        yield browser


def decision(key="a.mp4", **changed):
    """Return a decision as the page sends it."""
    return {"id": video(key).id, "etag": ETAG, "attempt": 0, "decision": "confirmed", "note": "", "before": None} | changed


def stored(account, key="a.mp4"):
    """Return the decision about a video that the table holds now."""
    found = account.table.decisions.decisions_about(video(key))
    return found[0] if found else None


def test_written(account, desk):
    """A decision is in the table when it is answered, with who, when and what; a review made later shows it."""
    served, browser = desk

    (result,) = browser.decide(decision(note="at 0:03"), by=" Ada ")

    recorded = {"decision": "confirmed", "note": "at 0:03", "decided_by": "Ada", "decided_at": "2025-10-09T08:53:20.000Z"}
    assert {"id": video("a.mp4").id, "outcome": "written", "recorded": recorded, "reason": None, "cure": None} == result
    assert ("Ada", "at 0:03", SCAN, 0) == tuple(
        getattr(stored(account), name) for name in ("decided_by", "note", "scan_id", "attempt")
    )
    assert {"confirmed": 1} == {name: n for name, n in output_of(review(account, "--json"))["decided"]["flagged"].items() if n}
    assert 1 == served.server.decisions


def test_few_requests(account, desk):
    """A decision that is written takes two requests to AWS, however many videos the desk shows."""
    _, browser = desk
    before = len(account.wire.requests)

    browser.decide(decision())

    assert ["BatchGetItem", "TransactWriteItems"] == account.wire.requests[before:]


def test_conflict(account, desk):
    """Of two who saw no decision the first one's is written; the second is told who was first, and what."""
    _, browser = desk
    browser.decide(decision(), by="Ada")
    account.clock.time += 60.0

    (result,) = browser.decide(decision(decision="false-alarm"), by="Bob")

    assert ("conflict", "Ada", "confirmed") == (result["outcome"], result["recorded"]["decided_by"], result["recorded"]["decision"])
    assert "Ada decided first" in result["reason"]
    assert "Ada" == stored(account).decided_by


def test_another_process(account, desk):
    """A decision that another program wrote is a conflict, too, though the desk has not read it yet."""
    _, browser = desk
    browser.decide(decision("b.mp4"))
    theirs = stored(account, "b.mp4")
    account.table.decisions.note_decisions([replace(theirs, video=video("a.mp4"))])

    (result,) = browser.decide(decision(decision="false-alarm"), by="Bob")

    assert ("conflict", "Ada") == (result["outcome"], result["recorded"]["decided_by"])
    assert video("a.mp4").id in browser.json(f"/api/changes?scan={SCAN}&after=0")["recorded"]


def test_in_the_language_of_the_page(account, spanish):
    """On a Spanish page the desk refuses in Spanish: what the server finds, what contradicts the record, and what AWS refuses."""
    browser = spanish

    (unknown, again) = browser.decide(decision(id="0" * 32), decision(attempt=1))
    browser.decide(decision("b.mp4"), by="Ana")
    (second,) = browser.decide(decision("b.mp4", decision="false-alarm"), by="Eva")
    account.wire.answer("BatchGetItem", lambda _: http_error("ExpiredTokenException", 400, "The security token is expired"))
    expired = browser.post("/api/decisions", {"scan": SCAN, "decided_by": "Ana", "decisions": [decision("c.mp4")]})
    stranger = browser.ask("/", Host="evil.example")

    assert "La mesa de revisión no muestra ese video." == unknown["reason"]
    assert again["reason"].startswith("se analizó otra vez: ")
    assert "Ana decidió primero." == second["reason"]
    assert (502, True) == (expired.status, "credenciales de AWS caducaron" in json.loads(expired.data)["reason"])
    assert json.loads(stranger.data)["reason"].startswith("La mesa de revisión no responde")


def test_again(account, desk):
    """A person who saw the decision may change it, also within the same millisecond."""
    _, browser = desk
    (first,) = browser.decide(decision())

    (second,) = browser.decide(decision(decision="false-alarm", before=first["recorded"]["decided_at"]))

    assert ("written", "false-alarm") == (second["outcome"], stored(account).judgement)
    assert first["recorded"]["decided_at"] < second["recorded"]["decided_at"]


def test_before_another(desk):
    """Whoever saw an older decision than the one that is stored does not overwrite it."""
    _, browser = desk
    (first,) = browser.decide(decision())
    browser.decide(decision(decision="false-alarm", before=first["recorded"]["decided_at"]), by="Bob")

    (third,) = browser.decide(decision(decision="confirmed", note="3", before=first["recorded"]["decided_at"]), by="Eve")

    assert ("conflict", "Bob") == (third["outcome"], third["recorded"]["decided_by"])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"attempt": 1}, "it was analysed again: the record is of attempt 0, the decision of 1."),
        ({"etag": "f" * 32}, "another object was analysed"),
        ({"id": "0" * 32}, "The desk shows no such video"),
        ({"id": None}, "The desk shows no such video"),
        ({"decision": "maybe"}, 'decision is "maybe"'),
        ({"note": "x" * 2001}, "note is"),
        ({"note": 1}, "note is"),
        ({"note": "\ud800"}, "note is"),
        ({"before": 1}, '"before" must be null'),
        ({"before": "2025-01-01"}, '"before" must be null'),
        ({"etag": None}, "etag is missing"),
        ({"attempt": True}, "attempt is true"),
    ],
)
def test_refused(account, desk, changed, reason):
    """What contradicts the record or breaks a rule is refused with its reason, and the others of the request are written."""
    _, browser = desk

    refused, written = browser.decide(decision(**changed), decision("b.mp4"))

    assert ("refused", "written") == (refused["outcome"], written["outcome"])
    assert reason in refused["reason"]
    assert refused["cure"]
    assert stored(account) is None


def test_analysed_again(account, desk):
    """A video that is analysed again while somebody looks is not decided about; the browser is told what it is now."""
    _, browser = desk
    record = account.table.records.record(video("bad.mp4").id, SCAN)
    account.table.records.register(replace(record, attempt=1, state=State.WAITING, problem=None), record)

    (result,) = browser.decide(decision("bad.mp4"))

    assert ("refused", True) == (result["outcome"], "it was analysed again" in result["reason"])
    assert [video("bad.mp4").id] == browser.json(f"/api/changes?scan={SCAN}&after=0")["gone"]


def test_not_read(desk):
    """What nothing has read cannot be decided about: it is not known which content that would be."""
    _, browser = desk

    (result,) = browser.decide(decision("unread.mp4"))

    assert ("refused", True) == (result["outcome"], "its etag is unknown" in result["reason"])


def test_left_out(account, desk):
    """An object that was left out of the job gets its record when it is decided about, as by `apply`."""
    _, browser = desk

    (result,) = browser.decide(decision("odd.mp4", etag="e" * 32))

    assert "written" == result["outcome"], result
    assert ("codec", "it is VP9") == (
        (problem := account.table.records.record(video("odd.mp4").id, SCAN).problem).code,
        problem.message,
    )


def test_failed(account, desk):
    """A failed video is decided about like any other."""
    _, browser = desk

    assert "written" == browser.decide(decision("bad.mp4", decision="false-alarm"))[0]["outcome"]
    assert "false-alarm" == stored(account, "bad.mp4").judgement


def test_same_video_twice(account, desk):
    """Of two decisions about one video in a request the first is written, the second is refused."""
    _, browser = desk

    first, second = browser.decide(decision(), decision(decision="false-alarm"))

    assert ("written", "refused") == (first["outcome"], second["outcome"])
    assert "confirmed" == stored(account).judgement


def test_undo(account, desk):
    """A decision is taken back by another one: nothing is deleted, nothing stands, and the log has both."""
    _, browser = desk
    (first,) = browser.decide(decision(note="a nipple"))
    account.clock.time += 1.0
    number = browser.json(f"/api/changes?scan={SCAN}&after=0")["number"]

    (taken_back,) = browser.decide(decision(decision="withdrawn", before=first["recorded"]["decided_at"]))

    assert ("written", "withdrawn") == (taken_back["outcome"], taken_back["recorded"]["decision"])
    assert {video("a.mp4").id: None} == browser.json(f"/api/changes?scan={SCAN}&after={number}")["recorded"]
    assert 0 == output_of(review(account, "--json"))["decided"]["flagged"]["confirmed"]
    log = browser.json(f"/api/log?scan={SCAN}&id={video('a.mp4').id}")["log"]
    assert [("confirmed", "a nipple"), ("withdrawn", "")] == [(each["decision"], each["note"]) for each in log]
    before = {"decision": "confirmed", "decided_by": "Ada", "decided_at": first["recorded"]["decided_at"]}
    assert [None, before] == [each["before"] for each in log]


@pytest.mark.parametrize("seen", ["none", "the withdrawn one"])
def test_after_undo(account, desk, seen):
    """After a withdrawn decision, whose clock was ahead, another is written, whichever way the browser names what it saw."""
    _, browser = desk
    account.clock.time += 500.0
    (first,) = browser.decide(decision())
    (taken_back,) = browser.decide(decision(decision="withdrawn", before=first["recorded"]["decided_at"]))
    account.clock.time -= 500.0

    before = None if seen == "none" else taken_back["recorded"]["decided_at"]
    (again,) = browser.decide(decision(decision="false-alarm", before=before))

    assert ("written", "false-alarm") == (again["outcome"], stored(account).judgement), again
    assert taken_back["recorded"]["decided_at"] < again["recorded"]["decided_at"]


def test_withdrawn_meanwhile(account, desk):
    """Whoever saw a decision that was taken back meanwhile is told so."""
    _, browser = desk
    (first,) = browser.decide(decision())
    browser.decide(decision(decision="withdrawn", before=first["recorded"]["decided_at"]), by="Bob")

    (result,) = browser.decide(decision(decision="false-alarm", before=first["recorded"]["decided_at"]))

    assert ("conflict", "withdrawn") == (result["outcome"], result["recorded"]["decision"])
    assert "withdrawn meanwhile" in result["reason"]


def test_a_hundred(account, entered):
    """A hundred decisions are written by one request, and no more are taken."""
    keys = [f"{number:03}.mp4" for number in range(101)]
    add_scan(account, *keys)
    for key in keys:
        add_flagged(account, key)
    with entered() as (_, browser):
        results = browser.decide(*(decision(key) for key in keys[:100]))
        answer = browser.post("/api/decisions", {"scan": SCAN, "decided_by": "Ada", "decisions": [decision(key) for key in keys]})

    assert {"written"} == {result["outcome"] for result in results}
    assert (400, True) == (answer.status, "at most 100" in json.loads(answer.data)["reason"])
    assert stored(account, keys[100]) is None


def test_two_browsers(account, entered, serving):
    """Two people at two desks decide about the same videos at the same moment: each has one decision, and one conflict."""
    keys = [f"{number}.mp4" for number in range(20)]
    add_scan(account, *keys)
    for key in keys:
        add_flagged(account, key)
    outcomes = {}
    with entered() as (_, ada), serving() as other:
        bob = other.browser()
        bob.enter(other.address)

        def decide(name, browser, judgement):
            outcomes[name] = [browser.decide(decision(key, decision=judgement), by=name)[0]["outcome"] for key in keys]

        people = [threading.Thread(target=decide, args=each) for each in (("Ada", ada, "confirmed"), ("Bob", bob, "false-alarm"))]
        for person in people:
            person.start()
        for person in people:
            person.join()

    for key, *both in zip(keys, outcomes["Ada"], outcomes["Bob"], strict=True):
        assert ["conflict", "written"] == sorted(both)
        assert stored(account, key).decided_by == ("Ada" if both[0] == "written" else "Bob")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b"[]", 400),
        (b'{"decided_by": "Ada", "decisions": {}}', 400),
        (b'{"decided_by": "Ada", "decisions": [1]}', 400),
        (b'{"decided_by": "  ", "decisions": []}', 400),
        (b'{"decisions": []}', 400),
        (b'{"scan": "01K742SG00000G40R40M30E20Z", "decided_by": "Ada", "decisions": []}', 404),
        (b'{"scan": ["x"], "decided_by": "Ada", "decisions": []}', 404),
        (b" " * 3_000_000, 413),
    ],
    ids=range(12),
)
def test_bad_bodies(desk, body, status):
    """A body that is not what the page sends, or is too large, is refused with its reason, and the desk goes on."""
    served, browser = desk

    answer = browser.post("/api/decisions", body)

    assert status == answer.status, answer.data
    assert {"reason", "cure"} == json.loads(answer.data).keys()
    assert "" == served.output.getvalue().partition("Error")[1]
    assert "written" == browser.decide(decision())[0]["outcome"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonx"]
)
def test_form(account, desk, kind):
    """A body that a form of any page could send is refused by its type."""
    _, browser = desk

    answer = browser.post("/api/decisions", {"scan": SCAN, "decided_by": "A", "decisions": [decision()]}, Content_Type=kind)

    assert 415 == answer.status
    assert stored(account) is None


def test_endless_body(desk):
    """A body that does not end is cut off at the limit, and not kept in memory."""
    _, browser = desk
    connection = browser.connect()
    headers = {"Cookie": browser.cookie, "Origin": browser.origin, "Content-Type": "application/json"}

    with closing(connection), suppress(BrokenPipeError, ConnectionResetError):  # it is cut off while more is sent
        connection.request("POST", "/api/decisions", (b" " * 65_536 for _ in range(1_000)), headers, encode_chunked=True)
        assert 413 == connection.getresponse().status

    assert "written" == browser.decide(decision())[0]["outcome"]


def test_aws_fails(account, desk, errors):
    """Where AWS does not answer, the browser is told so with a cure, the terminal too, and nothing is taken for written."""
    served, browser = desk
    account.wire.answer("TransactWriteItems", lambda _: errors.http("AccessDeniedException", 400, "no"))

    answer = browser.post("/api/decisions", {"scan": SCAN, "decided_by": "Ada", "decisions": [decision()]})

    assert 502 == answer.status
    assert "your credentials may not do this" in json.loads(answer.data)["reason"]
    assert "your credentials may not do this" in served.output.getvalue()


def test_aws_fails_in_the_midst(account, entered, errors):
    """Where AWS fails after a part of a group was written, that part is said to be written, and the rest not to be."""
    keys = [f"{number:03}.mp4" for number in range(60)]
    add_scan(account, *keys)
    for key in keys:
        add_flagged(account, key)
    add_report(account, [(key, True, "") for key in keys])
    with entered() as (served, browser):
        answers = iter([None])
        account.wire.answer("TransactWriteItems", lambda _: next(answers, errors.http("AccessDeniedException", 400, "no")))

        results = browser.decide(*(decision(key) for key in keys))

    assert ["written"] * 25 + ["refused"] * 35 == [each["outcome"] for each in results]
    assert [key for key in keys if stored(account, key)] == keys[:25]
    assert "your credentials may not do this" in results[-1]["reason"]
    assert "your credentials may not do this" in served.output.getvalue()
    assert 25 == served.server.decisions

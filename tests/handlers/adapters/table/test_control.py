"""Settings, notes and the sweeper's lease: what each write changes, and what it leaves."""

import pytest

from handlers.adapters.table import LaneWatch, MailWatch, Outcome
from handlers.domain.record import Settings
from handlers.domain.states import Lane

DONE, BEFORE = Outcome.DONE, Outcome.DONE_BEFORE


@pytest.mark.parametrize("mail", [False, True])
def test_pause(table, clock, mail):
    """A pause has who, why and since when, and perhaps a mail; a second one changes nothing."""
    outcomes = [table.control.pause("Ada", "lunch", mail=mail)]
    paused_at = clock.now()
    clock.sleep(5)
    outcomes.append(table.control.pause("Grace", "tea", mail=True))

    expected = Settings(paused=True, paused_by="Ada", paused_reason="lunch", paused_at=paused_at, mail_due=mail)
    assert ([DONE, BEFORE], expected) == (outcomes, table.control.settings())


def test_resume(table):
    """After a resume nothing of the pause is left, nor of the refusals before it; the slots stay."""
    table.control.set_slots(7)
    table.control.count_refused("a")
    table.control.pause("Ada", "lunch", mail=True)

    assert [DONE, BEFORE] == [table.control.resume(), table.control.resume()]
    assert Settings(slots=7) == table.control.settings()


def test_mail_of_a_pause(table):
    """The mail of a pause is due until it was sent, once."""
    assert BEFORE is table.control.pause_mail_sent()
    table.control.pause("breaker", "no", mail=True)

    assert [DONE, BEFORE] == [table.control.pause_mail_sent() for _ in range(2)]
    assert (True, False) == ((settings := table.control.settings()).paused, settings.mail_due)


def test_refusals(table):
    """Refused Starts are counted by their videos, until one is accepted."""
    counts = [table.control.count_refused(video) for video in "aab"]
    settings = table.control.settings()
    table.control.forget_refused()

    assert ([1, 1, 2], 3, {"a", "b"}) == (counts, settings.refused_in_row, set(settings.refused_videos))
    assert (Settings(), 1) == (table.control.settings(), table.control.count_refused("c"))


def test_never_written(table):
    """Before anything was written there are no settings, and nothing is noted of lanes and mails."""
    assert (None, LaneWatch(), MailWatch()) == (
        table.control.settings(),
        table.control.lane_watch(Lane.NORMAL),
        table.control.mail_watch(),
    )


def test_notes(table):
    """Notes come back as they were written, each lane's by itself."""
    lane, mail = LaneWatch(3, 4, 5.5, 6.5), MailWatch(reached=True, none_since=1.5, none_until=2.5)
    table.control.note_lane(Lane.EXPRESS, lane)
    table.control.note_mail(mail)

    assert (lane, LaneWatch(), mail) == (
        table.control.lane_watch(Lane.EXPRESS),
        table.control.lane_watch(Lane.NORMAL),
        table.control.mail_watch(),
    )


@pytest.mark.parametrize(("seconds", "is_taken"), [(59, False), (60, False), (61, True)])
def test_lease(table, clock, seconds, is_taken):
    """A lease is another's once it has ended, by whole seconds; who has it may take it again, as the SDK does."""
    taken = [table.control.take_lease("a", clock.now() + 60) for _ in range(2)]
    clock.sleep(seconds)

    assert ([True, True], is_taken) == (taken, table.control.take_lease("b", clock.now() + 60))


@pytest.mark.parametrize(("holder", "is_free"), [("a", True), ("b", False)])
def test_lease_that_is_returned(table, clock, holder, is_free):
    """A lease is given back by who has it; returning another's, or none, does no harm."""
    table.control.return_lease("a")
    table.control.take_lease("a", clock.now() + 60)

    table.control.return_lease(holder)

    assert is_free is table.control.take_lease("c", clock.now() + 60)

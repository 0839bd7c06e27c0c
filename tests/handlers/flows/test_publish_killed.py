"""publish_verdict may die right before and right after any of its AWS calls: the consequences are those of an undisturbed one."""

from dataclasses import replace

import pytest

from handlers.domain.decision import Judgement
from handlers.domain.record import ObjectFacts
from handlers.domain.states import State
from tests.handlers.doubles import OTHER_SCAN
from tests.handlers.flows.publishing import PLAIN, VERSIONED, Scene
from tests.handlers.flows.test_publish import TAG, _world, decision  # noqa: F401 # the fixture
from tests.handlers.flows.test_sample import DiedError
from tests.handlers.flows.test_sample_killed import Deadly, Death

# Of an undisturbed function: in a bucket without versions it looks at the object before and after.
CALLS = {PLAIN: 10, VERSIONED: 8}
EVERY = [
    (bucket, number, moment) for bucket, calls in CALLS.items() for number in range(1, calls + 1) for moment in ("before", "after")
]


class Mortal(Scene):
    """A scene whose function can be made to die."""

    def __init__(self, world):
        self.death = Death()
        super().__init__(world, wrap=lambda client: Deadly(client, self.death))

    def die(self, number, moment):
        """Invoke the function, and have it die at a call."""
        self.death.order(number, moment)
        with pytest.raises(DiedError):
            self.deliver()
        self.death.at = None

    def until_done(self):
        """Let the messages come back, and the sweeper send what stays, for some minutes."""
        for _ in range(4):
            self.deliver()
            self.clock.time += 61
        assert [] == list(self.table.outbox.due())


@pytest.fixture(name="scene")
def _scene(world):
    return Mortal(world)


@pytest.mark.parametrize("bucket", CALLS)
def test_every_call_is_killed_at(scene, bucket):
    """The numbers of calls below are those that the function makes."""
    scene.final(scene.put(bucket), bucket)
    scene.death.order(0, "before")

    scene.deliver()

    assert CALLS[bucket] == scene.death.calls


@pytest.mark.parametrize(("bucket", "number", "moment"), EVERY)
def test_whoever_dies(scene, bucket, number, moment):
    """Tag and annotation are there, the event was put once or twice and says the same, and nothing stays in the outbox."""
    scene.final(scene.put(bucket), bucket)
    scene.die(number, moment)

    scene.until_done()

    found = scene.events_put()
    assert 1 <= len(found) <= 2
    assert all(event == found[0] for event in found)
    assert ({TAG: "FLAGS_FOUND"}, found[0][1]) == (scene.tags(bucket), scene.annotation(bucket))


@pytest.mark.parametrize(("bucket", "number", "moment"), EVERY)
def test_judged_anew_after_a_death(scene, bucket, number, moment):
    """A verdict that came after the death is what the object says in the end."""
    record = scene.final(scene.put(bucket), bucket)
    scene.die(number, moment)
    scene.clock.time += 5
    scene.table.records.judge_again(record, replace(record, state=State.CLEAN, policy_hash="p2", counted=()))

    scene.until_done()

    assert {TAG: "NO_FLAGS_FOUND"} == scene.tags(bucket)
    assert "NO_FLAGS_FOUND" == scene.annotation(bucket)["scanResultDetails"]["scanResultStatus"]


def withdrawn(scene):
    """Have a decision withdrawn that was made in an older scan than the one whose verdict holds again."""
    facts = scene.put()
    record = scene.final(facts)
    scene.clock.time += 60
    scene.final(facts, scan_id=OTHER_SCAN, state=State.CLEAN)
    scene.table.decisions.note_decisions([decision(record, Judgement.CONFIRMED, scene.clock.now())])
    scene.until_done()
    scene.table.decisions.note_decisions([decision(record, Judgement.WITHDRAWN, scene.clock.now())])
    scene.events.calls.clear()


# The calls of an undisturbed function that restores the verdict of another scan: it tells both.
RESTORING = 9


def test_every_call_of_a_withdrawal_is_killed_at(scene):
    """The number of calls below is that of the function."""
    withdrawn(scene)
    scene.death.order(0, "before")

    scene.deliver()

    assert RESTORING == scene.death.calls


@pytest.mark.parametrize("number", range(1, RESTORING + 1))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_withdrawn_despite_a_death(scene, number, moment):
    """The verdict that holds again is on the object and in the event that counts."""
    withdrawn(scene)
    scene.die(number, moment)

    scene.until_done()

    assert {TAG: "NO_FLAGS_FOUND"} == scene.tags()
    last = max((detail for _, detail in scene.events_put()), key=lambda each: (each["decision"]["decidedAt"], each["verdictTime"]))
    assert (OTHER_SCAN, last) == (last["scanId"], scene.annotation())


@pytest.mark.parametrize("number", range(1, CALLS[PLAIN] + 1))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_replaced_after_a_death(scene, number, moment):
    """Without versions, no content that was never looked at says that it is clean once the function was there again."""
    scene.final(scene.put(PLAIN), PLAIN, state=State.FLAGGED)
    [due] = scene.table.outbox.due()
    scene.die(number, moment)
    tags = [{"Key": key, "Value": value} for key, value in scene.tags(PLAIN).items()]
    scene.put(PLAIN, body=b"another")
    # As if it had been replaced just before the tag was written.
    scene.s3.put_object_tagging(Bucket=PLAIN, Key="a.mp4", Tagging={"TagSet": tags})

    scene.deliver([due])
    scene.until_done()

    assert {} == scene.tags(PLAIN)


def test_two_days_without_the_function(scene):
    """All of it is caught up."""
    facts = [scene.put(key=f"{number}.mp4", body=str(number).encode()) for number in range(30)]
    for number, each in enumerate(facts):
        scene.final(each, key=f"{number}.mp4")
        scene.clock.time += 2 * 86_400 / 30

    scene.until_done()

    assert {"FLAGS_FOUND"} == {scene.tags(key=f"{number}.mp4")[TAG] for number in range(30)}
    assert isinstance(facts[0], ObjectFacts)

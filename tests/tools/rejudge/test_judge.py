"""Judging one record again: what changes, and what must not be judged."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain import policy
from handlers.domain.identity import Video
from handlers.domain.record import Findings, LabelSummary, Peak, Record, StartParameters
from handlers.domain.states import State
from tools.lib.rejudge.judge import Blocked, Change, Judgement, Obstacle, judge

SCAN = "01JDEM00000000000000000001"
START = StartParameters(None, 50.0, "topic", "role")
ALCOHOL = LabelSummary("Alcohol", "", 1, 60.0, 1_000, 0)
DRINKING = LabelSummary("Drinking", "Alcohol Use", 3, 60.0, 1_000, 0)
WEAPONS = LabelSummary("Weapons", "Violence", 2, 95.0, 1_000, 0)


def policy_of(default=80, *, alert=True, **labels):
    """Return a policy with these confidences."""
    rules = {name: {"min_confidence": confidence, "alert": alert} for name, confidence in labels.items()}
    return policy.parse(json.dumps({"default": {"min_confidence": default, "alert": alert}, "labels": rules}))


SHIPPED = policy_of()


def judged_by(given_policy, *labels, **fields):
    """Return the record of a video with these labels as `completion` leaves it."""
    verdict = given_policy.judge(Findings((), labels, 1_000))
    return Record(
        Video("amzn-s3-demo-bucket", "a.mp4"),
        SCAN,
        verdict.state,
        start=START,
        labels=verdict.labels,
        gap_ms=1_000,
        counted=tuple(label.name for label in verdict.counted),
        policy_hash=given_policy.hash,
        hits_key="hits/x",
        hits_count=2,
        duration_ms=60_000,
        **fields,
    )


@pytest.mark.parametrize(
    ("labels", "new", "change", "now", "no_longer"),
    [
        ([ALCOHOL], policy_of(Alcohol=60), Change.FLAGGED, ["Alcohol"], []),
        ([ALCOHOL, DRINKING], policy_of(Alcohol=60), Change.FLAGGED, ["Drinking", "Alcohol"], []),
        ([WEAPONS], policy_of(Weapons=96), Change.CLEAN, [], ["Weapons"]),
        ([ALCOHOL, WEAPONS], policy_of(Weapons=96, Alcohol=50), Change.LABELS, ["Alcohol"], ["Weapons"]),
        ([ALCOHOL, WEAPONS], policy_of(Alcohol=50), Change.LABELS, ["Alcohol"], []),
        ([ALCOHOL, WEAPONS], policy_of(90), Change.NONE, [], []),
        ([], policy_of(50), Change.NONE, [], []),
    ],
)
def test_change(labels, new, change, now, no_longer):
    """A verdict changes as the labels do that count, and the judgement names them."""
    judgement = judge(judged_by(SHIPPED, *labels), new)

    assert (change, now, no_longer) == (
        judgement.change,
        [label.name for label in judgement.now_count],
        [label.name for label in judgement.no_longer],
    )
    assert new.hash == judgement.judged.policy_hash


LABELS = st.lists(
    st.builds(
        LabelSummary,
        st.sampled_from(["Alcohol", "Drinking", "Weapons", "Violence", "New"]),
        st.sampled_from(["", "Violence"]),
        st.integers(1, 3),
        st.floats(50, 100),
        st.just(500),
        st.just(0),
    ),
    unique_by=lambda label: label.name,
    max_size=4,
)
POLICIES = st.builds(
    policy_of,
    st.floats(50, 100),
    alert=st.booleans(),
    Alcohol=st.floats(50, 100),
    Violence=st.floats(50, 100),
)


@given(LABELS, POLICIES, POLICIES)
def test_as_if_judged_so_at_first(labels, old, new):
    """Judging again comes to what the new policy would have said at first, but for the mail."""
    record = judged_by(old, *labels)

    judgement = judge(record, new)

    assert judged_by(new, *labels) == judgement.judged
    assert (judgement.judged.state is State.FLAGGED) == bool(judgement.judged.counted)
    assert not judge(judgement.judged, new).to_write
    assert {label.name for label in judgement.now_count} == set(judgement.judged.counted) - set(record.counted)
    assert {label.name for label in judgement.no_longer} == set(record.counted) - set(judgement.judged.counted)


@pytest.mark.parametrize(
    ("before", "due", "new", "mail", "after"),
    [
        ([ALCOHOL], False, policy_of(60), False, False),
        ([ALCOHOL], False, policy_of(60), True, True),
        ([ALCOHOL], False, policy_of(60, alert=False), True, False),
        ([WEAPONS], True, policy_of(99), True, False),
        ([WEAPONS], True, policy_of(90), False, True),
        ([WEAPONS], True, policy_of(90, alert=False), False, False),
        ([WEAPONS], False, policy_of(90), True, False),
    ],
)
def test_mail(before, due, new, mail, after):
    """Only the newly flagged are mailed, only if asked for; a due mail is dropped where the policy wants none any more."""
    judgement = judge(judged_by(SHIPPED, *before, mail_due=due), new, mail=mail)

    assert after == judgement.judged.mail_due


@pytest.mark.parametrize(
    ("changed", "new", "obstacle", "rules"),
    [
        ({"hits_key": None}, policy_of(), Obstacle.NO_HITS, ()),
        ({"start": None}, policy_of(), Obstacle.NO_START, ()),
        ({}, policy_of(49.9), Obstacle.BLIND, (None,)),
        ({}, policy_of(Alcohol=40, Weapons=90), Obstacle.BLIND, ("alcohol",)),
        ({"start": replace(START, min_confidence=85.0)}, policy_of(Alcohol=84), Obstacle.BLIND, (None, "alcohol")),
    ],
)
def test_blocked(changed, new, obstacle, rules):
    """A record is not judged without its evidence, nor by a rule for what Rekognition was not asked to report."""
    blocked = judge(replace(judged_by(SHIPPED, ALCOHOL), **changed), new)

    assert isinstance(blocked, Blocked)
    assert (obstacle, rules) == (blocked.obstacle, blocked.rules)


def test_at_the_floor():
    """A rule that counts from exactly what Rekognition reported from can be judged."""
    assert isinstance(judge(judged_by(SHIPPED, ALCOHOL), policy_of(50)), Judgement)


def test_the_first_hit_that_counts_is_found_again():
    """Under another policy a label is first seen at another hit, by the peaks that are kept of it."""
    weapons = replace(WEAPONS, peaks=(Peak(0, 55.0), Peak(20_000, 70.0), Peak(49_000, 95.0)))
    record = judged_by(SHIPPED, weapons)

    looser, stricter = (judge(record, policy_of(confidence)).judged for confidence in (60, 96))

    assert (49_000, 20_000, 0) == tuple(each.labels[0].first_ms for each in (record, looser, stricter))
    assert record == judge(looser, SHIPPED).judged

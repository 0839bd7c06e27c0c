"""A demo passes only where everything was found that its samples hold."""

import copy

import pytest

from tools.emulator.samples import demo_library
from tools.rehearsal.outcome import differences

SAMPLES = demo_library()


def segments(sample):
    """Return what is found of a sample's cards: each label, and the parent that Rekognition reports above it."""
    return [
        segment
        for card in sample.expected.labels
        for segment in ({"label": card.label, "parent": "Above"}, {"label": "Above", "parent": ""})
    ]


def review():
    """Return the review of a demo that went as it should."""
    lists = {state: [] for state in ("flagged", "failed", "ineligible", "skipped")}
    states = dict.fromkeys([*lists, "clean"], 0)
    for sample in SAMPLES:
        state = sample.expected.state.lower()
        if state in states:
            states[state] += 1
        if state in lists:
            lists[state].append({"key": sample.key, "reason": sample.expected.reason, "segments": segments(sample)})
    return {"states": states, **lists}


def everything_failed(told):
    """Let every analysis have failed, as where the decoder cannot be called."""
    told["failed"] += [{**video, "reason": "analysis-failed"} for video in told.pop("flagged")]
    told["flagged"] = []
    told["states"] |= {"flagged": 0, "clean": 0, "failed": 11}


def nothing_found(told):
    """Let every flagged video have come out clean."""
    told["states"] |= {"flagged": 0, "clean": told["states"]["clean"] + len(told["flagged"])}
    told["flagged"] = []


def another_label(told):
    """Let something else have been found in one video."""
    told["flagged"][0]["segments"][0]["label"] = "Pills"


def a_label_less(told):
    """Let one of two cards in a video have been missed."""
    video = next(video for video in told["flagged"] if len(video["segments"]) > 2)
    del video["segments"][:2]


def a_clean_one_less(told):
    """Let a clean video be in no state."""
    told["states"]["clean"] -= 1


def another_reason(told):
    """Let a video have failed for a reason of ours."""
    told["failed"][0]["reason"] = "start-unknown"


def swapped(told):
    """Let two videos have each other's outcome, so that all counts are right."""
    told["failed"][0]["key"], told["skipped"][0]["key"] = told["skipped"][0]["key"], told["failed"][0]["key"]


def test_what_the_samples_hold_is_no_difference():
    """A demo that went well has nothing to say."""
    assert [] == differences(review(), SAMPLES)


@pytest.mark.parametrize(
    "spoil", [everything_failed, nothing_found, another_label, a_label_less, a_clean_one_less, another_reason, swapped]
)
def test_each_difference_is_told(spoil):
    """Whatever was not found, or found where it is not, is told."""
    told = copy.deepcopy(review())

    spoil(told)

    assert differences(told, SAMPLES)


def test_a_state_that_no_sample_has_is_told():
    """An object too many is in no sample's count: its state is in the list all the same."""
    told = review()
    told["states"]["unfinished"] = 1
    told["states"]["clean"] -= 1

    assert ["4 clean instead of 5"] == differences(told, SAMPLES)

"""A demo passes only if it found everything that its samples contain."""

import copy

import pytest

from tools.emulator.samples import demo_formats, demo_library
from tools.rehearsal.outcome import differences

SAMPLES = (*demo_library(), *demo_formats())


def segments(sample):
    """Return the segments of a sample's cards: each label, and a parent that Rekognition reports with it."""
    return [
        segment
        for card in sample.expected.labels
        for segment in ({"label": card.label, "parent": "Above"}, {"label": "Above", "parent": ""})
    ]


def review():
    """Return the review of a demo that went well."""
    lists = {state: [] for state in ("flagged", "failed", "ineligible", "skipped")}
    states = dict.fromkeys([*lists, "clean"], 0)
    for sample in SAMPLES:
        state = sample.expected.state.lower()
        if state in states:
            states[state] += 1
        if state in lists:
            lists[state].append({"key": sample.key, "reason": sample.expected.reason, "segments": segments(sample)})
    return {"states": states, **lists}


def everything_failed(spoilt):
    """Make every analysis fail, as if the decoder could not be called."""
    spoilt["failed"] += [{**video, "reason": "analysis-failed"} for video in spoilt.pop("flagged")]
    spoilt["flagged"] = []
    spoilt["states"] |= {"flagged": 0, "clean": 0, "failed": 11}


def nothing_found(spoilt):
    """Make every flagged video clean."""
    spoilt["states"] |= {"flagged": 0, "clean": spoilt["states"]["clean"] + len(spoilt["flagged"])}
    spoilt["flagged"] = []


def another_label(spoilt):
    """Find something else in one video."""
    spoilt["flagged"][0]["segments"][0]["label"] = "Pills"


def a_label_less(spoilt):
    """Miss one of two cards in a video."""
    video = next(video for video in spoilt["flagged"] if len(video["segments"]) > 2)
    del video["segments"][:2]


def a_clean_one_less(spoilt):
    """Lose a clean video from the counts."""
    spoilt["states"]["clean"] -= 1


def another_reason(spoilt):
    """Make a video fail for another reason."""
    spoilt["failed"][0]["reason"] = "start-unknown"


def swapped(spoilt):
    """Swap the outcomes of two videos, so that all counts are right."""
    spoilt["failed"][0]["key"], spoilt["skipped"][0]["key"] = spoilt["skipped"][0]["key"], spoilt["failed"][0]["key"]


def test_a_demo_that_went_well_has_no_differences():
    """The expected outcome of every sample makes no sentence."""
    assert [] == differences(review(), SAMPLES)


def test_by_frames_other_outcomes_are_expected():
    """What a scan by the video API comes to is not what a scan by frames should: films in other formats are missing."""
    different = differences(review(), SAMPLES, by_frames=True)

    assert any("web/recording.webm is not flagged but clean" in sentence for sentence in different)
    assert any("failed because of analysis-failed, not because of undecodable" in sentence for sentence in different)


@pytest.mark.parametrize(
    "spoil", [everything_failed, nothing_found, another_label, a_label_less, a_clean_one_less, another_reason, swapped]
)
def test_each_difference_is_reported(spoil):
    """Whatever was missed, or found in the wrong place, is reported."""
    spoilt = copy.deepcopy(review())

    spoil(spoilt)

    assert differences(spoilt, SAMPLES)


def test_a_state_that_no_sample_has_is_reported():
    """An object in a state that no sample has is missing from the count of another state."""
    spoilt = review()
    spoilt["states"]["unfinished"] = 1
    spoilt["states"]["clean"] -= 1

    assert ["4 clean instead of 5"] == differences(spoilt, SAMPLES)

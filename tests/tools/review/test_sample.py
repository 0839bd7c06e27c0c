"""A sample of the clean videos: `review_report.py show` and `page` with --sample-clean, and the rate of misses."""

import json
import re
from dataclasses import replace
from math import comb

import pytest

from handlers.domain.decision import Judgement
from handlers.domain.languages import ENGLISH
from handlers.domain.record import LabelSummary
from handlers.domain.states import State
from tests.tools.review_doubles import (
    BUCKET,
    ETAG,
    HOSTILE,
    SCAN,
    add_flagged,
    add_record,
    add_scan,
    decision,
    output_of,
    review,
    video,
)
from tools.lib.review.join import ObjectResult, ObjectStatus
from tools.lib.review.sample import CleanSample, clopper_pearson

DECISION = decision("a.mp4")
CLEAN = [*(f"{number}.mp4" for number in range(20)), HOSTILE]


@pytest.fixture(name="scanned")
def _scanned(account):
    """Return an account with a scan of 21 clean videos, a flagged and a failed one."""
    add_scan(account, *CLEAN, "flagged.mp4", "failed.mp4")
    for key in CLEAN:
        add_record(account, key, State.CLEAN)
    add_flagged(account, "flagged.mp4")
    add_record(account, "failed.mp4", State.FAILED, code="analysis-failed")
    return account


def sample_of(account, *arguments):
    """Return the sample of a review as JSON."""
    return output_of(review(account, "--json", *arguments))["sample"]


def keys_of(sample):
    """Return the keys of a sample, in its order."""
    return [each["key"] for each in sample["videos"]]


def decide(account, folder, decisions):
    """Apply decisions (stored word by key), and return the result."""
    entries = [
        {
            "video_id": video(key).id,
            "bucket": BUCKET,
            "key": key,
            "version_id": None,
            "etag": ETAG,
            "attempt": 0,
            "decision": decision,
            "note": "",
            "decided_at": "2025-10-09T08:30:00.250Z",
        }
        for key, decision in decisions.items()
    ]
    path = folder / "decisions.json"
    file = {"format": "video-moderation-decisions-1", "scan": SCAN, "decided_by": "Ada", "decisions": entries}
    path.write_text(json.dumps(file), encoding="utf-8")
    return review(account, "apply", str(path))


def page_of(account, folder, *arguments):
    """Write a page, and return what its script reads."""
    review(account, "page", str(folder / "page.html"), *arguments)
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', (folder / "page.html").read_text())
    return json.loads(data)


# --- the draw -----------------------------------------------------------------------------------------------------------


def test_nothing_is_drawn_by_default(scanned, tmp_path):
    """Without the option there is no sample, no request for one, and nothing of it on the page."""
    data = page_of(scanned, tmp_path)

    assert sample_of(scanned) is None
    assert (None, []) == (data["sample"], data["clean"])


def test_only_clean_videos_are_drawn(scanned):
    """A sample has clean videos of the scan only, each once, and says by which seed."""
    sample = sample_of(scanned, "--sample-clean", "5")

    assert (5, 5, False) == (sample["drawn"], len(set(keys_of(sample))), sample["all_drawn"])
    assert set(keys_of(sample)) <= set(CLEAN)
    assert {ETAG} == {each["etag"] for each in sample["videos"]}


@pytest.mark.slow
def test_the_same_videos_are_drawn_again(scanned, tmp_path):
    """Review, JSON and page draw the same; another seed draws others, and the seed that is shown draws the same."""
    one, again = (sample_of(scanned, "--sample-clean", "5") for _ in range(2))
    other = sample_of(scanned, "--sample-clean", "5", "--seed", "7")
    seeded = sample_of(scanned, "--sample-clean", "5", "--seed", str(one["seed"]))
    shown = review(scanned, "show", "--sample-clean", "5").stdout

    assert one == again == seeded
    assert 7 == other["seed"]
    assert set(keys_of(one)) != set(keys_of(other))
    assert keys_of(one) == [each["key"] for each in page_of(scanned, tmp_path, "--sample-clean", "5")["clean"]]
    assert all(f"s3://{BUCKET}/{key}\n" in shown for key in keys_of(one) if key != HOSTILE)


def test_an_index_that_lags_changes_no_sample(scanned):
    """Where the index is wrong, what the table itself calls clean is drawn."""
    right = sample_of(scanned, "--sample-clean", "21")
    records = scanned.table.records
    named = [video(CLEAN[0]).id, video("flagged.mp4").id]
    query = type(records).in_state

    def lagging(self, scan_id, state, **more):
        found = set(query(self, scan_id, state, **more))
        if state is not State.CLEAN:
            return iter(found)
        return iter((found - {named[0]}) | ({named[1]} if more.get("shards", [0]) == [0] else set()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(records), "in_state", lagging)
        wrong = sample_of(scanned, "--sample-clean", "21")

    assert right == wrong
    assert sorted(CLEAN) == sorted(keys_of(wrong))


def test_a_row_that_is_repeated_is_drawn_once(account):
    """An object in two rows of the manifest is one video."""
    add_scan(account, "a.mp4", "b.mp4", "a.mp4")
    for key in ("a.mp4", "b.mp4"):
        add_record(account, key, State.CLEAN)

    assert ["a.mp4", "b.mp4"] == sorted(keys_of(sample_of(account, "--sample-clean", "9")))


@pytest.mark.parametrize("arguments", [["--sample-clean", "0"], ["--sample-clean", "5001"], ["--seed", "1"]])
def test_bad_usage(scanned, arguments):
    """A sample has 1 to 5,000 videos, and a seed chooses one."""
    assert 2 == review(scanned, "show", *arguments).exit_code


# --- what it says -------------------------------------------------------------------------------------------------------


def test_before_anyone_looked(scanned):
    """Without decisions there is no rate, and the review says how many are to be looked at."""
    sample = sample_of(scanned, "--sample-clean", "5")

    assert [0, 0, None, None, None] == [
        sample[name] for name in ("decided", "missed", "miss_rate_percent", "miss_rate_low_percent", "miss_rate_high_percent")
    ]
    assert "Still to be looked at: 5 of 5 sampled clean videos.\n" in review(scanned, "--sample-clean", "5").stdout


@pytest.mark.slow
def test_the_rate_of_misses(scanned, tmp_path):
    """Decisions about the sample make the rate, in review, JSON and page; what is left is counted."""
    first, second, *_ = keys_of(sample_of(scanned, "--sample-clean", "5"))

    applied = decide(scanned, tmp_path, {first: "confirmed", second: "false-alarm"})

    sample = sample_of(scanned, "--sample-clean", "5")
    shown = review(scanned, "--sample-clean", "5").stdout
    data = page_of(scanned, tmp_path, "--sample-clean", "5", "--language", "es")
    assert 0 == applied.exit_code
    assert (2, 1, 50.0) == (sample["decided"], sample["missed"], sample["miss_rate_percent"])
    assert (1.3, 98.7, 95.0) == (
        round(sample["miss_rate_low_percent"], 1),
        round(sample["miss_rate_high_percent"], 1),
        sample["confidence"],
    )
    assert (
        "  Sample: 1 of 2 looked at was missed. Of all clean videos of this scan that is between 1.3 % and 98.7 %, "
        "with 95 % confidence.\n"
        "  Still to be looked at: 3 of 5 sampled clean videos.\n"
    ) in shown
    assert ("missed by Ada" in shown, "cleared by Ada" in shown) == (True, True)
    assert "entre el 1,3 % y el 98,7 %" in data["sample"][0]
    assert {first: "confirmed", second: "false-alarm"} == {
        each["key"]: each["recorded"]["decision"] for each in data["clean"] if "recorded" in each
    }


@pytest.mark.slow
def test_what_was_not_drawn_does_not_count(scanned, tmp_path):
    """A decision about a clean video outside of the sample says nothing about all: someone had a reason to look at it."""
    drawn = keys_of(sample_of(scanned, "--sample-clean", "5"))
    other = next(key for key in CLEAN if key not in drawn)

    decide(scanned, tmp_path, {other: "confirmed", "flagged.mp4": "confirmed"})

    assert (0, 0) == tuple(sample_of(scanned, "--sample-clean", "5")[name] for name in ("decided", "missed"))


def test_all_were_looked_at(scanned, tmp_path):
    """Where every clean video was looked at, nothing is estimated."""
    decide(scanned, tmp_path, dict.fromkeys(CLEAN, "false-alarm") | {"0.mp4": "confirmed"})

    sample = sample_of(scanned, "--sample-clean", "100")

    assert (21, True) == (sample["drawn"], sample["all_drawn"])
    assert 100 / 21 == sample["miss_rate_percent"] == sample["miss_rate_low_percent"] == sample["miss_rate_high_percent"]
    assert "All clean videos were looked at: 1 of 21 were missed." in review(scanned, "--sample-clean", "100").stdout


def test_labels_that_do_not_count(account, tmp_path):
    """A drawn video stands on the page with what its decision must name, and with what was found below the policy's thresholds."""
    add_scan(account, "a.mp4")
    label = LabelSummary("Weapons", "Violence", 2, 55.0, 1_500, 2_000, counts_from=80.0)
    add_record(account, "a.mp4", State.CLEAN, labels=(label,), attempt=1)

    [entry] = page_of(account, tmp_path, "--sample-clean", "5")["clean"]

    assert (video("a.mp4").id, ETAG, 1, [[0, 55.0, 1_500, 2_000, 0]]) == tuple(
        entry[name] for name in ("id", "etag", "attempt", "labels")
    )


def test_a_video_that_is_flagged_now(scanned):
    """What another policy flagged leaves the sample, and the next video comes in its place."""
    first, *rest = keys_of(sample_of(scanned, "--sample-clean", "5"))
    record = scanned.table.records.record(video(first).id, SCAN)
    scanned.table.records.judge_again(record, replace(record, state=State.FLAGGED, policy_hash="other"))

    now = keys_of(sample_of(scanned, "--sample-clean", "5"))

    assert (rest, 5) == (now[:4], len(now))


# --- what a sample says -------------------------------------------------------------------------------------------------


def sampled(drawn, *judgements, whole=True):
    """Return a sample of some clean videos, the first of which were judged."""
    videos = []
    for number in range(drawn):
        outcome = ObjectResult(video(f"{number}.mp4"), ObjectStatus.CLEAN)
        if number < len(judgements):
            outcome = replace(outcome, decision=replace(DECISION, video=outcome.video, judgement=judgements[number]))
        videos.append(outcome)
    return CleanSample(7, tuple(videos), whole=whole)


OF_ALL, SURE = "Of all clean videos of this scan that is", "with 95 % confidence."
MISSED, CLEARED = Judgement.CONFIRMED, Judgement.FALSE_ALARM


@pytest.mark.parametrize(
    ("sample", "looked_at", "missed", "is_complete"),
    [
        (sampled(0), 0, 0, False),
        (sampled(1), 0, 0, False),
        (sampled(1, MISSED), 1, 1, True),
        (sampled(1, CLEARED), 1, 0, True),
        (sampled(2, MISSED), 1, 1, False),
        (sampled(3, MISSED, CLEARED, MISSED), 3, 2, True),
        (sampled(2, MISSED, CLEARED, whole=False), 2, 1, False),
    ],
)
def test_how_much_was_looked_at(sample, looked_at, missed, is_complete):
    """Nothing is estimated once every clean video of the scan was looked at, be it a single one; a part is an estimate."""
    assert (looked_at, missed, is_complete) == (sample.looked_at, sample.missed, sample.is_complete)
    share = missed / looked_at if looked_at else None
    interval = (share, share) if is_complete else clopper_pearson(missed, looked_at) if looked_at else None
    assert interval == sample.interval


@pytest.mark.parametrize(
    ("sample", "sentences"),
    [
        (sampled(0), ["Still to be looked at: 0 of 0 sampled clean videos."]),
        (sampled(1), ["Still to be looked at: 1 of 1 sampled clean video."]),
        (sampled(1, CLEARED), ["All clean videos were looked at: 0 of 1 were missed."]),
        (
            sampled(50, *[CLEARED] * 50, whole=False),
            [f"Sample: 0 of 50 looked at were missed. {OF_ALL} at most 7.1 %, {SURE}"],
        ),
        (
            sampled(50, MISSED, *[CLEARED] * 49, whole=False),
            [f"Sample: 1 of 50 looked at was missed. {OF_ALL} between 0.1 % and 10.6 %, {SURE}"],
        ),
        (
            sampled(3, CLEARED, whole=False),
            [
                f"Sample: 0 of 1 looked at were missed. {OF_ALL} at most 97.5 %, {SURE}",
                "Still to be looked at: 2 of 3 sampled clean videos.",
            ],
        ),
    ],
)
def test_sentences(sample, sentences):
    """What was missed is said, of all clean videos as far as the sample shows, and what is still to be looked at."""
    assert sentences == sample.sentences(ENGLISH)


def test_json_of_a_sample():
    """Rates are in percent, and null before any video was looked at; each video has what a decision about it needs."""
    none, some = sampled(2, whole=False).as_json(), sampled(2, MISSED, whole=False).as_json()

    rates = ("miss_rate_percent", "miss_rate_low_percent", "miss_rate_high_percent")
    assert ([None] * 3, 95.0) == ([none[name] for name in rates], none["confidence"])
    assert [100.0, 2.5, 100.0] == pytest.approx([some[name] for name in rates], abs=1e-3)
    assert (7, 2, False, 1, 1) == tuple(some[name] for name in ("seed", "drawn", "all_drawn", "decided", "missed"))
    first, second = some["videos"]
    assert (video("0.mp4").id, BUCKET, "0.mp4", None, 0) == tuple(
        first[name] for name in ("video_id", "bucket", "key", "etag", "attempt")
    )
    assert ("confirmed", None) == (first["decision"]["decision"], second["decision"])


# --- the interval -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [  # As binom.test of R gives them.
        (0, 50, 0.0, 0.07112174),
        (1, 50, 0.0005062, 0.1064695),
        (5, 50, 0.0332751, 0.2181354),
        (50, 50, 0.9288783, 1.0),
        (0, 1, 0.0, 0.975),
        (10, 10, 0.6915029, 1.0),
        (0, 5000, 0.0, 0.0007375),
    ],
)
def test_known_intervals(hits, trials, low, high):
    """The interval is the one that statistics programs give."""
    assert (low, high) == pytest.approx(clopper_pearson(hits, trials), abs=1e-6)


@pytest.mark.parametrize("trials", [1, 7, 30])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.97])
def test_the_interval_holds_the_true_rate(trials, share):
    """Over all that a sample may show, the interval holds the true rate at least as often as it says."""
    chances = {hits: comb(trials, hits) * share**hits * (1 - share) ** (trials - hits) for hits in range(trials + 1)}

    held = sum(
        chance for hits, chance in chances.items() if clopper_pearson(hits, trials)[0] <= share <= clopper_pearson(hits, trials)[1]
    )

    assert held >= 0.95


def test_more_misses_never_lower_the_rate():
    """Both ends rise with the misses, and fall with the looks that showed none."""
    bounds = [clopper_pearson(hits, 40) for hits in range(41)]

    assert bounds == sorted(bounds)
    assert [high for _, high in bounds] == sorted(high for _, high in bounds)
    assert [clopper_pearson(0, trials)[1] for trials in (10, 100, 1_000)] == sorted(
        (clopper_pearson(0, trials)[1] for trials in (10, 100, 1_000)), reverse=True
    )

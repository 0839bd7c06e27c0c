"""What a page holds."""

import io
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from handlers.domain import taxonomy
from handlers.domain.confidence import shown
from handlers.domain.decision import Judgement
from handlers.domain.identity import Video
from handlers.domain.languages import ENGLISH, LANGUAGES
from handlers.domain.record import LabelSummary, Record, Segment, Totals
from handlers.domain.states import State
from tests.browser.reviews import MADE_AT, SCAN, page_of, review, with_decision, with_segments
from tools.lib.cli import Target
from tools.lib.review.join import ObjectStatus
from tools.lib.review.page import data, page_data, render
from tools.lib.review.page.data import MAX_FLAGGED, MAX_SEGMENTS
from tools.lib.review.page.labels import CATEGORIES, OTHER, category, lineage
from tools.lib.review.page.summary import confidences
from tools.lib.review.page.videos import judged, strongest

ROOT = Path(__file__).parents[4]


@pytest.fixture
def scanned():
    """A review and its totals."""
    return review()


def test_summary(scanned):
    """Counts come from the truth table, minutes from the totals, money from the price table."""
    values = page_of(*scanned).values

    minutes = sum(scanned[1].milliseconds.values()) / 60_000
    assert {"flagged": 46, "failed": 6, "clean": 1_180, "skipped": 8} == {
        state["name"]: state["count"] for state in values["states"]
    }
    assert (1_240, 1_240, True) == (values["objects"], values["expected"], values["adds_up"])
    assert minutes == values["analysed_ms"] / 60_000
    assert f"${minutes * 0.10 + 0.25 + 1_240 / 1_000_000:,.2f}" == values["costs"]["total"]
    assert 3 == len(values["costs"]["parts"])
    assert [{"what", "amount", "price"}] * 3 == [set(part) for part in values["costs"]["parts"]]


def test_a_video_at_100_percent_is_in_the_last_step():
    """The chart counts a video of which a label is certain in its last step, from 95 %."""
    video = SimpleNamespace(outcome=SimpleNamespace(record=flagged_record(LabelSummary("Weapons", "Violence", 2, 100.0, 1, 0))))

    assert [[95, 1]] == confidences([video])[-1:]


def test_an_unknown_label_has_a_category_of_its_own():
    """A label that stands below none that is known is coloured as one of the other labels."""
    assert "Other labels" == CATEGORIES[category("Something new", {})]


def flagged_record(*labels):
    """Return the record of a video that these labels flagged."""
    counted = tuple(label.name for label in labels)
    return Record(Video("b", "a.mp4"), SCAN, State.FLAGGED, labels=labels, counted=counted)


def test_only_what_was_analysed_is_minutes(scanned):
    """The milliseconds of failed and cancelled videos are not counted as analysed."""
    totals = Totals({}, {State.CLEAN: 60_000, State.FLAGGED: 30_000, State.FAILED: 7, State.CANCELLED: 7})

    assert 90_000 == page_of(scanned[0], totals).values["analysed_ms"]


def test_charts_count_videos(scanned):
    """A category counts a video once; the confidences add up to the flagged videos."""
    values = page_of(*scanned).values

    flagged = [video.outcome.record for video in scanned[0].flagged]
    tops = [{CATEGORIES[category(name, {})] for name in record.counted} for record in flagged]
    assert {name: sum(name in top for top in tops) for name in set().union(*tops)} == {
        CATEGORIES[entry["category"]]: entry["count"] for entry in values["found"]
    }
    assert 46 == sum(count for _, count in values["confidences"])
    assert [50, 55, 60] == [step for step, _ in values["confidences"][:3]]


def test_video(scanned):
    """A video stands on the page with what its decision must name, its labels, and its segments as four numbers each."""
    made, totals = scanned
    video = made.flagged[0]
    record = video.outcome.record
    values = page_of(made, totals).values

    entry = values["flagged"][0]
    names = [label["name"] for label in values["labels"]]
    segments = list(zip(*[iter(entry["segments"])] * 4, strict=True))
    assert (record.video.id, record.video.key, record.facts.etag, 0) == tuple(
        entry[name] for name in ("id", "key", "etag", "attempt")
    )
    assert [(segment.label, segment.start_ms, segment.end_ms, float(shown(segment.confidence))) for segment in video.segments] == [
        (names[number], start, end, confidence) for number, start, end, confidence in segments
    ]
    assert list(record.counted) == [names[number] for number, *_, counts in entry["labels"] if counts]


def test_labels_that_counted_come_first(scanned):
    """The labels that flagged a video stand first, in the policy's order, whatever the confidence of the others."""
    record = scanned[0].flagged[0].outcome.record
    labels = tuple(LabelSummary(name, "", 1, confidence, 0, 0) for name, confidence in (("a", 99.0), ("b", 60.0), ("c", 70.0)))

    changed = type(record)(record.video, SCAN, State.FLAGGED, labels=labels, counted=("b", "c"))

    assert ["b", "c", "a"] == [label.name for label in judged(changed)]


@pytest.mark.parametrize(
    ("language", "words"), [(ENGLISH, "look like videos (2 .mkv)"), (LANGUAGES["es"], "parecen videos (2 .mkv)")]
)
def test_other_suffixes(scanned, language, words):
    """The page names what was not part of the scan because of its suffix, in its language."""
    made, totals = scanned
    made = replace(made, scan=replace(made.scan, not_selected={".mkv": 2}))

    values = page_data(
        made,
        totals=totals,
        target=Target(stack="V", region=None, profile=None),
        region="us-east-1",
        made_at=MADE_AT,
        language=language,
    ).values

    assert words in values["not_selected"][1]


def test_confidences_never_contradict_the_verdict(scanned):
    """Labels and segments are rounded down, to as many digits as their rule has; a segment begins where it first counts."""
    made, totals = scanned
    video = replace(made.flagged[0])
    label = LabelSummary("Weapons", "Violence", 2, 79.999, 0, 250, counts_from=79.95)
    other = LabelSummary("Alcohol", "", 1, 79.99, 0, 0, counts_from=80.0)
    record = replace(video.outcome.record, labels=(label, other), counted=("Weapons",))
    segments = tuple(Segment(each.name, each.parent, each.level, 0, 500, each.confidence, 2) for each in (label, other))
    flagged = replace(video, outcome=replace(video.outcome, record=record), segments=segments)

    entry = page_of(replace(made, flagged=[flagged]), totals).values["flagged"][0]

    assert [79.99, 79.9] == [each[1] for each in entry["labels"]]
    assert [79.99, 79.9] == sorted(entry["segments"][3::4], reverse=True)
    assert [0, 250] == sorted(entry["segments"][1::4])


def test_strongest_segments():
    """The best are kept, in order of time."""
    segments = [Segment("Weapons", "Violence", 2, at, at + 1, confidence, 1) for at, confidence in enumerate((60, 90, 70, 80))]

    assert [1, 3] == [segment.start_ms for segment in strongest(segments, 2)]


def test_segments_left_out_are_counted(scanned):
    """A video of more segments than a page shows says how many are missing."""
    made, totals = scanned
    made.flagged = [with_segments(made.flagged[0].outcome, MAX_SEGMENTS + 5)]

    (entry,) = page_of(made, totals).values["flagged"]

    assert (5, 4 * MAX_SEGMENTS) == (entry["segments_left_out"], len(entry["segments"]))


def test_decisions(scanned):
    """A decision that was recorded stands with its video."""
    made, totals = scanned
    made.flagged[1] = with_decision(made.flagged[1], Judgement.CONFIRMED)

    values = page_of(made, totals).values

    assert ["recorded" in entry for entry in values["flagged"][:3]] == [False, True, False]
    assert "Ana" == values["flagged"][1]["recorded"]["decided_by"]


@pytest.mark.parametrize(
    ("region", "site"),
    [
        ("eu-west-1", "https://console.aws.amazon.com"),
        ("cn-north-1", "https://console.amazonaws.cn"),
        ("us-gov-west-1", "https://console.amazonaws-us-gov.com"),
        ("eusc-de-east-1", "https://console.amazonaws-eusc.eu"),
    ],
)
def test_partition(scanned, region, site):
    """The console is that of the Region's partition; commands name the deployment."""
    target = Target(stack="Other", region=region, profile=None)

    values = page_data(scanned[0], totals=scanned[1], target=target, region=region, made_at=MADE_AT).values

    assert site == values["console"]
    assert (
        f"python tools/review_report.py apply decisions-{SCAN}.json --scan {SCAN} --stack Other --region {region}"
        == values["apply"]
    )


@pytest.mark.parametrize("top", taxonomy.HIERARCHY)
def test_category(top):
    """A label at any depth has the colour of its top level."""
    seconds = taxonomy.HIERARCHY[top]
    names = [top, *seconds, *(third for thirds in seconds.values() for third in thirds)]

    assert {top} == {CATEGORIES[category(name, {})] for name in names}


def test_known_label():
    """A label that is known stands where the taxonomy has it, whatever a record says."""
    assert ["Violence"] == lineage("Weapons", {"Weapons": "Alcohol"})


def test_unknown_label():
    """A label of another model goes where Rekognition says it stands, even in a circle; else to the others."""
    assert CATEGORIES.index("Violence") == category("Swords", {"Swords": "Blades", "Blades": "Weapons"})
    assert ["Blades", "Weapons", "Violence"] == lineage("Swords", {"Swords": "Blades", "Blades": "Weapons"})
    assert OTHER == category("Swords", {"Swords": "Blades", "Blades": "Swords"})


def test_what_has_no_room(monkeypatch):
    """Each list of the page ends at a limit of its own, with the first of the review, and says how many are missing."""
    made, totals = review(ineligible_count=3)
    made.superseded = [video.outcome for video in made.flagged[:3]]
    limits = {"flagged": 4, "failed": 3, "ineligible": 1, "superseded": 2}
    for name, limit in limits.items():
        monkeypatch.setattr(data, f"MAX_{name.upper()}", limit)

    values = page_of(made, totals).values

    found = {name: len(getattr(made, name)) for name in limits}
    assert limits == {name: len(values[name]) for name in limits}
    assert {name: found[name] - limit for name, limit in limits.items()} == values["left_out"]
    assert [video.outcome.video.key for video in made.flagged[:4]] == [entry["key"] for entry in values["flagged"]]


def test_segments_of_many_videos(monkeypatch):
    """All videos of a page share its room for segments; each keeps one at least."""
    made, totals = review()
    made.flagged = [with_segments(video.outcome, 9) for video in made.flagged[:4]]
    kept = []

    for room in (1, 11, 12, 100):
        monkeypatch.setattr(data, "MAX_SEGMENTS_OF_ALL", room)
        kept.append({len(entry["segments"]) // 4 for entry in page_of(made, totals).values["flagged"]})

    assert [{1}, {2}, {3}, {9}] == kept


@pytest.mark.slow
def test_limits():
    """A page holds 20,000 flagged videos, as the documents say, and 5,000 of each of the others."""
    made, totals = review(ineligible_count=1)
    (first, *_), (failed, *_), (ineligible, *_) = made.flagged, made.failed, made.ineligible
    made.flagged = [replace(first, segments=())] * 20_001
    made.failed, made.ineligible, made.superseded = [failed] * 5_001, [ineligible] * 5_001, [failed] * 5_001

    values = page_of(made, totals).values

    assert [20_000, 5_000, 5_000, 5_000] == [len(values[name]) for name in ("flagged", "failed", "ineligible", "superseded")]
    assert dict.fromkeys(("flagged", "failed", "ineligible", "superseded"), 1) == values["left_out"]
    words = " ".join((ROOT / "docs" / "review_report.md").read_text("utf-8").split())
    assert "It holds up to 20,000 flagged videos" in words


@pytest.mark.parametrize(("segments", "left_out"), [(200, None), (201, 1)])
def test_limit_of_segments(segments, left_out):
    """A video has 200 segments on the page at most."""
    made, totals = review()
    made.flagged = [with_segments(made.flagged[0].outcome, segments)]

    (entry,) = page_of(made, totals).values["flagged"]

    assert (4 * 200, left_out) == (len(entry["segments"]), entry.get("segments_left_out"))


def test_segments_of_one_video(monkeypatch):
    """A page of one video has all its room for that one."""
    made, totals = review()
    made.flagged = [with_segments(made.flagged[0].outcome, 9)]
    monkeypatch.setattr(data, "MAX_SEGMENTS_OF_ALL", 5)

    (entry,) = page_of(made, totals).values["flagged"]

    assert (5, 4) == (len(entry["segments"]) // 4, entry["segments_left_out"])


def test_a_failure_without_a_reason(scanned):
    """A task that failed without saying why has no cure."""
    made, totals = scanned
    made.failed = [replace(outcome, reason=None) for outcome in made.failed]
    made.ineligible = []

    values = page_of(made, totals).values

    assert (6, {}) == (len(values["failed"]), values["cures"])


@pytest.mark.slow
def test_twenty_thousand():
    """A page of 20,000 videos is built in seconds, is below 20 MB, and says what has no room."""
    made, totals = review(flagged_count=MAX_FLAGGED + 3, failed_count=0)
    target = io.StringIO()
    started = time.process_time()

    page = page_of(made, totals)
    render(page, target)

    assert time.process_time() - started < 15
    assert target.tell() < 20_000_000
    assert {"flagged": 3, "failed": 0, "ineligible": 0, "superseded": 0} == page.values["left_out"]
    assert MAX_FLAGGED == len(page.values["flagged"])
    assert MAX_FLAGGED + 3 == sum(count for _, count in page.values["confidences"])
    assert MAX_FLAGGED + 3 == made.truth.statuses[ObjectStatus.FLAGGED]

"""From hits to segments."""

import time
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.analysis import Hit
from handlers.domain.record import Findings, LabelSummary, Peak, Segment
from handlers.domain.segments import FIRST_GAP_MS, MAX_PEAKS, MAX_SEGMENTS, SegmentBuilder

PARENTS = {"Violence": ("", 1), "Weapons": ("Violence", 2), "Alcohol": ("", 1), "Smoking": ("Drugs & Tobacco", 3)}


def hit_of(timestamp, name="Violence", confidence=90.0):
    """Return one hit; a label's parent and level are always the same."""
    return Hit(timestamp, name, *PARENTS[name], confidence)


HITS = st.lists(
    st.builds(
        hit_of,
        st.integers(0, 400).map(lambda step: step * 500) | st.integers(0, 200_000),
        st.sampled_from(sorted(PARENTS)),
        st.floats(0, 100),
    ),
    max_size=80,
)
LIMITS = st.integers(1, 20)


def built(hits, *limit):
    """Return the findings of hits that come one by one."""
    builder = SegmentBuilder(*limit)
    for hit in hits:
        builder.add(hit)
    return builder.findings()


def merged_at_once(hits, gap_ms):
    """Return the segments of all hits merged at once: the rule without streaming, limit or speed."""
    segments = []
    by_label = sorted(hits, key=lambda hit: (hit.name, hit.timestamp_ms))
    for name, group in groupby(by_label, key=lambda hit: hit.name):
        runs = []
        for hit in group:
            if runs and hit.timestamp_ms - runs[-1][-1].timestamp_ms <= gap_ms:
                runs[-1].append(hit)
            else:
                runs.append([hit])
        for run in runs:
            times = {hit.timestamp_ms for hit in run}
            segments.append(Segment(name, *PARENTS[name], min(times), max(times), max(hit.confidence for hit in run), len(times)))
    return tuple(sorted(segments, key=lambda segment: (segment.start_ms, segment.label)))


def in_order(hits):
    """Return hits in the order in which Rekognition gives them."""
    return sorted(hits, key=lambda hit: hit.timestamp_ms)


def once_each(hits):
    """Return hits without a second one of the same label and time."""
    return list({(hit.name, hit.timestamp_ms): hit for hit in hits}.values())


def fewest_doublings(hits, limit):
    """Return the smallest of the gaps 1,000, 2,000, 4,000 ... at which the segments are no more than the limit allows."""
    gap_ms = FIRST_GAP_MS
    while len(merged_at_once(hits, gap_ms)) > max(limit, len({hit.name for hit in hits})):
        gap_ms *= 2
    return gap_ms


@given(HITS, LIMITS)
def test_streaming_is_merging_at_once(hits, limit):
    """Hits in time order give what all of them merged at once give, by the smallest gap that fits."""
    findings = built(in_order(hits), limit)

    assert findings.gap_ms == fewest_doublings(hits, limit)
    assert findings.segments == merged_at_once(hits, findings.gap_ms)


@given(HITS.map(once_each).flatmap(st.permutations), LIMITS)
def test_late_hits(hits, limit):
    """Hits in any order give what all of them merged at once give, and fit as well."""
    findings = built(hits, limit)

    assert findings.segments == merged_at_once(hits, findings.gap_ms)
    assert len(findings.segments) <= max(limit, len({hit.name for hit in hits}))


@given(HITS.flatmap(st.permutations))
def test_late_hits_that_come_twice(hits):
    """Repeated hits in any order change nothing but, at most, how many hits are counted."""
    findings = built(hits)

    expected = merged_at_once(hits, FIRST_GAP_MS)
    assert [(s.label, s.start_ms, s.end_ms, s.confidence) for s in findings.segments] == [
        (s.label, s.start_ms, s.end_ms, s.confidence) for s in expected
    ]
    assert all(found.hits >= exact.hits for found, exact in zip(findings.segments, expected, strict=True))


@given(HITS, st.integers(0, 80))
def test_findings_between_two_pages(hits, place):
    """Asking for the findings in between changes nothing."""
    builder = SegmentBuilder()
    for hit in hits[:place]:
        builder.add(hit)
    builder.findings()

    for hit in hits[place:]:
        builder.add(hit)

    assert builder.findings() == built(hits)


@given(HITS, LIMITS)
def test_roll_up(hits, limit):
    """A label's roll-up says its best confidence, its first moment, and the time its segments last."""
    findings = built(in_order(hits), limit)

    assert {label.name for label in findings.labels} == {hit.name for hit in hits}
    for label in findings.labels:
        segments = [segment for segment in findings.segments if segment.label == label.name]
        assert label.confidence == max(hit.confidence for hit in hits if hit.name == label.name)
        assert label.first_ms == min(hit.timestamp_ms for hit in hits if hit.name == label.name)
        assert label.milliseconds == sum(segment.end_ms - segment.start_ms + 500 for segment in segments)
        assert (label.parent, label.level) == PARENTS[label.name]


def test_nothing_found():
    """A video without hits has no findings."""
    assert built([]) == Findings((), (), FIRST_GAP_MS)


def test_labels_with_the_surest_first():
    """The roll-up begins with the surest label; equal ones are in alphabetical order."""
    findings = built([hit_of(0, "Weapons", 90.0), hit_of(0, "Alcohol", 50.0), hit_of(0, "Violence", 90.0)])

    assert [label.name for label in findings.labels] == ["Violence", "Weapons", "Alcohol"]


@pytest.mark.parametrize(("gap", "count"), [(500, 1), (1000, 1), (1001, 2)])
def test_gap(gap, count):
    """Hits a second apart belong together, further apart they do not."""
    assert len(built([hit_of(0), hit_of(gap)]).segments) == count


@pytest.mark.parametrize("confidences", [(60.0, 95.0), (95.0, 60.0)])
def test_two_labels_and_one_moment(confidences):
    """All labels at one timestamp are kept, whatever their order, and one label twice is one hit, the surer (seed's defect 6)."""
    weapons, violence = confidences
    hits = [hit_of(500, "Weapons", weapons), hit_of(500, "Violence", violence), hit_of(500, "Weapons", violence)]

    findings = built(hits)

    assert findings.segments == (
        Segment("Violence", "", 1, 500, 500, violence, 1),
        Segment("Weapons", "Violence", 2, 500, 500, 95.0, 1),
    )


def test_parent_named_late():
    """Where the first hit of a label names no parent and no level, a later one may."""
    findings = built([Hit(0, "New", "", 0, 90.0), Hit(500, "New", "Violence", 2, 90.0)])

    assert findings.labels == (LabelSummary("New", "Violence", 2, 90.0, 1000, 0, (Peak(0, 90.0),)),)


@given(HITS, st.floats(0, 100))
def test_first_hit_from_any_confidence_on(hits, counts_from):
    """By its peaks a label tells its first hit from any confidence on, in whatever order the hits came."""
    found = {label.name: label.judged(counts_from).first_ms for label in built(hits).labels if label.confidence >= counts_from}

    assert found == {
        name: min(hit.timestamp_ms for hit in hits if hit.name == name and hit.confidence >= counts_from)
        for name in {hit.name for hit in hits if hit.confidence >= counts_from}
    }


def test_peaks_are_bounded():
    """However often a label rises, few of its peaks are kept: the first, the highest, and the largest rises between them."""
    rises = [hit_of(number * 500, confidence=50 + number / 200) for number in range(5_000)]

    [label] = built([*rises, hit_of(9_000_000, confidence=99.0)]).labels

    assert MAX_PEAKS == len(label.peaks)
    assert (Peak(0, 50.0), Peak(9_000_000, 99.0)) == (label.peaks[0], label.peaks[-1])
    assert (9_000_000, 0) == (label.judged(90).first_ms, label.judged(10).first_ms)


def test_late_hit_closes_a_gap():
    """A hit that comes late, between two segments, makes one of them."""
    findings = built([hit_of(0), hit_of(2000), hit_of(1000)])

    assert findings.segments == (Segment("Violence", "", 1, 0, 2000, 90.0, 3),)


def test_more_labels_than_segments():
    """Where there are more labels than segments allowed, each has one, and the gap stays finite."""
    hits = [Hit(timestamp * 10_000, f"Label {number}", "", 1, 90.0) for timestamp in range(5) for number in range(7)]

    findings = built(hits, 3)

    assert len(findings.segments) == 7


@pytest.mark.slow
def test_six_hours_of_flicker():
    """40,000 hits that hardly merge: at most 5,000 segments, by a wider gap, in a time that does not grow with their square."""
    names = sorted(PARENTS)
    hits = [hit_of(step * 2160, names[step % 4], float(step % 100)) for step in range(40_000)]

    began = time.process_time()
    findings = built(hits)
    seconds = time.process_time() - began

    assert len(findings.segments) <= MAX_SEGMENTS
    assert findings.gap_ms > FIRST_GAP_MS
    assert sum(segment.hits for segment in findings.segments) == 40_000
    assert seconds < 5  # 0.2 s here; comparing each hit with each segment would take minutes


def test_memory_stays_bounded():
    """What is kept between two pages never exceeds the limit, however the hits come."""
    builder = SegmentBuilder(50)

    sizes = []
    for step in range(3_000):
        builder.add(hit_of((step * 7_919_000) % 21_600_000))
        sizes.append(len(builder.findings().segments))

    assert max(sizes) == 50

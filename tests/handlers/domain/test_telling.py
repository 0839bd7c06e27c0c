"""Which labels and segments a person is shown, in mails and by every program."""

from hypothesis import given
from hypothesis import strategies as st

from handlers.domain import Record, State, Video
from handlers.domain.mail import flagged_mail
from handlers.domain.record import LabelSummary, Segment
from handlers.domain.telling import telling_labels
from tools.lib.videos import labels_text

NAMES = st.sampled_from("abcd")
LABELS = st.lists(
    st.builds(LabelSummary, NAMES, NAMES | st.just(""), st.integers(1, 3), st.sampled_from([80.0, 90.0]), *[st.integers(0, 1)] * 2),
    unique_by=lambda label: label.name,
)


def smoking(name, parent, level, confidence=96.8, milliseconds=1_500):
    """Return a label of a video in which someone smokes."""
    return LabelSummary(name, parent, level, confidence, milliseconds, 0, counts_from=80.0)


CHAIN = (
    smoking("Smoking", "Drugs & Tobacco Use", 3),
    smoking("Drugs & Tobacco Use", "Drugs & Tobacco", 2),
    smoking("Drugs & Tobacco", "", 1),
)


def test_parents_that_add_nothing():
    """Of a label and parents that are as sure, as long and as early, the label alone is named: in mails, too."""
    segments = [Segment(each.name, each.parent, each.level, 0, 1_000, 96.8, 3) for each in CHAIN]
    record = Record(Video("b", "a.mp4"), "01JD8Z0Q4N6T9W2XK5C7R3VBHM", State.FLAGGED)

    body = flagged_mail(record, CHAIN, segments, record.scan_id, "VideoModeration", region="eu-west-1").body

    assert "Smoking 96.8 %" == labels_text(CHAIN)
    assert 2 == sum("96.8 %" in line for line in body.splitlines())
    assert "more label" not in body


def test_parents_that_add_something():
    """A parent that is surer or longer is named, and before its child, also where the policy puts the child first."""
    longer = (CHAIN[0], CHAIN[1], smoking("Drugs & Tobacco", "", 1, 96.8, 9_000))
    surer = (CHAIN[0], smoking("Drugs & Tobacco Use", "Drugs & Tobacco", 2, 99.9))

    assert ["Drugs & Tobacco", "Smoking"] == sorted(each.name for each in telling_labels(longer))
    assert "Drugs & Tobacco Use 99.9 %, Smoking 96.8 %" == labels_text(surer)
    assert "Drugs & Tobacco 96.8 %, Smoking 96.8 %" == labels_text(longer)


@given(LABELS)
def test_nothing_else_is_lost(labels):
    """Whatever Rekognition calls the parents, a label is left out only for a child of it that says as much; order is kept else."""
    shown = telling_labels(labels)

    assert bool(shown) == bool(labels)
    assert len({each.name for each in shown}) == len(shown)
    for lost in (each for each in labels if each not in shown):
        assert any(
            other.parent == lost.name
            and (other.confidence, other.milliseconds, -other.first_ms) >= (lost.confidence, lost.milliseconds, -lost.first_ms)
            for other in labels
        )
    names = [each.name for each in shown]
    assert all(
        each.parent not in names or names.index(each.parent) <= names.index(each.name) or in_a_circle(each, labels)
        for each in shown
    )


def in_a_circle(label, labels):
    """Tell whether a label is among its own parents."""
    by_name, seen = {each.name: each for each in labels}, set()
    while label.name not in seen:
        seen.add(label.name)
        if label.parent not in by_name:
            return False
        label = by_name[label.parent]
    return True

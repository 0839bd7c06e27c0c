"""Which of the labels found in a video tell a person something.

Rekognition reports each label with all its parents: a parent that is seen when its child is, and no surer, adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from handlers.domain.record import LabelSummary, Segment


def telling_labels(labels: Sequence[LabelSummary]) -> list[LabelSummary]:
    """Return labels in their order, parents before their children, without parents that add nothing."""
    telling = [label for label in labels if not any(_covers(other, label) for other in labels)]
    kept = {label.name: label for label in telling or labels}  # two that are each other's parents cover each other
    by_name = {label.name: label for label in labels}
    ordered: dict[str, LabelSummary] = {}
    for label in kept.values():
        for name in reversed([label.name, *_parents(label, by_name)]):
            if name in kept:
                ordered.setdefault(name, kept[name])
    return list(ordered.values())


def telling_segments(segments: Iterable[Segment]) -> list[Segment]:
    """Return segments in time order, parents before their children, without parents that add nothing."""
    listed = list(segments)
    surest: dict[tuple[str, int, int], float] = {}
    for segment in listed:
        place = (segment.parent, segment.start_ms, segment.end_ms)
        surest[place] = max(surest.get(place, 0.0), segment.confidence)
    telling = [one for one in listed if one.confidence > surest.get((one.label, one.start_ms, one.end_ms), -1.0)]
    return sorted(telling, key=lambda segment: (segment.start_ms, segment.level))


def _covers(child: LabelSummary, parent: LabelSummary) -> bool:
    return (
        child.parent == parent.name
        and child is not parent
        and child.confidence >= parent.confidence
        and child.milliseconds >= parent.milliseconds
        and child.first_ms <= parent.first_ms
    )


def _parents(label: LabelSummary, among: Mapping[str, LabelSummary]) -> Iterator[str]:
    """Yield the names of a label's parents, the nearest first; each once, for their names come from outside."""
    seen = {label.name}
    while (parent := among.get(label.parent)) and parent.name not in seen:
        seen.add(parent.name)
        label = parent
        yield parent.name

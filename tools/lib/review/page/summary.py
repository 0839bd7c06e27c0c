"""What a manager reads first: minutes, money, and what was found how surely."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from handlers.domain import Engine, LabelSummary, Record, State, Totals
from handlers.domain.languages import Language
from tools.lib.estimate import Price, prices
from tools.lib.review.join import ObjectStatus, TruthTable
from tools.lib.review.page.labels import category, parents_of
from tools.lib.review.page.videos import judged
from tools.lib.review.summary import FlaggedVideo, Review

# Percent: the width of a step in the chart of confidence, and its start, Rekognition's default, or lower where less was found.
CONFIDENCE_STEP = 5
CONFIDENCE_FROM = 50

_ALWAYS_SHOWN = (ObjectStatus.FLAGGED, ObjectStatus.FAILED, ObjectStatus.CLEAN)


def states(truth: TruthTable) -> list[dict[str, Any]]:
    """Return the number of objects in each state; a state that nothing is in is left out, but for the three that matter."""
    statuses = truth.statuses
    shown = (*_ALWAYS_SHOWN, *(status for status in ObjectStatus if status not in _ALWAYS_SHOWN and statuses[status]))
    return [{"name": status.value, "count": statuses[status]} for status in shown]


def analysed_ms(totals: Totals) -> int:
    """Return how much video was analysed to an end (milliseconds)."""
    return sum(totals.milliseconds.get(state, 0) for state in (State.CLEAN, State.FLAGGED))


def costs(review: Review, totals: Totals, language: Language) -> dict[str, Any]:
    """Return what the scan cost by the price table, in total and in parts; AWS's bill may differ."""
    parts = [*_of_rekognition(review.scan.engine, totals, language)]
    if review.scan.day is None:
        jobs = len(review.scan.jobs)
        tasks = sum(job.tasks or 0 for job in review.scan.jobs) or review.truth.total
        made = language.text("{jobs} S3 Batch Operations {jobs:job|jobs}", jobs=jobs)
        listed = language.text("{tasks} {tasks:object of a job|objects of jobs}", tasks=tasks)
        parts += [
            (made, prices.BATCH_JOB.dollars * jobs, prices.BATCH_JOB),
            (listed, prices.batch_objects(tasks), prices.BATCH_MILLION_OBJECTS),
        ]
    return {
        "total": _dollars(sum((amount for _, amount, _ in parts), Decimal()), language),
        "parts": [
            {"what": what, "amount": _dollars(amount, language), "price": _price(price, language)} for what, amount, price in parts
        ],
    }


def _of_rekognition(engine: Engine, totals: Totals, language: Language) -> Iterator[tuple[str, Decimal, Price]]:
    """Yield what Rekognition analysed, for how much, and at which price: minutes, images, or both.

    Totals do not tell by which engine a film was analysed. Of a scan by the video API the minutes include films that went by
    frames, so it is not shown as cheaper than it was.
    """
    if engine is Engine.VIDEO:
        minutes = Decimal(analysed_ms(totals)) / 60_000
        analysed = language.text("{minutes} minutes analysed", minutes=language.number(float(minutes), digits=1))
        yield analysed, minutes * prices.REKOGNITION_MINUTE.dollars, prices.REKOGNITION_MINUTE
    if engine is Engine.FRAMES or totals.images:
        looked_at = language.text("{images} {images:image|images} analysed", images=totals.images)
        yield looked_at, totals.images * prices.REKOGNITION_IMAGE.dollars, prices.REKOGNITION_IMAGE


def _price(price: Price, language: Language) -> str:
    digits = 2 if price.dollars >= Decimal("0.01") else 3
    return language.text(
        "{dollars} per {unit}, from {source} ({date}); look it up at {page}",
        dollars=language.text("${amount}", amount=language.number(price.dollars, digits=digits)),
        unit=language.word(price.unit),
        source=language.word(price.source),
        date=price.as_of or language.text("undated"),
        page=price.page,
    )


def _dollars(amount: Decimal, language: Language) -> str:
    if 0 < amount < Decimal("0.01"):
        return language.text("less than ${amount}", amount=language.number(0.01, digits=2))
    return language.text("${amount}", amount=language.number(float(amount), digits=2))


def categories(flagged: Iterable[FlaggedVideo], count: int) -> list[dict[str, Any]]:
    """Return, for each of `count` top-level categories, in how many videos it was found, and its three commonest labels."""
    videos: Counter[int] = Counter()
    labels: dict[int, Counter[str]] = {number: Counter() for number in range(count)}
    for video in flagged:
        found = _found(video.outcome.record)
        videos.update({number for number, _ in found})
        for number, label in found:
            labels[number][label.name] += label.level != 1
    return [
        {"category": number, "count": total, "labels": [list(pair) for pair in labels[number].most_common(3) if pair[1]]}
        for number, total in videos.most_common()
    ]


def _found(record: Record | None) -> list[tuple[int, LabelSummary]]:
    """Return the labels that flagged a video, with their categories."""
    parents = parents_of(record.labels) if record else {}
    return [(category(label.name, parents), label) for label in counted(record)]


def counted(record: Record | None) -> list[LabelSummary]:
    """Return the labels that flagged a video, the worst first; all it has where the record does not say which."""
    labels = judged(record)
    return labels[: len(set(record.counted))] if record and record.counted else labels


def confidences(flagged: Iterable[FlaggedVideo]) -> list[list[int]]:
    """Return [from percent, videos] of each step, by the best confidence of the labels that flagged them."""
    best = (max((label.confidence for label in counted(video.outcome.record)), default=None) for video in flagged)
    last = 100 - CONFIDENCE_STEP
    steps = Counter(min(int(value // CONFIDENCE_STEP) * CONFIDENCE_STEP, last) for value in best if value is not None)
    return [[step, steps[step]] for step in range(min([CONFIDENCE_FROM, *steps]), 100, CONFIDENCE_STEP)]

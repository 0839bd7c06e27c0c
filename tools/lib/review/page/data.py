"""What a page holds, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.domain import Totals, unselected
from handlers.domain.console import console_site
from handlers.domain.languages import ENGLISH, Language
from tools.lib.cli import Target
from tools.lib.review.cures import cure_phrase
from tools.lib.review.decided import WORDS
from tools.lib.review.join import ObjectStatus
from tools.lib.review.page import summary
from tools.lib.review.page.labels import CATEGORIES, OTHER, LabelTable
from tools.lib.review.page.videos import Describer
from tools.lib.review.summary import Review

# The most videos with which a browser stays responsive; the rest is counted, and the page says where to find it.
MAX_FLAGGED = 20_000
MAX_FAILED = 5_000
MAX_INELIGIBLE = 5_000
MAX_SUPERSEDED = 5_000

# The most segments of one video, and about how many on the page: with 20,000 videos each keeps its 20 strongest.
MAX_SEGMENTS = 200
MAX_SEGMENTS_OF_ALL = 400_000


@dataclass(frozen=True, slots=True)
class PageData:
    """What a page holds: its title, JSON values for its script, and the language of its sentences."""

    title: str
    values: Mapping[str, Any]
    language: Language = ENGLISH

    @property
    def has_frames(self) -> bool:
        """Tell whether the page holds pictures, as data URIs."""
        return any("evidence" in video for video in self.values.get("flagged", ()))


def page_data(
    review: Review,
    *,
    totals: Totals,
    target: Target,
    region: str,
    made_at: float,
    language: Language = ENGLISH,
    describer: Describer | None = None,
) -> PageData:
    """Return what the page of a review holds.

    Args:
        review: The scan, its truth table, and the videos to look at; segments of all flagged ones.
        totals: Those of the scan: how much video was analysed.
        target: The deployment, for commands to copy.
        region: The deployment's Region, which is the buckets' too (Rekognition reads no other), for links and commands.
        made_at: Now (epoch seconds).
        language: What the page's sentences and labels are written in; keys, decisions and exports are not.
        describer: That of an earlier page of the same review, whose labels keep their numbers; new ones are added.
    """
    scan = review.scan
    describer = describer or describer_for(len(review.flagged))
    values = {
        "format": "video-moderation-page-1",
        "language": _language(language),
        "scan": {
            "id": scan.id,
            "bucket": scan.bucket,
            "day": scan.day,
            "status": scan.status.value,
            "created_at": scan.created_at,
            "closed_at": scan.closed_at,
        },
        "made_at": made_at,
        "region": region,
        "console": console_site(region),
        "categories": CATEGORIES,
        **summary_values(review, totals, language),
        "not_selected": unselected.sentences(scan.not_selected, language) if scan.day is None else [],
        **_videos(review, describer),
        "decided_words": {status.value: dict(words) for status, words in WORDS.items()},
        "labels": describer.labels.as_json(),
        "everything": target.command("review_report.py", "--scan", scan.id, "--json"),
        "apply": target.command("review_report.py", "apply", decisions_file(scan.id), "--scan", scan.id),
        "decisions_file": decisions_file(scan.id),
    }
    return PageData(language.text("Review of scan {scan}", scan=scan.id), values, language)


def summary_values(review: Review, totals: Totals, language: Language) -> dict[str, Any]:
    """Return what a page says about all objects together, which changes while a scan runs."""
    truth = review.truth
    return {
        "objects": truth.total,
        "expected": None if truth.expected is None else truth.expected + truth.set_aside,
        "adds_up": truth.adds_up,
        "states": summary.states(truth),
        "warnings": [language.render(warning) for warning in review.warnings],
        "sample": None if review.sample is None else review.sample.sentences(language),
        "analysed_ms": summary.analysed_ms(totals),
        "costs": summary.costs(review, totals, language),
        "found": summary.categories(review.flagged, len(CATEGORIES)),
        "confidences": summary.confidences(review.flagged),
        "cures": _cures(review, language),
        "decided": {status.value: truth.looked_at(status) for status in WORDS if status is not ObjectStatus.CLEAN},
    }


def _language(language: Language) -> dict[str, Any]:
    labels = dict(language.labels)
    if labels:
        labels[CATEGORIES[OTHER]] = language.text("Other labels")
    return {"code": language.code, "decimal": language.decimal, "sentences": dict(language.sentences), "labels": labels}


def _cures(review: Review, language: Language) -> dict[str, str]:
    """Return what to do about videos without a verdict, by the codes of their reasons."""
    codes = {outcome.reason for outcome in (*review.failed[:MAX_FAILED], *review.ineligible[:MAX_INELIGIBLE]) if outcome.reason}
    cures = {code: cure_phrase(code) for code in sorted(codes)}
    return {code: language.render(cure) for code, cure in cures.items() if cure is not None}


def decisions_file(scan_id: str) -> str:
    """Return the name under which the page of a scan exports its decisions."""
    return f"decisions-{scan_id}.json"


def describer_for(flagged: int) -> Describer:
    """Return what describes the videos of a page with that many flagged ones, so that the page does not become too large."""
    return Describer(LabelTable(), max(1, min(MAX_SEGMENTS, MAX_SEGMENTS_OF_ALL // max(1, min(flagged, MAX_FLAGGED)))))


def _videos(review: Review, describer: Describer) -> dict[str, Any]:
    """Return the videos of the page, the surest first, and how many had no room."""
    flagged, failed, ineligible = review.flagged[:MAX_FLAGGED], review.failed[:MAX_FAILED], review.ineligible[:MAX_INELIGIBLE]
    superseded = review.superseded[:MAX_SUPERSEDED]
    return {
        "flagged": [describer.flagged(video) for video in flagged],
        "clean": [describer.clean(outcome) for outcome in review.sample.videos] if review.sample else [],
        "failed": [describer.failed(outcome) for outcome in failed],
        "ineligible": [describer.failed(outcome) for outcome in ineligible],
        "superseded": [describer.superseded(outcome) for outcome in superseded],
        "left_out": {
            "flagged": len(review.flagged) - len(flagged),
            "failed": len(review.failed) - len(failed),
            "ineligible": len(review.ineligible) - len(ineligible),
            "superseded": len(review.superseded) - len(superseded),
        },
    }

"""Compares a review with what the samples are known to contain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tools.emulator.samples import Sample

_LISTED = ("FLAGGED", "FAILED", "INELIGIBLE", "SKIPPED")


def differences(review: Mapping[str, Any], samples: Iterable[Sample]) -> list[str]:
    """Return a sentence for each difference between a review (as `--json` prints it) and the samples."""
    scanned = [sample for sample in samples if sample.expected.state != "NOT_LISTED"]
    return [*_counts(review, scanned), *_objects(review, scanned)]


def _counts(review: Mapping[str, Any], samples: list[Sample]) -> Iterator[str]:
    for state in dict.fromkeys(sample.expected.state for sample in samples):
        expected = sum(sample.expected.state == state for sample in samples)
        found = review["states"].get(state.lower(), 0)
        if found != expected:
            yield f"{found} {state.lower()} instead of {expected}"


def _objects(review: Mapping[str, Any], samples: list[Sample]) -> Iterator[str]:
    rows = {video["key"]: (state, video) for state in _LISTED for video in review[state.lower()]}
    for sample in samples:
        state, video = rows.get(sample.key, ("CLEAN", {}))
        expected = sample.expected
        if state != expected.state:
            yield f"{sample.key} is not {expected.state.lower()} but {state.lower()}{_why(video)}"
        elif state == "FLAGGED" and (found := _labels(video)) != (shown := {card.label for card in expected.labels}):
            yield f"{sample.key} shows {_names(shown)}, but {_names(found)} was found"
        elif expected.reason and video["reason"] != expected.reason:
            yield f"{sample.key} is {state.lower()} because of {video['reason']}, not of {expected.reason}"


def _labels(video: Mapping[str, Any]) -> set[str]:
    """Return a flagged video's labels, except those that are there only as parents of others."""
    parents = {segment["parent"] for segment in video["segments"]}
    return {segment["label"] for segment in video["segments"]} - parents


def _why(video: Mapping[str, Any]) -> str:
    return f" ({video['reason']})" if video.get("reason") else ""


def _names(labels: set[str]) -> str:
    return ", ".join(sorted(labels)) or "nothing"

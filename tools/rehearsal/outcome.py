"""Compares a review with what the samples are known to contain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tools.emulator.samples import Expected, Sample

_LISTED = ("FLAGGED", "FAILED", "INELIGIBLE", "SKIPPED")


def differences(review: Mapping[str, Any], samples: Iterable[Sample], *, by_frames: bool = False) -> list[str]:
    """Return a sentence for each difference between a review (as `--json` prints it) and what the samples should come to."""
    expected = {sample.key: (sample.by_frames if by_frames else None) or sample.expected for sample in samples}
    scanned = {key: each for key, each in expected.items() if each.state != "NOT_LISTED"}
    return [*_counts(review, scanned), *_objects(review, scanned)]


def _counts(review: Mapping[str, Any], scanned: Mapping[str, Expected]) -> Iterator[str]:
    for state in dict.fromkeys(each.state for each in scanned.values()):
        expected = sum(each.state == state for each in scanned.values())
        found = review["states"].get(state.lower(), 0)
        if found != expected:
            yield f"{found} {state.lower()} instead of {expected}"


def _objects(review: Mapping[str, Any], scanned: Mapping[str, Expected]) -> Iterator[str]:
    rows = {video["key"]: (state, video) for state in _LISTED for video in review[state.lower()]}
    for key, expected in scanned.items():
        state, video = rows.get(key, ("CLEAN", {}))
        if state != expected.state:
            yield f"{key} is not {expected.state.lower()} but {state.lower()}{_why(video)}"
        elif state == "FLAGGED" and (found := _labels(video)) != (shown := {card.label for card in expected.labels}):
            yield f"{key} shows {_names(shown)}, but {_names(found)} was found"
        elif expected.reason and video["reason"] != expected.reason:
            yield f"{key} is {state.lower()} because of {video['reason']}, not because of {expected.reason}"


def _labels(video: Mapping[str, Any]) -> set[str]:
    """Return a flagged video's labels, except those that are there only as parents of others."""
    parents = {segment["parent"] for segment in video["segments"]}
    return {segment["label"] for segment in video["segments"]} - parents


def _why(video: Mapping[str, Any]) -> str:
    return f" ({video['reason']})" if video.get("reason") else ""


def _names(labels: set[str]) -> str:
    return ", ".join(sorted(labels)) or "nothing"

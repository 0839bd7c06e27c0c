"""The objects that a scan leaves out for their suffix: how many there are of each, and the sentences about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.domain.languages import Language

# Suffixes of videos, in lower case.
VIDEO_SUFFIXES = frozenset(
    {
        *(".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".h264", ".h265", ".hevc", ".m2t", ".m2ts", ".m2v"),
        *(".m4s", ".m4v", ".mj2", ".mkv", ".mod", ".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mpv", ".mts", ".mxf", ".ogm", ".ogv"),
        *(".qt", ".rm", ".rmvb", ".tod", ".ts", ".vob", ".webm", ".wmv"),
    }
)

# Stored beside suffixes, which begin with a dot: objects without a suffix, and those of suffixes that are not listed.
WITHOUT, OTHERS = "none", "others"


def look_like_videos(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of the suffixes of videos."""
    return {suffix: count for suffix, count in counts.items() if suffix in VIDEO_SUFFIXES}


def as_json(counts: Mapping[str, int] | None) -> dict[str, Any] | None:
    """Return the counts as JSON values; None if they are not known."""
    if counts is None:
        return None
    return {
        "objects": sum(counts.values()),
        "look_like_videos": sum(look_like_videos(counts).values()),
        "suffixes": dict(counts),
    }


def sentences(counts: Mapping[str, int] | None, language: Language) -> list[str]:
    """Return the sentences of plans, reviews and digests; none if there are no such objects."""
    if counts is None:
        return [language.text("Not known: whether there are objects with other suffixes, because the scan did not count them.")]
    if not counts:
        return []
    total = sum(counts.values())
    lines = [
        language.text(
            "Not part of the scan because of {count:its suffix|their suffixes}: {count} {count:object|objects} ({list}).",
            count=total,
            list=_listed(counts, language),
        )
    ]
    if videos := look_like_videos(counts):
        line = language.text(
            "{count} of them {count:looks like a video|look like videos} ({list}): submit a scan with --suffix to include them.",
            count=sum(videos.values()),
            list=_listed(videos, language),
        )
        lines.append(line)
    return lines


def _listed(counts: Mapping[str, int], language: Language) -> str:
    """Return the suffixes, the most frequent first, then what has none and the rest."""
    named = sorted(
        ((suffix, count) for suffix, count in counts.items() if suffix.startswith(".")), key=lambda each: (-each[1], each[0])
    )
    parts = [f"{language.count(count)} {suffix}" for suffix, count in named]
    if without := counts.get(WITHOUT):
        parts.append(language.text("{count} without a suffix", count=without))
    if others := counts.get(OTHERS):
        parts.append(language.text("{count} with other suffixes", count=others))
    return ", ".join(parts)

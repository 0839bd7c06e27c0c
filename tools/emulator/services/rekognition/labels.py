"""Labels as Rekognition reports them, for videos and images alike: one taxonomy, one version of the model."""

from __future__ import annotations

from typing import Any

from tools.emulator.cards import lineage

MODEL_VERSION = "7.0"


def labels_of(label: str, confidence: float) -> list[dict[str, Any]]:
    """Return the label and each of its parents as `ModerationLabel`s; AWS gives parents the same confidence."""
    return [
        {"Confidence": confidence, "Name": card.label, "ParentName": card.parent, "TaxonomyLevel": card.level}
        for card in lineage(label)
    ]

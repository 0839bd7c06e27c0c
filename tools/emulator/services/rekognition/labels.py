"""Labels as Rekognition reports them, of videos and of images: one taxonomy, one version of the model."""

from __future__ import annotations

from typing import Any

from tools.emulator.cards import lineage

MODEL_VERSION = "7.0"


def labels_of(label: str, confidence: float) -> list[dict[str, Any]]:
    """Return a label that was seen and each of its parents, which AWS reports with the same confidence."""
    return [
        {"Confidence": confidence, "Name": card.label, "ParentName": card.parent, "TaxonomyLevel": card.level}
        for card in lineage(label)
    ]

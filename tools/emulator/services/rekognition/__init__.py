"""Rekognition's content moderation of stored videos: quotas, tokens, jobs that take their time, pages, notices."""

from tools.emulator.services.rekognition.backend import ContentModeration
from tools.emulator.services.rekognition.faults import Faults
from tools.emulator.services.rekognition.jobs import IN_PROGRESS
from tools.emulator.services.rekognition.ledger import Ledger
from tools.emulator.services.rekognition.responses import hooks
from tools.emulator.services.rekognition.video import (
    Analyser,
    Analysis,
    Sighting,
    UnanalysableError,
    VideoAnalyser,
    VideoMetadata,
)

__all__ = [
    "IN_PROGRESS",
    "Analyser",
    "Analysis",
    "ContentModeration",
    "Faults",
    "Ledger",
    "Sighting",
    "UnanalysableError",
    "VideoAnalyser",
    "VideoMetadata",
    "hooks",
]

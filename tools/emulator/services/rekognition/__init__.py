"""Rekognition's content moderation: of stored videos, with quotas, tokens, jobs, pages and notices; of images, call by call."""

from tools.emulator.services.rekognition.backend import ContentModeration
from tools.emulator.services.rekognition.faults import CallFaults, Faults
from tools.emulator.services.rekognition.images import ImageAnalyser, ImageLedger, ImageModeration
from tools.emulator.services.rekognition.jobs import IN_PROGRESS
from tools.emulator.services.rekognition.ledger import Ledger
from tools.emulator.services.rekognition.picture import CardReader, Picture, UnreadableError
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
    "CallFaults",
    "CardReader",
    "ContentModeration",
    "Faults",
    "ImageAnalyser",
    "ImageLedger",
    "ImageModeration",
    "Ledger",
    "Picture",
    "Sighting",
    "UnanalysableError",
    "UnreadableError",
    "VideoAnalyser",
    "VideoMetadata",
    "hooks",
]

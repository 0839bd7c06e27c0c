"""Frames of a video at the moments where something was found, as JPEGs, for people who decide about it."""

from tools.lib.evidence.moments import Moment, moments
from tools.lib.evidence.reader import EvidenceError, FrameReader, ReplacedError, UndecodableError, UnreadableError, unread

__all__ = ["EvidenceError", "FrameReader", "Moment", "ReplacedError", "UndecodableError", "UnreadableError", "moments", "unread"]

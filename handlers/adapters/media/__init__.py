"""Frames and images of an object in S3, ready for Rekognition; FFmpeg decodes them in a process of its own (`handlers.decoder`)."""

from handlers.adapters.media.media import Frame, Media, MediaError, open_media
from handlers.adapters.media.ranges import Source

__all__ = ["Frame", "Media", "MediaError", "Source", "open_media"]

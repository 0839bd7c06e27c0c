"""Frames and images of an object in S3, ready for Rekognition; FFmpeg works in a process of its own (`handlers.decoder`)."""

from handlers.adapters.media.media import Frame, Media, MediaError, Source, open_media

__all__ = ["Frame", "Media", "MediaError", "Source", "open_media"]

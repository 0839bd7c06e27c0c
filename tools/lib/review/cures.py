"""What to do about objects without a verdict, by the code of the reason."""

from __future__ import annotations

from handlers.domain import reasons

_REENCODE = "convert it (`ffmpeg -i FILE -c:v libx264 -c:a aac NEW.mp4`), upload and scan the new file"
_CURES = {
    reasons.EMPTY: "upload it again",
    reasons.ARCHIVED: "restore it, then `review_report.py retry`",
    reasons.TOO_LARGE: f"it may have up to 10 GB: {_REENCODE}",
    reasons.TOO_LONG: "it may have up to 6 hours: cut it, upload and scan the parts",
    reasons.CONTAINER: f"Rekognition takes MP4 and MOV: {_REENCODE}",
    reasons.NO_HEADER: "its recording or upload was interrupted: upload it again, and scan it",
    reasons.CODEC: f"Rekognition takes H.264 in MP4 or MOV: {_REENCODE}",
    reasons.NO_PICTURE: "there is nothing to see in it; if there should be, upload it again",
    reasons.ANALYSIS_FAILED: f"`ffprobe FILE` shows what is broken or its codec; {_REENCODE}",
    reasons.MISSING: "it was deleted, moved or never there: scan what is there now",
    reasons.SUPERSEDED: "nothing: what replaced it is looked at instead",
    reasons.UNREADABLE: "it may be encrypted with a key that comes with each request (SSE-C): copy it without",
}
_RETRY = "`review_report.py retry` tries again"


def cure_of(code: str | None) -> str | None:
    """Return what to do about an object, None where nothing is known to help."""
    if code is None:
        return None
    known = reasons.REASONS.get(code)
    return _CURES.get(code) or (_RETRY if known is not None and known.retryable else None)

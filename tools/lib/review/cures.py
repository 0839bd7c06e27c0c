"""What to do about objects without a verdict, by the code of the reason."""

from __future__ import annotations

from handlers.domain import reasons

_RETRY = "`review_report.py retry` tries again"
_THEN = "then `review_report.py retry`"
_REENCODE = "convert it (`ffmpeg -i FILE -c:v libx264 -c:a aac NEW.mp4`), upload and scan the new file"
_CURES = {
    reasons.EMPTY: "upload it again",
    reasons.ARCHIVED: f"restore it, {_THEN}",
    reasons.FORBIDDEN: f"let the functions read it (the bucket's policy, `source_buckets` and `kms_keys` in cdk.json), {_THEN}",
    "InvalidS3ObjectException": f"let Rekognition read it (the bucket's policy, the policy of its key), {_THEN}",
    "AccessDeniedException": f"`make deploy` restores the roles, {_THEN}",
    reasons.START_UNKNOWN: "`review_report.py retry --all-failed` analyses it, perhaps for a second time",
    reasons.TOO_LARGE: f"it may have up to 10 GB: {_REENCODE}",
    "VideoTooLargeException": f"it may have up to 10 GB: {_REENCODE}",
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


def cure_of(code: str | None) -> str | None:
    """Return what to do about an object, None where nothing is known to help."""
    if code is None:
        return None
    known = reasons.REASONS.get(code)
    return _CURES.get(code) or (_RETRY if known is not None and known.retryable else None)

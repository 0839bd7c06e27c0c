"""What to do about objects without a verdict, by the code of the reason."""

from __future__ import annotations

from handlers.domain import reasons
from handlers.domain.languages import ENGLISH, Phrase, phrase

_CONVERT = "`ffmpeg -i FILE -c:v libx264 -c:a aac NEW.mp4`"
_RETRY = "`review_report.py retry`"
_TOO_LARGE = phrase("Rekognition takes up to 10 GB: convert it ({command}), upload and scan the new file", command=_CONVERT)
_DAMAGED = phrase("`ffprobe FILE` shows what is broken or its codec: repair or convert it, upload and scan the new file")
_CURES = {
    reasons.EMPTY: phrase("upload it again"),
    reasons.ARCHIVED: phrase("restore it, then {retry}", retry=_RETRY),
    reasons.FORBIDDEN: phrase(
        "let the functions read it (the bucket's policy, `source_buckets` and `kms_keys` in cdk.json), then {retry}", retry=_RETRY
    ),
    "InvalidS3ObjectException": phrase(
        "let Rekognition read it (the bucket's policy, the policy of its key), then {retry}", retry=_RETRY
    ),
    "AccessDeniedException": phrase("`make deploy` restores the roles, then {retry}", retry=_RETRY),
    reasons.START_UNKNOWN: phrase("{retry} analyses it, perhaps for a second time", retry="`review_report.py retry --all-failed`"),
    reasons.TOO_LARGE: _TOO_LARGE,
    "VideoTooLargeException": _TOO_LARGE,
    reasons.TOO_LONG: phrase("Rekognition takes up to 6 hours: cut it, upload and scan the parts"),
    reasons.CONTAINER: phrase(
        "Rekognition takes MP4 and MOV: convert it ({command}), upload and scan the new file", command=_CONVERT
    ),
    reasons.NO_HEADER: phrase("its recording or upload was interrupted: upload it again, and scan it"),
    reasons.CODEC: phrase(
        "Rekognition takes H.264 in MP4 or MOV: convert it ({command}), upload and scan the new file", command=_CONVERT
    ),
    reasons.NO_PICTURE: phrase("it has no picture; if it should have one, upload it again"),
    reasons.ANALYSIS_FAILED: phrase(
        "`ffprobe FILE` shows what is broken or its codec; convert it ({command}), upload and scan the new file", command=_CONVERT
    ),
    reasons.SUPERSEDED: phrase("nothing: what replaced it is looked at instead"),
    reasons.UNDECODABLE: _DAMAGED,
    reasons.PARTLY_DECODED: _DAMAGED,
    reasons.TOO_MANY_PIXELS: phrase("scale it down, upload and scan the new file"),
    reasons.TILED: phrase("save it as JPEG or PNG, upload and scan the new file"),
    reasons.PAGES: phrase("save each page as an image of its own, upload and scan the new files"),
    reasons.ANIMATED_WEBP: phrase("save it as GIF or MP4, upload and scan the new file"),
    reasons.MISSING: phrase("it was deleted, moved or never there: scan what is there now"),
    reasons.UNREADABLE: phrase("it may be encrypted with a key that comes with each request (SSE-C): copy it without"),
}
_AGAIN = phrase("{retry} tries again", retry=_RETRY)


def cure_phrase(code: str | None) -> Phrase | None:
    """Return what to do about an object, in any language; None where nothing is known to help."""
    if code is None:
        return None
    known = reasons.REASONS.get(code)
    return _CURES.get(code) or (_AGAIN if known is not None and known.retryable else None)


def cure_of(code: str | None) -> str | None:
    """Return what to do about an object, in English; None where nothing is known to help."""
    cure = cure_phrase(code)
    return None if cure is None else ENGLISH.render(cure)

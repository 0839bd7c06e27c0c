"""Whether an object can be analysed: decided before any money is spent."""

from __future__ import annotations

from enum import Enum

from handlers.domain import beginnings, reasons
from handlers.domain.beginnings import is_text, something_else
from handlers.domain.engine import Engine
from handlers.domain.record import Problem

# How many first bytes `container` and `not_a_video` need, and how many are read of a header.
FIRST_BYTES = 1_024

# Rekognition takes videos of up to 10 GB (developer guide, limits); read as GiB, so Rekognition itself refuses what lies between.
MAX_BYTES = 10 * 1024**3

# Tiers of INTELLIGENT_TIERING that must be restored before reading, as HeadObject names them.
ARCHIVE_TIER, DEEP_ARCHIVE_TIER = ARCHIVE_TIERS = ("ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS")
# Storage classes and tiers that must be (S3 user guide, archived-objects); GLACIER_IR need not.
ARCHIVE_CLASSES = frozenset({"GLACIER", "DEEP_ARCHIVE", *ARCHIVE_TIERS})

# Boxes with which a file may begin even if their size is wrong (an interrupted recording).
_ISO_BOXES = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"wide", b"skip", b"uuid", b"sidx", b"udta", b"meta"})

_SMALL_HEADER, _LARGE_HEADER = 8, 16
# Special values of a box's 32-bit size (ISO/IEC 14496-12, 4.2): to the end of the file; a 64-bit size follows.
_TO_THE_END, _LARGE = 0, 1

_ASF_GUID = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_SIGNATURES = {b"\x1a\x45\xdf\xa3": "Matroska", b"FLV\x01": "FLV", b"\x00\x00\x01\xba": "MPEG-PS", _ASF_GUID: "ASF"}


class ObjectKind(Enum):
    """What an object is, for choosing an engine."""

    IMAGE = "an image"
    VIDEO = "a video that the video API may take"
    OTHER_VIDEO = "a video whose file format or codec the video API does not take"


def container(first_bytes: bytes, size: int) -> str | None:
    """Return the container format of an object by its first bytes and its size, or None if it is unknown.

    Any box counts as ISO-BMFF, because players skip unknown boxes. A known box may be larger than the object (truncated, or on
    purpose), because players read it nevertheless. Unless it is a `moov`, whose film FFmpeg plays whatever its size, the object
    must not be text then, which may begin like that by chance. Whether the content can be decoded is for Rekognition to decide.
    """
    name = first_bytes[4:8]
    if name in _ISO_BOXES and (name == b"moov" or is_box(first_bytes, size) or not is_text(first_bytes)):
        return "ISO-BMFF"
    if first_bytes[:4] == b"RIFF" and first_bytes[8:12] == b"AVI ":
        return "AVI"
    if _is_transport_stream(first_bytes):
        return "MPEG-TS"
    known = next((name for signature, name in _SIGNATURES.items() if first_bytes.startswith(signature)), None)
    return known or ("ISO-BMFF" if is_box(first_bytes, size) else None)


def not_a_video(first_bytes: bytes, size: int) -> str | None:
    """Return what an object certainly is, if not a video, by its first bytes and its size; None if it is to be analysed.

    An object that begins with a valid box is always analysed, whatever else its bytes look like.
    """
    return something_else(first_bytes) if container(first_bytes, size) is None else None


def kind(first_bytes: bytes, size: int) -> ObjectKind:
    """Return what an object is by its first bytes, as far as they tell."""
    found = container(first_bytes, size)
    if beginnings.image(first_bytes) is not None and (found is None or first_bytes[4:8] == b"ftyp"):
        return ObjectKind.IMAGE
    # What nothing is known of may be a video: players skip what they do not know.
    return ObjectKind.VIDEO if found in (None, "ISO-BMFF") else ObjectKind.OTHER_VIDEO


def image_problem(first_bytes: bytes) -> Problem | None:
    """Return why an image cannot be analysed, as far as its first bytes tell."""
    if beginnings.is_animated_webp(first_bytes):
        return Problem(reasons.ANIMATED_WEBP, "The object is an animated WebP image, whose frames are not decoded here.")
    return None


def is_box(first_bytes: bytes, size: int) -> bool:
    """Tell whether an object of this size begins with a complete box."""
    if len(first_bytes) < _SMALL_HEADER:
        return False
    stated = int.from_bytes(first_bytes[:4], "big")
    if stated != _LARGE:
        return stated == _TO_THE_END or _SMALL_HEADER <= stated <= size
    if len(first_bytes) < _LARGE_HEADER:
        return False
    return _LARGE_HEADER <= int.from_bytes(first_bytes[_SMALL_HEADER:_LARGE_HEADER], "big") <= size


def eligibility(
    size: int,
    storage_class: str | None = None,
    restore_header: str | None = None,
    archive_status: str | None = None,
    *,
    engine: Engine = Engine.VIDEO,
) -> Problem | None:
    """Return why an object cannot be analysed by an engine, or None; frames are read one by one, however large a film is.

    Takes fields of a HeadObject response, each None if absent: size in bytes, `StorageClass` (None for STANDARD), `Restore` (the
    header x-amz-restore) and `ArchiveStatus` (of INTELLIGENT_TIERING).
    """
    if size == 0:
        return Problem(reasons.EMPTY, "The object has 0 bytes.")
    if size > MAX_BYTES and engine is Engine.VIDEO:
        return Problem(reasons.TOO_LARGE, f"The object has {size} bytes; Rekognition takes videos of up to 10 GB.")
    tier = archive_status or (storage_class if storage_class in ARCHIVE_CLASSES else None)
    if tier and 'ongoing-request="false"' not in (restore_header or ""):
        return Problem(reasons.ARCHIVED, f"The object is archived ({tier}) and not restored; restore it, then retry.")
    return None


def _is_transport_stream(first_bytes: bytes) -> bool:
    """Tell whether the bytes are packets of 188 bytes (MPEG-TS) or 192 (M2TS, with 4 bytes before each sync byte)."""
    return any(_in_step(first_bytes[offset::length]) for offset, length in ((0, 188), (4, 192)))


def _in_step(sync_bytes: bytes) -> bool:
    """Tell whether there are several packets, each with the sync byte 0x47 (ISO/IEC 13818-1)."""
    return len(sync_bytes) > 1 and set(sync_bytes) == {0x47}

"""May an object be analysed at all: is it a video, and can it be read. Asked before any money is spent."""

from __future__ import annotations

import struct

from handlers.domain.record import Problem

FIRST_BYTES = 1_024
"""So much of an object's beginning is enough for `container`."""

MAX_BYTES = 10 * 1024**3
"""Rekognition takes videos of up to 10 GB (developer guide, limits). Read as GiB: what lies between is Rekognition's to refuse."""

ARCHIVE_CLASSES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Must be restored before they can be read (S3 user guide, archived-objects). GLACIER_IR can be read at once."""

_ISO_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip"})
"""With one of these an MP4 or QuickTime file begins."""

_MAX_SMALL_BOX = 1 << 29
"""No box but `mdat` is so large in a file of 10 GB, while four letters of a text always are when read as a size."""

_ASF_GUID = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_SIGNATURES = {b"\x1a\x45\xdf\xa3": "Matroska", b"FLV\x01": "FLV", b"\x00\x00\x01\xba": "MPEG-PS", _ASF_GUID: "ASF"}


def container(first_bytes: bytes) -> str | None:
    """Return the video container that an object begins with, or None where it is no video that we know.

    Whether Rekognition can decode what is in it is for Rekognition to say.
    """
    if _is_iso_media(first_bytes):
        return "ISO-BMFF"
    if first_bytes[:4] == b"RIFF" and first_bytes[8:12] == b"AVI ":
        return "AVI"
    if _is_transport_stream(first_bytes):
        return "MPEG-TS"
    return next((name for signature, name in _SIGNATURES.items() if first_bytes.startswith(signature)), None)


def eligibility(
    size: int, storage_class: str | None = None, restore_header: str | None = None, archive_status: str | None = None
) -> Problem | None:
    """Return why an object cannot be analysed, or None where nothing speaks against it.

    Takes what HeadObject says: size in bytes, `StorageClass` (None for STANDARD), `Restore` (the header x-amz-restore) and
    `ArchiveStatus` (of INTELLIGENT_TIERING), each None where it is absent.
    """
    if size == 0:
        return Problem("empty", "The object has 0 bytes.")
    if size > MAX_BYTES:
        return Problem("too-large", f"The object has {size} bytes; Rekognition takes videos of up to 10 GB.")
    tier = archive_status or (storage_class if storage_class in ARCHIVE_CLASSES else None)
    if tier and 'ongoing-request="false"' not in (restore_header or ""):
        return Problem("archived", f"The object is archived ({tier}) and not restored; restore it, then retry.")
    return None


def _is_iso_media(first_bytes: bytes) -> bool:
    """Tell whether the first box is one that files begin with, and its size possible."""
    kind = first_bytes[4:8]
    if kind not in _ISO_BOXES:
        return False
    (size,) = struct.unpack(">I", first_bytes[:4])
    # 0 means up to the end of the file, 1 that a 64-bit size follows (ISO/IEC 14496-12, 4.2).
    return size in (0, 1) or (size >= 8 and (kind == b"mdat" or size < _MAX_SMALL_BOX))  # noqa: PLR2004  # 8: the header itself


def _is_transport_stream(first_bytes: bytes) -> bool:
    """Tell whether packets follow one another, of 188 bytes (MPEG-TS) or 192 (M2TS, with 4 bytes before each sync byte)."""
    return any(_in_step(first_bytes[offset::length]) for offset, length in ((0, 188), (4, 192)))


def _in_step(sync_bytes: bytes) -> bool:
    """Tell whether there are several packets, and each begins with the sync byte 0x47 (ISO/IEC 13818-1)."""
    return len(sync_bytes) > 1 and set(sync_bytes) == {0x47}

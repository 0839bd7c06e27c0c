"""What a rehearsal scans: the generated samples, or the files of a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.emulator.samples import Sample, demo_formats, demo_library, demo_upload
from tools.lib.errors import ToolError


@dataclass(frozen=True, slots=True)
class Video:
    """An object of the library: its key, and its content or the file that has it."""

    key: str
    body: bytes | Path

    def read(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else self.body.read_bytes()


@dataclass(frozen=True, slots=True)
class Library:
    """The objects to scan, and the samples that they come from; None if their content is unknown.

    `upload` is a sample that is uploaded while the others are scanned, if there is one.
    """

    videos: tuple[Video, ...]
    samples: tuple[Sample, ...] | None
    upload: Sample | None = None


def demo() -> Library:
    """Return the generated library."""
    samples = (*demo_library(), *demo_formats())
    return Library(tuple(Video(sample.key, sample.body()) for sample in samples), samples, demo_upload())


def own(directory: Path) -> Library:
    """Return the files below a directory.

    Raises:
        ToolError: There are no files.
    """
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    if not files:
        raise ToolError(f"{directory} contains no files.", cure="Name a folder with videos or images in it.")
    return Library(tuple(Video(path.relative_to(directory).as_posix(), path) for path in files), None)

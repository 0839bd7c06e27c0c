"""The folder in which a rehearsal leaves everything; it removes what an earlier rehearsal made there, and nothing else."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shlex
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tools.lib.bounded import MAX_DOCUMENT, MAX_SETTINGS, parse_json, read_file
from tools.lib.cli import replace_atomically
from tools.lib.errors import ToolError

FOLDERS = ("library", "cdk.out", "world", "manifests")
FILES = ("review.txt", "review.json", "review.html", "day.txt", "frames.txt")
MARKER = ".rehearsal.json"
# A file in each folder while a rehearsal runs, by which it differs from a folder that someone made in its place.
SEAL = ".rehearsal"
# Files that file managers leave in folders.
_CLUTTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


class OutputFolder:
    """The output of one rehearsal, locked by it inside the `with` block.

    The marker lists what was made here: the inode of each folder, and the size and time of each file below them. A rehearsal that
    was killed did not list all its files, and its logs grew after they were listed. So everything counts as its own in folders that
    still have its seal, except in the library, which is listed as soon as it is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._descriptor = -1
        self._token = secrets.token_hex()

    def __enter__(self) -> Self:
        """Lock the folder, remove what an earlier rehearsal left, and make the folders anew.

        Raises:
            ToolError: Another rehearsal is using the folder, or it contains files that no rehearsal made.
        """
        for parent in self.path.parents:
            if (parent / MARKER).exists():
                raise ToolError(
                    f"{self.path} is inside {parent}, the output of another rehearsal.", cure="Choose another --output."
                )
        self.path.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._lock()
            self._clear()
            self._make()
        except BaseException:  # whatever happened, the folder must be free again
            os.close(self._descriptor)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """List what was made, and unlock the folder."""
        try:
            if self._is_there():
                self._mark(complete=True)
                for name in FOLDERS:
                    (self.path / name / SEAL).unlink(missing_ok=True)
        finally:
            os.close(self._descriptor)

    def check(self) -> None:
        """Check that the folders are still those that were made.

        Raises:
            ToolError: One of them was removed or replaced.
        """
        if not self._is_there():
            raise ToolError(
                f"{self.path} was removed or replaced while the rehearsal was using it.",
                cure="Do not touch it until the rehearsal has ended, then rehearse again.",
            )

    def add(self, name: str, text: str) -> None:
        """Write one of the files beside the folders, and list it."""
        self.check()
        (self.path / name).write_text(text, encoding="utf-8")
        self.note()

    def note(self) -> None:
        """List what has been made so far, so that little is unlisted if the rehearsal is killed."""
        self.check()
        self._mark(complete=False)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # released when the process ends, even if it is killed
        except BlockingIOError as error:
            raise ToolError(
                f"Another rehearsal is using {self.path}.", cure="Wait until it has ended, or choose another folder with --output."
            ) from error
        except OSError as error:
            raise ToolError(
                f"{self.path} cannot be locked: {error.strerror}.", cure="Choose a folder on a local disk with --output."
            ) from error

    def _is_there(self) -> bool:
        return all(_seal(self.path / name) == self._token for name in FOLDERS)

    def _clear(self) -> None:
        """Remove what an earlier rehearsal made; everything is checked before anything is removed."""
        present = [self.path / name for name in (*FOLDERS, *FILES) if os.path.lexists(self.path / name)]
        marked = self._marked()
        for path in present:
            self._require_ours(path, marked)
        for path in present:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _marked(self) -> dict[str, Any]:
        """Return the content of the marker, or that of an empty one if there is none."""
        path = self.path / MARKER
        if not os.path.lexists(path):
            return {"folders": {}, "files": {}, "complete": True, "token": ""}
        try:
            marked = {} if path.is_symlink() else parse_json(read_file(path, "the marker of a rehearsal", MAX_DOCUMENT))
        except (OSError, ToolError, ValueError):
            marked = {}
        shapes = {"folders": dict, "files": dict, "complete": bool, "token": str}
        if not isinstance(marked, dict) or not all(isinstance(marked.get(name), kind) for name, kind in shapes.items()):
            raise _foreign(path)
        return marked

    def _require_ours(self, path: Path, marked: dict[str, Any]) -> None:
        name = path.relative_to(self.path).as_posix()
        facts = path.lstat()
        if not stat.S_ISDIR(facts.st_mode):
            if marked["files"].get(name) != _mark_of(facts):
                raise _foreign(path)
            return
        if marked["folders"].get(name) != facts.st_ino:
            raise _foreign(path)
        sealed = _seal(path) == marked["token"]
        killed = sealed and not marked["complete"] and name != "library"
        for found in _files_below(path):
            listed = marked["files"].get(found.relative_to(self.path).as_posix())
            known = killed or listed == _mark_of(found.lstat()) or (sealed and found == path / SEAL)
            if not known and found.name not in _CLUTTER:
                raise _foreign(found)

    def _make(self) -> None:
        for name in FOLDERS:
            (self.path / name).mkdir()
            (self.path / name / SEAL).write_text(self._token, encoding="utf-8")
        self._mark(complete=False)

    def _mark(self, *, complete: bool) -> None:
        paths = [self.path / name for name in FILES if os.path.lexists(self.path / name)]
        for name in FOLDERS:
            paths += _files_below(self.path / name)
        marked = {
            "made_by": "tools/rehearse.py",
            "complete": complete,
            "token": self._token,
            "folders": {name: (self.path / name).stat().st_ino for name in FOLDERS},
            "files": dict(self._listed(paths)),
        }
        with replace_atomically(self.path / MARKER) as part:
            part.write_text(json.dumps(marked), encoding="utf-8")

    def _listed(self, paths: Iterable[Path]) -> Iterator[tuple[str, list[int]]]:
        for path in paths:
            # Files come and go while the world runs; once it has ended, everything is listed.
            with contextlib.suppress(FileNotFoundError):
                if path.name != SEAL:
                    yield path.relative_to(self.path).as_posix(), _mark_of(path.lstat())


def require_apart(directory: Path, output: Path) -> None:
    """Refuse an output that contains the videos or is among them, by whatever path they are named.

    Raises:
        ToolError: One contains the other, or a video is a link into the output.
    """
    cure = "Choose a folder outside the videos with --output."
    if _contains(output, directory) or _contains(directory, output):
        raise ToolError(f"The output {output} and the folder of videos {directory} must not contain each other.", cure=cure)
    for path in directory.rglob("*"):
        if path.is_symlink() and _contains(output, path.resolve()):
            raise ToolError(f"{path} is a link into the output {output}.", cure=cure)


def _contains(folder: Path, path: Path) -> bool:
    """Tell whether a path is a folder or lies in it; a folder may have two names (case, mounts)."""
    path, folder = path.resolve(), folder.resolve()
    if not folder.exists():
        return path.is_relative_to(folder)
    return any(each.exists() and each.samefile(folder) for each in (path, *path.parents))


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield all files and links below a folder; links are not followed."""
    for here, folders, files in os.walk(folder):
        linked = [name for name in folders if (Path(here) / name).is_symlink()]
        yield from (Path(here) / name for name in (*files, *linked))


def _seal(folder: Path) -> str:
    path = folder / SEAL
    try:
        return "" if path.is_symlink() else read_file(path, "the seal of a rehearsal", MAX_SETTINGS).decode()
    except (OSError, ToolError, ValueError):
        return ""


def _mark_of(facts: os.stat_result) -> list[int]:
    return [facts.st_size, facts.st_mtime_ns]


def _foreign(path: Path) -> ToolError:
    return ToolError(
        f"{path} was not made by a rehearsal, or was changed afterwards. Nothing was deleted.",
        cure=f"Choose another folder with --output, or move it away. To delete it: rm -r {shlex.quote(str(path))}",
    )

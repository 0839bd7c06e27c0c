"""The folder in which a rehearsal leaves everything: it clears away what an earlier rehearsal made there, and nothing else."""

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

from tools.lib.errors import ToolError

FOLDERS = ("library", "cdk.out", "world", "manifests")
FILES = ("review.txt", "review.json", "review.html")
MARKER = ".rehearsal.json"
# In each folder while a rehearsal lasts: an inode alone proves nothing, the next folder that anybody makes may get the same.
SEAL = ".rehearsal"
# What file managers leave in a folder that was looked at.
_CLUTTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


class OutputFolder:
    """The folder of one rehearsal, from `with` to its end held by it alone.

    The marker says what was made here: the inode of each folder, and of each file below them its size and time. A rehearsal that
    was killed has not listed all its files, and logs had grown since: in folders that still hold its seal everything counts as its
    own then, but for the library, which is listed as soon as it is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._descriptor = -1
        self._held: dict[str, int] = {}  # by folder; while a descriptor is open its inode is not given to another folder
        self._token = secrets.token_hex()

    def __enter__(self) -> Self:
        """Take the folder, clear away what an earlier rehearsal left, and make the folders anew.

        Raises:
            ToolError: Another rehearsal is using it, or it holds something that no rehearsal made.
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
        except BaseException:  # whatever it was, the folder must be free for the next
            self._release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """List what was made, and leave the folder to the next."""
        try:
            if self._is_there():
                self._mark(complete=True)
                for name in FOLDERS:
                    (self.path / name / SEAL).unlink(missing_ok=True)
        finally:
            self._release()

    def check(self) -> None:
        """Note what has been made so far.

        Raises:
            ToolError: The folder, or one of those in it, was removed or replaced meanwhile.
        """
        if not self._is_there():
            raise ToolError(
                f"{self.path} was removed or replaced while the rehearsal was using it.",
                cure="Leave it until the rehearsal has ended.",
            )

    def add(self, name: str, text: str) -> None:
        """Write one of the files beside the folders."""
        self.check()
        (self.path / name).write_text(text, encoding="utf-8")
        self._mark(complete=False)

    def note(self) -> None:
        """List what has been made so far, so that a rehearsal that is killed leaves as little unlisted as can be."""
        self.check()
        self._mark(complete=False)

    def _release(self) -> None:
        for descriptor in (*self._held.values(), self._descriptor):
            os.close(descriptor)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however that ends
        except BlockingIOError as error:
            raise ToolError(
                f"Another rehearsal is using {self.path}.", cure="Wait for its end, or choose another folder with --output."
            ) from error
        except OSError as error:
            raise ToolError(
                f"{self.path} cannot be locked: {error.strerror}.", cure="Choose a folder on a disk of this machine with --output."
            ) from error

    def _is_there(self) -> bool:
        held = {self.path: self._descriptor, **{self.path / name: descriptor for name, descriptor in self._held.items()}}
        with contextlib.suppress(OSError):
            return all(os.path.samestat(os.fstat(descriptor), path.lstat()) for path, descriptor in held.items())
        return False

    def _clear(self) -> None:
        """Remove what an earlier rehearsal made; everything is looked at before anything is removed."""
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
        """Return what the marker says, where there is one."""
        path = self.path / MARKER
        if not os.path.lexists(path):
            return {"folders": {}, "files": {}, "complete": True, "token": ""}
        try:
            marked = {} if path.is_symlink() else json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
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
        killed = not marked["complete"] and name != "library" and _seal(path) == marked["token"]
        for found in _files_below(path):
            listed = marked["files"].get(found.relative_to(self.path).as_posix())
            known = killed or listed == _mark_of(found.lstat())
            if not known and found.name not in _CLUTTER:
                raise _foreign(found)

    def _make(self) -> None:
        for name in FOLDERS:
            (self.path / name).mkdir()
            self._held[name] = os.open(self.path / name, os.O_RDONLY | os.O_DIRECTORY)
            if name != "library":
                (self.path / name / SEAL).write_text(self._token, encoding="utf-8")
        self._mark(complete=False)

    def _mark(self, *, complete: bool) -> None:
        paths = [self.path / name for name in FILES if os.path.lexists(self.path / name)]
        for name in self._held:
            paths += _files_below(self.path / name)
        marked = {
            "made_by": "tools/rehearse.py",
            "complete": complete,
            "token": self._token,
            "folders": {name: os.fstat(descriptor).st_ino for name, descriptor in self._held.items()},
            "files": dict(self._listed(paths)),
        }
        beside = self.path / f"{MARKER}.{os.getpid()}"
        beside.write_text(json.dumps(marked), encoding="utf-8")
        beside.replace(self.path / MARKER)

    def _listed(self, paths: Iterable[Path]) -> Iterator[tuple[str, list[int]]]:
        for path in paths:
            # A log grows while the world is at work; by the time all has ended everything is listed.
            with contextlib.suppress(FileNotFoundError):
                if path.name != SEAL:
                    yield path.relative_to(self.path).as_posix(), _mark_of(path.lstat())


def require_apart(directory: Path, output: Path) -> None:
    """Refuse an output in which the videos lie, or that lies among them, by whatever way it is named.

    Raises:
        ToolError: One of the two contains the other, or a video is a link into the output.
    """
    cure = "Choose a folder outside the videos with --output."
    if _contains(output, directory) or _contains(directory, output):
        raise ToolError(f"The videos in {directory} and the output {output} lie in each other.", cure=cure)
    for path in directory.rglob("*"):
        if path.is_symlink() and _contains(output, path.resolve()):
            raise ToolError(f"{path} is a link into the output {output}.", cure=cure)


def _contains(folder: Path, path: Path) -> bool:
    """Tell whether a path is a folder or lies in it; the same folder may have two names (case, mounts)."""
    path, folder = path.resolve(), folder.resolve()
    if not folder.exists():
        return path.is_relative_to(folder)
    return any(each.exists() and each.samefile(folder) for each in (path, *path.parents))


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield everything below a folder but folders; links are not followed."""
    for here, folders, files in os.walk(folder):
        linked = [name for name in folders if (Path(here) / name).is_symlink()]
        yield from (Path(here) / name for name in (*files, *linked))


def _seal(folder: Path) -> str:
    path = folder / SEAL
    try:
        return "" if path.is_symlink() else path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _mark_of(facts: os.stat_result) -> list[int]:
    return [facts.st_size, facts.st_mtime_ns]


def _foreign(path: Path) -> ToolError:
    return ToolError(
        f"{path} was not made by a rehearsal, or was changed since: nothing was deleted.",
        cure=f"Choose another folder with --output, or move it away; if it can go: rm -r {shlex.quote(str(path))}",
    )

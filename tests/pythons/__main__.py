"""`make demo-pythons`: the demo on every Python of this machine that the project takes, each with an environment of its own.

Imports the standard library only: the Python that runs it may have nothing else.
"""

# ruff: noqa: T201  # a program of the command line
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "pythons"
UV = ROOT / ".uv" / "bin" / "uv"
# As the Makefile makes the environment of the demo.
LEAN = ("--constraints", ROOT / "requirements.lock", "--requirements", ROOT / "pyproject.toml", "--group", "emulator")
ASK = (  # understood by Python 2 too
    "import json, platform, sys, sysconfig; print(json.dumps([sys.version_info[:3], platform.python_implementation(),"
    " bool(sysconfig.get_config_var('Py_GIL_DISABLED'))]))"
)
ASK_SECONDS = 30
DEMO_SECONDS = 900


@dataclass(frozen=True)
class Python:
    """A Python that was found: where, and its version."""

    path: Path
    version: tuple[int, ...]

    @property
    def minor(self) -> str:
        """The version by which wheels are chosen, e.g. 3.12."""
        return ".".join(map(str, self.version[:2]))


def main() -> int:
    """Run the demo on each; return 0 where all passed and there was one."""
    found, left_out = choose(candidates(Path.home(), os.environ.get("PATH", "")), oldest())
    for line in left_out:
        print(f"left out: {line}")
    failed = [python for python in found if not passes(python)]
    for python in found:
        print(f"{'FAILED' if python in failed else 'passed'}: the demo on Python {python.minor} ({python.path})")
    if not found:
        print("No Python was found on which the demo could be run.", file=sys.stderr)
    return 1 if failed or not found else 0


def oldest() -> tuple[int, ...]:
    """Return the oldest Python that the project takes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return tuple(int(number) for number in re.findall(r"\d+", project["requires-python"]))


def candidates(home: Path, search_path: str) -> Iterator[Path]:
    """Yield what may be a Python: pyenv's, then those of the PATH but for pyenv's stand-ins."""
    yield from sorted(home.glob(".pyenv/versions/*/bin/python"))
    shims = home / ".pyenv" / "shims"
    for folder in map(Path, filter(None, search_path.split(os.pathsep))):
        if folder != shims:
            yield from sorted(path for path in folder.glob("python3*") if re.fullmatch(r"python3(\.\d+)?", path.name))


def choose(paths: Iterable[Path], since: tuple[int, ...]) -> tuple[list[Python], list[str]]:
    """Return one Python for each minor version, oldest first, and a line for each path that is not one of them."""
    chosen: dict[tuple[int, ...], Python] = {}
    left_out = []
    for path in paths:
        python = ask(path)
        if isinstance(python, str):
            left_out.append(f"{path}: {python}")
        elif python.version < since:
            left_out.append(f"{path}: Python {'.'.join(map(str, python.version))} is older than {'.'.join(map(str, since))}")
        else:
            chosen.setdefault(python.version[:2], python)
    return [chosen[version] for version in sorted(chosen)], left_out


def ask(path: Path) -> Python | str:
    """Return the Python at a path, or why there is none that can be used."""
    try:
        done = subprocess.run([path, "-c", ASK], capture_output=True, text=True, timeout=ASK_SECONDS, check=True)
        version, implementation, free_threaded = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return f"broken ({type(error).__name__})"
    if implementation != "CPython" or free_threaded:
        return "no wheels are made for it (not CPython, or free-threaded)"
    return Python(path, tuple(version))


def passes(python: Python) -> bool:
    """Run the demo on a Python, with an environment and an output of its own; tell whether it passed."""
    home = BUILD / python.minor
    home.mkdir(parents=True, exist_ok=True)
    bin_python = home / "venv" / "bin" / "python"
    commands: list[list[str | Path]] = [
        [UV, "venv", "--quiet", "--clear", "--python", python.path, home / "venv"],
        [UV, "pip", "install", "--quiet", "--require-hashes", "--python", bin_python, *LEAN],
        [bin_python, ROOT / "tools" / "rehearse.py", "--output", home / "rehearsal"],
    ]
    print(f"\nThe demo on Python {python.minor} ({python.path})", flush=True)
    try:
        return all(subprocess.run(command, cwd=ROOT, timeout=DEMO_SECONDS, check=False).returncode == 0 for command in commands)
    except subprocess.TimeoutExpired as error:
        print(f"{error.cmd[0]} took more than {DEMO_SECONDS} s", file=sys.stderr)
        return False


if __name__ == "__main__":
    sys.exit(main())

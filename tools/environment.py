"""Finds the project's environment: a program started by any Python continues in `.venv`, or ends with a sentence on what to do.

Whatever `python3` is reads this: it must be understood by Python 3.6, and so must the programs that call it, because they are read
whole before they run. It imports the standard library only.
"""

import errno
import os
import re
import shlex
import signal
import sys
from pathlib import Path
from types import TracebackType

OLDEST = (3, 11)
# The exit code of all programs after Ctrl-C.
INTERRUPTED = 130
ROOT = Path(__file__).resolve().parent.parent
# Holds the id of the process that has gone over to .venv: it remains the same process, those that it starts are others.
ENTERED = "VIDEO_MODERATION_ENTERED"
# The errors of a write for which there is no room, or that the device fails.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def enter(*groups: str) -> None:
    """Return where this Python has what the program needs; else become the same program in `.venv`, or end with what to do.

    Arguments, input, output, working directory and exit code stay the program's: the process is replaced, not wrapped.

    Args:
        groups: Groups of pyproject.toml that the program needs beside the project's own dependencies.
    """
    sys.excepthook = _end
    if sys.stderr is None:  # closed: what is meant for it would go to stdout
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  # open as long as the program runs
    went_over = os.environ.pop(ENTERED, None) == str(os.getpid())
    missing = _missing(groups)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    if missing and not went_over:
        _go_over(ROOT / ".venv" / "bin" / "python")  # does not return if it works
    if missing:
        sys.stderr.write(f"Error: {_program()} needs {missing}.\nCure:  {_cure()}\n")
        sys.exit(1)


def _end(kind: "type[BaseException]", error: BaseException, trace: "TracebackType | None") -> None:
    """End with a word and the exit code that the help names where nothing else has: at imports, and while the help is written."""
    if isinstance(error, KeyboardInterrupt):
        _exit(INTERRUPTED, "Interrupted.")  # Python itself would end as if the signal had killed it
    if isinstance(error, OSError) and error.filename is None and error.errno in _FULL:
        _exit(1, f"Error: stdout cannot be written: {error.strerror}.")
    sys.__excepthook__(kind, error, trace)


def _exit(code: int, word: str) -> None:
    sys.stderr.write(word + "\n")
    sys.stderr.flush()
    os._exit(code)


def _missing(groups: "tuple[str, ...]") -> str:
    """Say what this Python lacks, "" for nothing."""
    if sys.version_info < OLDEST:
        version = ".".join(str(number) for number in sys.version_info[:3])
        return f"Python {OLDEST[0]}.{OLDEST[1]} or newer, and this is Python {version} ({sys.executable})"
    lacking = [requirement for requirement in _requirements(groups) if not _met(requirement)]
    return f"{', '.join(lacking)}, which this Python does not have ({sys.executable})" if lacking else ""


def _requirements(groups: "tuple[str, ...]") -> "list[str]":
    """Return what pyproject.toml asks for, without extras and upper bounds."""
    import tomllib  # noqa: PLC0415  # since Python 3.11

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    required = list(project["project"]["dependencies"])
    waiting = list(groups)
    while waiting:
        entries = project["dependency-groups"][waiting.pop()]
        waiting += [entry["include-group"] for entry in entries if isinstance(entry, dict)]
        required += [entry for entry in entries if isinstance(entry, str)]
    return [re.sub(r"\[.*?\]|[,;].*|\s", "", requirement) for requirement in required]


def _met(requirement: str) -> bool:
    from importlib import metadata  # noqa: PLC0415  # since Python 3.8

    name, relation, required = re.fullmatch(r"([\w.-]+)(\W*)(.*)", requirement).groups()  # type: ignore[union-attr]  # any text matches
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return found == required if relation == "==" else _numbers(found) >= _numbers(required)


def _numbers(version: str) -> "list[int]":
    return [int(number) for number in re.findall(r"\d+", version)]


def _go_over(python: Path) -> None:
    """Become the same program under another Python; return where that cannot be run."""
    if not os.access(str(python), os.X_OK):
        return
    environment = {**os.environ, ENTERED: str(os.getpid())}
    environment.pop("__PYVENV_LAUNCHER__", None)  # with it macOS's own Python would be the one that runs again
    # Ctrl-C waits until `enter` of the new Python runs; before that it would end with a traceback.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        os.execve(str(python), [str(python), *_arguments()], environment)  # noqa: S606  # the project's own Python
    except OSError as error:
        sys.stderr.write(f"{python} cannot be run: {error.strerror}\n")
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _arguments() -> "list[str]":
    """Return what followed the interpreter's name on the command line."""
    given = getattr(sys, "orig_argv", None)  # since Python 3.10
    if given:
        return list(given[1:])
    spec = sys.modules["__main__"].__spec__
    if spec is None:
        return sys.argv
    # -m package: package.__main__. Not str.removesuffix, which is of Python 3.9.
    name = spec.name[: -len(".__main__")] if spec.name.endswith(".__main__") else spec.name  # noqa: FURB188  # see above
    return ["-m", name, *sys.argv[1:]]


def _program() -> str:
    path = Path(sys.argv[0])
    return path.parent.name if path.name == "__main__.py" else path.name


def _cure() -> str:
    setup = f"make -C {shlex.quote(str(ROOT))} setup"
    if sys.version_info < OLDEST:
        setup += " PYTHON=python3.12"
    return f"Run `{setup}`, then the program again."

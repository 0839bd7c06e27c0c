"""The options that review_report.py had before it had commands: a command line with some is answered with that of today."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

_PROGRAM = "python tools/review_report.py"

# The command of today for each former option, and what the option is called there; braces stand for its value.
_FORMER = {
    "--html": ("page", "{FILE}"),
    "--csv": ("export", "--csv {FILE}"),
    "--jsonl": ("export", "--jsonl {FILE}"),
    "--rows": ("export", "--rows {videos|segments}"),
    "--apply": ("apply", "{FILE}"),
    "--decided-by": ("apply", "--decided-by {NAME}"),
    "--retry": ("retry", ""),
    "--retry-all-failed": ("retry", "--all-failed"),
    "--dry-run": ("retry", "--dry-run"),
    "--yes": ("retry", "--yes"),
    "--wait": ("retry", "--wait"),
    "--policy": ("policy", "{FILE}"),
    "--apply-policy": ("policy", "--apply"),
    "--mail-newly-flagged": ("policy", "--mail-newly-flagged"),
    "--video": ("video", "{URI}"),
    "--since": ("list", "--since {TIME}"),
}

# What each command requires, by the former options, any of which provides it.
_REQUIRED = {
    "page": ("--html",),
    "export": ("--csv", "--jsonl"),
    "apply": ("--apply",),
    "policy": ("--policy",),
    "video": ("--video",),
}

# Options that were refused without one of these: an answer with them would start what the command line did not request.
_BELONGS = {
    "--dry-run": ("--retry", "--retry-all-failed"),
    "--yes": ("--retry", "--retry-all-failed"),
    "--wait": ("--retry", "--retry-all-failed"),
    "--mail-newly-flagged": ("--apply-policy",),
}


def answer(arguments: Sequence[str]) -> str | None:
    """Return the message for a command line with former options, or None where it has none."""
    former, others = _parsed(arguments)
    if not former:
        return None
    for name in former:
        if name in _BELONGS and not former.keys() & set(_BELONGS[name]):
            return f"{name} requires {' or '.join(_BELONGS[name])}: add that, or omit {name}."
    given: dict[str, list[str]] = {}
    for name, value in former.items():
        command, option = _FORMER[name]
        given.setdefault(command, []).append(_filled(option, value))
    for command, words in given.items():
        required = _REQUIRED.get(command, ())
        if required and not former.keys() & set(required):
            words.insert(0, _filled(_FORMER[required[0]][1], ""))
    lines = [" ".join(filter(None, [_PROGRAM, command, *words, *others])) for command, words in given.items()]
    return f"This program has commands now; type:\n  {' && '.join(lines)}"


def _parsed(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the former options with their values (empty where there is none), and all other words, quoted for the shell."""
    former: dict[str, str] = {}
    others: list[str] = []
    words = iter(arguments)
    for word in words:
        name, _, value = word.partition("=")
        if name not in _FORMER:
            others.append(shlex.quote(word))
        elif "{" in _FORMER[name][1]:
            former[name] = value or next(words, "")
        else:
            former[name] = ""
    return former, others


def _filled(option: str, value: str) -> str:
    """Return an option with its value, or with what to put there."""
    before, brace, placeholder = option.partition("{")
    return f"{before}{shlex.quote(value) if value else placeholder.rstrip('}')}" if brace else option

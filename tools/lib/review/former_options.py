"""The options that review_report.py had before it had commands: each is answered with the command line that does the same today."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any

import click

# Words where a former option lacked its argument, or belonged to another option that was not given.
_FILE, _URI, _TIME = "FILE", "URI", "TIME"

# A value may be missing: then the placeholder takes its place, and the answer shows where it goes.
_VALUES = {
    "--html": _FILE,
    "--csv": _FILE,
    "--jsonl": _FILE,
    "--rows": "videos|segments",
    "--apply": _FILE,
    "--decided-by": "NAME",
    "--policy": _FILE,
    "--video": _URI,
    "--since": _TIME,
}
_FLAGS = ("--retry", "--retry-all-failed", "--dry-run", "--yes", "--wait", "--apply-policy", "--mail-newly-flagged")

# Options that every command has today, or all that are about one scan; they go along.
_SCAN = {"--scan": "ID", "--job": "ID"}
_TARGET = {"--stack": "NAME", "--region": "REGION", "--profile": "NAME"}
_KEPT_FLAGS = ("--without-manifest", "--json", "--debug")

Given = Mapping[str, Any]


def answer(arguments: list[str]) -> str | None:
    """Return what to say to a command line of before, or None where it holds no former option."""
    given = _given(arguments)
    former = [name for name in (*_VALUES, *_FLAGS) if name in given]
    if not former:
        return None
    lines = [shlex.join(["python", "tools/review_report.py", *words, *_kept(given)]) for words in _commands(given)]
    return "\n".join([f"This program has commands now; instead of {', '.join(former)} type:", *(f"  {line}" for line in lines)])


def _commands(given: Given) -> list[list[str]]:
    """Return the commands that do what was asked for, without the options that are kept."""
    return [words for command in _COMMANDS if (words := command(given))]


def _page(given: Given) -> list[str]:
    return ["page", given["--html"]] if "--html" in given else []


def _export(given: Given) -> list[str]:
    if not {"--csv", "--jsonl", "--rows"} & given.keys():
        return []
    files = _options(given, "--csv", "--jsonl") or ["--csv", _FILE]
    return ["export", *files, *_options(given, "--rows")]


def _apply(given: Given) -> list[str]:
    if not {"--apply", "--decided-by"} & given.keys():
        return []
    return ["apply", given.get("--apply", _FILE), *_options(given, "--decided-by")]


def _retry(given: Given) -> list[str]:
    if not {"--retry", "--retry-all-failed", "--dry-run", "--yes", "--wait"} & given.keys():
        return []
    all_failed = ["--all-failed"] if "--retry-all-failed" in given else []
    return ["retry", *all_failed, *(name for name in ("--dry-run", "--yes", "--wait") if name in given)]


def _policy(given: Given) -> list[str]:
    if not {"--policy", "--apply-policy", "--mail-newly-flagged"} & given.keys():
        return []
    apply = ["--apply"] if {"--apply-policy", "--mail-newly-flagged"} & given.keys() else []
    mail = ["--mail-newly-flagged"] if "--mail-newly-flagged" in given else []
    return ["policy", given.get("--policy", _FILE), *apply, *mail]


def _video(given: Given) -> list[str]:
    return ["video", given["--video"]] if "--video" in given else []


def _list(given: Given) -> list[str]:
    return ["list", "--since", given["--since"]] if "--since" in given else []


_COMMANDS: tuple[Callable[[Given], list[str]], ...] = (_page, _export, _apply, _retry, _policy, _video, _list)


def _kept(given: Given) -> list[str]:
    return [
        *_options(given, *_SCAN),
        *(name for name in _KEPT_FLAGS if name in given),
        *_options(given, *_TARGET),
    ]


def _options(given: Given, *names: str) -> list[str]:
    return [word for name in names if name in given for word in (name, given[name])]


def _given(arguments: list[str]) -> Given:
    """Return the options of a command line by name; whatever else is wrong with it is not reported here."""
    values = {**_VALUES, **_SCAN, **_TARGET}
    parser = click.Command(
        "former",
        params=[
            *(click.Option([name], is_flag=False, flag_value=placeholder) for name, placeholder in values.items()),
            *(click.Option([name], is_flag=True) for name in (*_FLAGS, *_KEPT_FLAGS)),
        ],
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        add_help_option=False,
    )
    context = parser.make_context("former", list(arguments), resilient_parsing=True)
    found = {param.opts[0]: context.params[param.name or ""] for param in parser.params}
    return {name: value for name, value in found.items() if value}

"""The options that review_report.py had before it had commands: each is answered with the command that does the same today."""

from __future__ import annotations

from collections.abc import Iterable

_COMMANDS = {
    "--html": "page FILE",
    "--csv": "export --csv FILE",
    "--jsonl": "export --jsonl FILE",
    "--rows": "export --csv FILE --rows videos|segments",
    "--apply": "apply FILE",
    "--decided-by": "apply FILE --decided-by NAME",
    "--retry": "retry",
    "--retry-all-failed": "retry --all-failed",
    "--dry-run": "retry --dry-run",
    "--yes": "retry --yes",
    "--wait": "retry --wait",
    "--policy": "policy FILE",
    "--apply-policy": "policy FILE --apply",
    "--mail-newly-flagged": "policy FILE --apply --mail-newly-flagged",
    "--video": "video URI",
    "--since": "list --since TIME",
}


def answer(arguments: Iterable[str]) -> str | None:
    """Return what to say to a command line of before, or None where it holds no former option."""
    former = dict.fromkeys(name for name in (argument.partition("=")[0] for argument in arguments) if name in _COMMANDS)
    lines = [f"  {name} is now: python tools/review_report.py {_COMMANDS[name]}" for name in former]
    return "\n".join(["This program has commands now:", *lines]) if lines else None

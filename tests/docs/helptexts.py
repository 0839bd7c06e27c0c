"""The help texts of the programs in their pages, between two marks."""

import re
from pathlib import Path

import click

from tools import control_scan, rehearse, review_report, submit_job

ROOT = Path(__file__).parents[2]
PROGRAMS = {
    "control_scan.py": control_scan.main,
    "rehearse.py": rehearse.main,
    "review_report.py": review_report.main,
    "submit_job.py": submit_job.main,
}

BEGIN = "<!-- What follows is written by `make docs`. -->"
END = "<!-- Up to here it was written by `make docs`. -->"

# Columns of the help texts, on whatever terminal they are generated.
WIDTH = 100


def page(program):
    """Return the path of a program's page."""
    return ROOT / "docs" / f"{Path(program).stem}.md"


def written(program):
    """Return the text of a program's page with today's help texts between the marks."""
    before, _, rest = page(program).read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{_sections(program)}\n{END}{after}"


def _sections(program):
    return "\n".join(f"### `{name}`\n\n```text\n{text}\n```\n" for name, text in _helps(program))


def _helps(program):
    """Yield the name and help text of a program, and of each of its commands."""
    main = PROGRAMS[program]
    settings = {**main.context_settings, "terminal_width": WIDTH}
    context = click.Context(main, info_name=f"python tools/{program}", **settings)
    yield program, _tidy(main.get_help(context))
    yield from _commands(program, context)


def _commands(name, context):
    """Yield the name and help text of each command of a group, and of the groups in it."""
    if isinstance(context.command, click.Group):
        for word in context.command.list_commands(context):
            command = context.command.get_command(context, word)
            inner = click.Context(command, parent=context, info_name=word)
            text = _tidy(command.get_help(inner))
            yield f"{name} {word}", text.partition("\n\n  Exit codes:")[0]  # once a page, with the program's own help
            yield from _commands(f"{name} {word}", inner)


def _tidy(text):
    return re.sub(r" +$", "", text, flags=re.MULTILINE)

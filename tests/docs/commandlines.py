"""Our command lines in a page, and whether our programs and our Makefile accept them; nothing is run."""

import ast
import importlib.util
import re
import shlex
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

import click

from tests.bench import __main__ as bench
from tests.docs.helptexts import PROGRAMS
from tests.docs.markdown import ROOT, lines
from tools.emulator import __main__ as emulator
from tools.lib.submit.source_options import require_consistent

_PYTHON = re.compile(r"(.*/)?python3?")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_OURS = re.compile(r"(\$ )?(\w+=\S+ )*((\.venv/bin/)?python3? (tools/|app\.py|-m (tools|tests)\b)|make( |$))")
# A program named without `python`, with what is meant of it: `control_scan.py slots`, `submit_job.py --check`.
_MENTION = re.compile(rf"({'|'.join(map(re.escape, PROGRAMS))}) ")
_INLINE = re.compile(r"`([^`]+)`")
_MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
_TARGETS = frozenset(re.findall(r"^([a-z-]+):", _MAKEFILE, re.MULTILINE))
_VARIABLES = frozenset(re.findall(r"\$\((?:or \$\()?([A-Z_]+)", _MAKEFILE)) | set(
    re.findall(r"^([A-Z_]+) \?=", _MAKEFILE, re.MULTILINE)
)

# In place of what a sentence is given while the program runs.
FILLED_IN = "X"


class Refused(Exception):  # noqa: N818 - what became of the line
    """A command line that our programs or our Makefile would refuse."""


def command_lines(page):
    """Yield each of our command lines in a page, in blocks and in lines, with its place."""
    for line in lines(page):
        indented = line.language is None and line.text.startswith("    ")  # code without a fence
        texts = [line.text.strip()] if indented or line.language is not None else []
        texts += _INLINE.findall(line.text) if line.language is None else []
        yield from ((line.where, text) for text in texts if _named(text))


def options(page):
    """Yield each option that a page names by itself, with its place."""
    for line in lines(page):
        if line.language is None:
            yield from ((line.where, text.split()[0]) for text in _INLINE.findall(line.text) if text.startswith("--"))


def known_options(command):
    """Return the options of a command and of all its commands."""
    found = {option for parameter in command.params for option in parameter.opts}
    commands = command.commands.values() if isinstance(command, click.Group) else ()
    return found.union(*map(known_options, commands))


def named_in_code(path):
    """Yield each of our command lines that the sentences of a module name, with `FILLED_IN` for values, and its line."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.JoinedStr(values=parts):
                text = "".join(part.value if isinstance(part, ast.Constant) else FILLED_IN for part in parts)
                yield from ((node.lineno, found) for found in _INLINE.findall(text) if _named(found))
            case ast.Constant(value=str(text)):
                yield from ((node.lineno, found) for found in _INLINE.findall(text) if _named(found))
            case ast.Call(func=ast.Attribute(attr="command"), args=[ast.Constant(value=str(program)), *words]) if (
                program in PROGRAMS
            ):
                yield (
                    node.lineno,
                    " ".join([program, *(word.value if isinstance(word, ast.Constant) else FILLED_IN for word in words)]),
                )


def _named(text):
    return _OURS.match(text) or _MENTION.match(text)


def require_named(text):
    """Make sure that a command line names a program or target, and commands and options, that there are; it may be incomplete.

    Raises:
        Refused: It does not.
    """
    words = [word for word in text.split() if not _ASSIGNMENT.match(word)]
    if words[0] == "make":
        _require_made(words[1:2])
        return
    program, *rest = words[1:] if _PYTHON.fullmatch(words[0]) else words
    if program == "-m":
        _require_module(rest[0], [])
        return
    program = program.removeprefix("tools/")
    _require(program in PROGRAMS, f"there is no program {program}")
    main = PROGRAMS[program]
    shows = isinstance(main, click.Group) and "show" in main.commands and rest[:1] and rest[0].startswith("-")
    _require_known(main, ["show", *rest] if shows else rest)


def require_valid(text):
    """Make sure that our programs and Makefile accept each command of a line of shell.

    Raises:
        Refused: One would not.
    """
    for words in _commands(text.removeprefix("$ ")):
        match words:
            case ["make", *rest]:
                _require_made(rest)
            case [python, "app.py", *rest] if _PYTHON.fullmatch(python):
                _require(not rest, "app.py takes no arguments")
            case [python, "-m", module, *rest] if _PYTHON.fullmatch(python):
                _require_module(module, rest)
            case [python, script, *rest] if _PYTHON.fullmatch(python) and script.startswith("tools/"):
                _require(script.removeprefix("tools/") in PROGRAMS, f"there is no program {script}")
                _require_taken(PROGRAMS[script.removeprefix("tools/")], rest)
            case [program, *rest] if program in PROGRAMS:
                _require_known(PROGRAMS[program], rest)


def _commands(text):
    """Yield the words of each command of a line, without assignments before it and redirections in it."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, "#"
    words, redirected = [], False
    for word in lexer:
        if word in {"|", "||", "&&", ";", "&"}:
            yield words
            words = []
        elif word in {">", ">>", "<"}:
            redirected = True
        elif redirected:
            redirected = False
        elif words or not _ASSIGNMENT.match(word):
            words.append(word)
    yield words


def _require_made(words):
    for word in words:
        name, assigned, _ = word.partition("=")
        known = _VARIABLES if assigned else _TARGETS
        _require(name in known, f"the Makefile has no {'variable' if assigned else 'target'} {name}")


def _require_module(module, arguments):
    _require(importlib.util.find_spec(module) is not None, f"there is no module {module}")
    parsers = {"tools.emulator": emulator._parser().parse_args, "tests.bench": bench.parsed}
    if module in parsers:
        try:
            parsers[module](arguments)
        except SystemExit as refusal:
            raise Refused(f"{module} does not take {arguments}") from refusal


def _require_taken(main, arguments):
    """Have click parse the arguments of a program, including its command, without running it; files need not exist."""
    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(click.Command, "invoke", _examine))
        patches.enter_context(mock.patch.object(click.Path, "convert", lambda _, value, *__: Path(value)))
        try:
            main.main(arguments, standalone_mode=False)
        except click.ClickException as refusal:
            raise Refused(refusal.format_message()) from refusal


def _require_known(command, words):
    """Make sure that a mention names a command and options that there are; it need not be complete."""
    while isinstance(command, click.Group) and words and not words[0].startswith("-") and words[0] != FILLED_IN:
        _require(words[0] in command.commands, f"there is no command {words[0]}")
        command, words = command.commands[words[0]], words[1:]
    known = {"-h", "--help"}.union(*(parameter.opts for parameter in command.params))
    for word in words:
        _require(not word.startswith("-") or word in known, f"{command.name} has no option {word}")


def _examine(command, context):
    if command is PROGRAMS["submit_job.py"]:
        require_consistent(context)


def _require(condition, refusal):
    if not condition:
        raise Refused(refusal)

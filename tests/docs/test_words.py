"""The repository uses AWS's and the field's words (CONTRIBUTING.md#names-and-words), not those that were once its own."""

import ast
import functools
import re
import subprocess
from pathlib import Path

from tests.docs.markdown import ROOT

# Words that no identifier contains, and what to call it instead.
NAMES = {
    "appraisal": "inspection",
    "asking": "name what is requested",
    "beside": "concurrent, next to",
    "book books": "ledger, timeline, invariants",
    "bury buried grave graves": "dead letter, dlq",
    "chore chores": "task",
    "complain complaint complaints": "error, warning",
    "curable incurable": "retryable",
    "deed deeds": "action",
    "dial dials": "setting, slots",
    "doings happenings": "rules, events",
    "door doors": "client, responses, edge",
    "fate fates": "status, result",
    "gathered gathering": "manifest, builder",
    "harvest harvested harvesting": "manifest, statistics",
    "holding": "purge, cancel",
    "hub": "scheduler, main",
    "lots": "sample hashes",
    "mend mended": "fix, repair",
    "nobody": "no, or name who",
    "owed": "may have started, due",
    "patience patient patiently": "backoff, timeout",
    "rooms": "packages",
    "said told tells": "name what it is: a message, summary, output; show, report",
    "sight": "context",
    "standing": "status, progress",
    "strain straining": "remove rows",
    "surroundings": "context",
    "wanted wishes": "request, options; name what is requested",
}
# The same for names of several words.
PHRASES = {
    r"ask(s|ed|ing)? after": "poll",
    r"br(eak|eaks|eaking|oke|oken) off": "interrupt, cut off",
    r"hand(s|ed|ing)? back": "defer",
}
# What no sentence says, in docstrings, comments, messages or documents, and how to say it.
SENTENCES = {
    r"nobody": "no one, or name who",
    r"mend(s|ed|ing)?": "fix, repair",
    r"stand(s|ing)? in|stood in": "is in, replaces",
    r"so many": "that many, or name what is counted",
    r"ask(s|ed|ing)? after": "poll, ask about",
    r"br(eak|eaks|eaking|oke|oken) off": "interrupt, stop",
    r"leav(e|es|ing) \S+ away|left away": "omit",
    r"bury|buried|buries|graves?": "dead letter",
    r"chores?": "task",
    r"complain\w*": "report an error, warn",
    r"(in)?curabl[ey]": "retryable",
    r"deeds?": "action",
    r"dials?": "setting",
    r"doings|happenings": "events",
    r"fates?": "what becomes of it",
    r"harvest\w*": "write the manifest",
    r"patien(ce|t|tly)": "backoff, wait",
    r"rooms": "packages",
    r"strain(s|ed|ing)?": "remove rows",
    r"surroundings": "context",
}
# Stored names outlive code. As identifiers: fields that `asdict` writes into items.
STORED_NAMES = {"handlers/domain/record.py told", "handlers/domain/record.py limit_told"}
# The same in texts: a log event and its field, and a key of `--json`.
STORED_TEXTS = re.compile(r"chore failed|\bchore=|`chore`|nobody knows from which confidence Rekognition was asked to report")

KINDS = ("*.py", "*.js", "*.css", "*.html", "*.md", "*.toml", "Makefile")
NOT_NAMES = re.compile(r"/\*.*?\*/|//[^\n]*|\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`", re.DOTALL)

BETTER = {word: better for words, better in NAMES.items() for word in words.split()}


def _files():
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *KINDS]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    own = str(Path(__file__).relative_to(ROOT))
    return {name: (ROOT / name).read_text("utf-8") for name in names if (ROOT / name).is_file() and name != own}


FILES = _files()


def _defined(tree):
    """Yield (line, name) of every name that a module defines."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name


def _names(path, text):
    """Yield (line, name) of the names in a file: those that Python defines, JavaScript uses, HTML and CSS give to elements."""
    yield 1, path
    if path.endswith(".py"):
        yield from _defined(ast.parse(text))
    elif path.endswith(".js"):
        code = NOT_NAMES.sub(lambda found: "\n" * found[0].count("\n"), text)
        yield from ((number, name) for number, line in enumerate(code.splitlines(), 1) for name in re.findall(r"\w+", line))
    elif path.endswith((".css", ".html")):
        named = re.compile(r"\b(?:id|class|for)=\"([^\"]*)\"" if path.endswith(".html") else r"[.#]([a-z][\w-]*)")
        yield from ((number, name) for number, line in enumerate(text.splitlines(), 1) for name in named.findall(line))


def _words(name):
    """Return the words of an identifier, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


@functools.cache
def _rather(name):
    """Return what to call a name instead, as often as it says something else."""
    words = _words(name)
    phrases = [better for phrase, better in PHRASES.items() if re.search(rf"\b{phrase}\b", " ".join(words))]
    return [*(BETTER[word] for word in words if word in BETTER), *phrases]


def test_identifiers():
    """No file, function, class, argument, field, variable or element is named with a replaced word."""
    found = [
        f"{path}:{line} {name}: rather {better}"
        for path, text in FILES.items()
        for line, name in _names(path, text)
        if f"{path} {name}" not in STORED_NAMES
        for better in _rather(name)
    ]

    assert not found, "\n".join(found)


def test_sentences():
    """No docstring, comment, message or document contains a replaced expression."""
    # The boundaries around all of them: at each letter within a word, one comparison instead of one for each expression.
    expressions = "|".join(f"(?P<e{number}>{each})" for number, each in enumerate(SENTENCES))
    replaced = re.compile(rf"\b(?:{expressions})\b", re.IGNORECASE)
    better = list(SENTENCES.values())

    found = [
        f"{path}:{number} {match[0]}: rather {better[int(match.lastgroup[1:])]}"
        for path, text in FILES.items()
        for number, line in enumerate(text.splitlines(), 1)
        for match in replaced.finditer(STORED_TEXTS.sub("", line).replace("_", " "))
    ]

    assert not found, "\n".join(found)

"""A docstring says what the name does not (CONTRIBUTING.md#names-and-words)."""

import ast
import re

from tests.docs.markdown import ROOT

FOLDERS = ("handlers", "stacks", "tools")
# Words that say nothing by themselves, and the verbs with which docstrings begin.
EMPTY = frozenset(
    re.findall(
        r"\w+",
        "a an the of to in on for and or is are its it that this which whose with by as be from at into one each every if has have "
        "not no their them all any return returns yield tell whether give given",
    )
)


def stems(text):
    """Return the words of a text or an identifier, without their endings."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", text)
    return {re.sub(r"(?<=\w{3})(ing|ies|es|ed|s|e|d)$", "", word.lower()) for word in words}


def documented(tree):
    """Yield (definition, docstring, names around it) of each function, method and class."""
    for parent in ast.walk(tree):
        if isinstance(parent, ast.Module | ast.ClassDef):
            outer = parent.name if isinstance(parent, ast.ClassDef) else ""
            for node in parent.body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and (docstring := ast.get_docstring(node)):
                    yield node, docstring, outer


def known(node, outer):
    """Return what a reader knows from the line of a definition: its name, its class, its arguments, what it returns."""
    names = [outer, node.name]
    if isinstance(node, ast.FunctionDef):
        names += [argument.arg for argument in [*node.args.args, *node.args.kwonlyargs]]
        names.append(ast.unparse(node.returns) if node.returns else "")
    return stems(" ".join(names))


def says_nothing(node, docstring, outer):
    """Tell whether the first paragraph of a docstring has no word that its definition lacks."""
    words = {word for word in re.findall(r"\w+", docstring.partition("\n\n")[0].lower()) if word not in EMPTY}
    return stems(" ".join(words)) <= known(node, outer)


def test_docstrings():
    """No docstring repeats the name, the arguments and the type, and says nothing else."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {docstring}"
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node, docstring, outer in documented(ast.parse(path.read_text("utf-8")))
        if says_nothing(node, docstring, outer)
    ]

    assert not found, "\n".join(found)


def test_a_repetition_is_found():
    """A docstring of the name's own words is one that says nothing."""
    (found,) = documented(ast.parse('def scan_key(scan_id: str) -> Key:\n    """Return the key of a scan."""'))

    assert says_nothing(*found)

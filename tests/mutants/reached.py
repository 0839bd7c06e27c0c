"""Which statements a test reaches: a mark is put before each statement of each function, in memory only.

A statement is named by its file, its outermost function and how many lines it stands below that function's first: what is known of
a function stays true while others change.
"""

import ast
import builtins
from collections import defaultdict

from tests.mutants.faults import functions_in
from tests.mutants.running import ROOT, put_all

MARK = "_reached_"
BLOCKS = ("body", "orelse", "finalbody")


class Statements:
    """The statements of some sources."""

    def __init__(self, texts):
        trees = {path: ast.parse(text) for path, text in texts.items()}
        self._functions = {path: list(functions_in(tree)) for path, tree in trees.items()}
        self._readers = defaultdict(set)
        for path, functions in self._functions.items():
            for function, _ in functions:
                for node in ast.walk(function):
                    if isinstance(node, (ast.Name, ast.Attribute)):
                        self._readers[node.id if isinstance(node, ast.Name) else node.attr].add((path, node.lineno))

    def of(self, fault):
        """Return the names of the statement that a fault is in, or of those that read its number."""
        places = [(fault.path, fault.line)] if fault.function else self._readers[fault.name]
        return sorted({self._at(path, line) for path, line in places})

    def _at(self, path, line):
        functions = [each for each in self._functions[path] if _first(each[0]) <= line <= each[0].end_lineno]
        function, name = functions[0]
        # A guard of a `case` and what an `except` names belong to the whole statement, not to the last one of the block above.
        statements = (node for node in ast.walk(function) if isinstance(node, ast.stmt))
        lines = [node.lineno for node in statements if node.lineno <= line <= (node.end_lineno or node.lineno)]
        return _named(path, name, function, max(lines, default=function.lineno))


def _first(function):
    return min([function.lineno, *(each.lineno for each in function.decorator_list)])


def _named(path, name, function, line):
    return f"{path} {name}+{line - function.lineno}"


class Reached:
    """The statements that are reached, in the process that made this. `modules` is what `marked` returns."""

    def __init__(self, modules, functions):
        self._names = set()
        setattr(builtins, MARK, self._names.add)
        put_all(modules, functions)

    def taken(self):
        """Return their names, and begin again."""
        names = sorted(self._names)
        self._names.clear()
        return names


def marked(texts):
    """Return the compiled modules of some sources, with a mark before each statement."""
    return {str(ROOT / path): compile(_marked(path, text), str(ROOT / path), "exec") for path, text in texts.items()}


def _marked(path, text):
    tree = ast.parse(text)
    for function, name in functions_in(tree):
        _mark(function, lambda line, function=function, name=name: _named(path, name, function, line))
    return ast.fix_missing_locations(tree)


def _mark(node, named):
    for child in ast.iter_child_nodes(node):
        _mark(child, named)
    for field in BLOCKS:
        block = getattr(node, field, None)
        if isinstance(block, list):
            setattr(node, field, [each for statement in block for each in (*_marks(statement, named), statement)])


def _marks(statement, named):
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant):  # which may be a docstring
        call = ast.Call(ast.Name(MARK, ast.Load()), [ast.Constant(named(statement.lineno))], [])
        yield ast.copy_location(ast.Expr(call), statement)

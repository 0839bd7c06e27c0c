"""Which faults can be put into a source: small changes of what a function does, or of a number that functions read.

Not changed: sentences for people (strings with spaces, f-strings), what is logged (`tests/pins` holds that), annotations,
decorators, default values, and class bodies. A fault that nearly always ends in an exception says little about the
tests, so there is none that puts None where a value belongs.
"""

import ast
import copy
from dataclasses import dataclass

COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any", "startswith": "endswith", "endswith": "startswith"}
LOGGED = {"debug", "info", "warning", "alarm"}
NOT_VISITED = {"annotation", "returns", "decorator_list", "args", "type_params"}
FUNCTION_TYPES = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Fault:
    """One fault: `place` is the number of its node, `variant` which of that node's faults it is."""

    path: str
    function: str | None
    line: int
    place: int
    variant: int
    was: str
    becomes: str
    name: str | None = None

    def __str__(self):
        """Return where it is and what it changes."""
        where = f"{self.function} " if self.function else ""
        return f"{self.path}:{self.line} {where}`{self.was}` -> `{self.becomes}`"


def faults_of(path, source):
    """Return all faults that can be put into a source; `name` is that of the number of a fault outside of functions."""
    found = []
    for place, (node, function, name) in enumerate(_places(ast.parse(source), logs=path.startswith("handlers/"))):
        for variant, new in enumerate(_variants(node)):
            found.append(Fault(path, function, node.lineno, place, variant, *_shown(node, new), name))
    return found


def with_fault(fault, source):
    """Return the syntax tree of a source with a fault in it."""
    tree = ast.parse(source)
    places = _places(tree, logs=fault.path.startswith("handlers/"))
    node = next(node for place, (node, _, _) in enumerate(places) if place == fault.place)
    new = ast.copy_location(_variants(node)[fault.variant], node)
    return ast.fix_missing_locations(_Put(node, new).visit(tree))


class _Put(ast.NodeTransformer):
    def __init__(self, node, new):
        self._node = node
        self._new = new

    def visit(self, node):
        """Replace the one node."""
        return self._new if node is self._node else self.generic_visit(node)


def _shown(node, new):
    """Return what a fault changes, before and after, as short as it can be recognised."""
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        node, new = node.test, new.test
    if isinstance(node, ast.Call) and isinstance(new, ast.Call) and len(new.keywords) < len(node.keywords):
        (gone,) = (keyword for keyword in node.keywords if keyword not in new.keywords)
        return f"{_short(node.func)}(... {_short(gone)})", f"without {gone.arg}"
    return _short(node), _short(new)


def _short(node):
    text = " ".join(ast.unparse(ast.fix_missing_locations(node)).split())
    return text if len(text) <= 100 else f"{text[:97]}..."


def _places(tree, *, logs):
    """Yield each node that may change, with the outermost function it is in, or the name of the number it is part of."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            for node in ast.walk(statement.value):
                if _is_number(node):
                    yield node, None, statement.targets[0].id
        else:
            for function, name in functions_in(statement):
                for each in function.body[_has_docstring(function) :]:
                    yield from ((node, name, None) for node in _inside(each, logs=logs))


def functions_in(node, prefix=""):
    """Yield the outermost functions of a statement or module, and their qualified names."""
    if isinstance(node, FUNCTION_TYPES):
        yield node, prefix + node.name
    elif isinstance(node, (ast.ClassDef, ast.Module)):
        own = f"{prefix}{node.name}." if isinstance(node, ast.ClassDef) else ""
        for statement in node.body:
            yield from functions_in(statement, own)


def _has_docstring(node):
    return ast.get_docstring(node, clean=False) is not None


def _inside(node, *, logs):
    if logs and isinstance(node, ast.Expr) and _called(node.value) in LOGGED:
        return
    yield node
    for field, value in ast.iter_fields(node):
        if field in NOT_VISITED and not isinstance(node, ast.Call):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_left(node, field, child):
                yield from _inside(child, logs=logs)


def _is_left(node, field, child):
    """Tell whether a child is text for people, a docstring or a type."""
    if isinstance(node, (ast.JoinedStr, ast.FormattedValue)):
        return isinstance(child, (ast.Constant, ast.JoinedStr))
    if isinstance(node, (*FUNCTION_TYPES, ast.ClassDef)):
        return field == "body" and isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
    if isinstance(node, ast.Call) and _called(node) == "cast":
        return child is node.args[0]
    types = {"list", "dict", "set", "tuple", "frozenset", "Counter", "defaultdict", "deque"}
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in types


def _called(node):
    match node:
        case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
            return name
    return None


def _is_number(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool)


def _variants(node):
    """Return what may replace a node."""
    return list(_KINDS[type(node)](node)) if type(node) in _KINDS else []


def _joins_text(node):
    sides = (node.value,) if isinstance(node, ast.AugAssign) else (node.left, node.right)
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str)) for side in sides
    )


def _changed(node, **fields):
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _compared(node):
    for number, operator in enumerate(node.ops):
        for other in COMPARISONS[type(operator)]:
            yield _changed(node, ops=[*node.ops[:number], other(), *node.ops[number + 1 :]])


def _joined(node):
    yield _changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for number in range(len(node.values)):
        left = [*node.values[:number], *node.values[number + 1 :]]
        yield left[0] if len(left) == 1 else _changed(node, values=left)


def _constant(node):
    value = node.value
    if isinstance(value, bool):
        return [ast.Constant(not value)]
    if isinstance(value, (int, float)):
        return [ast.Constant(value + 1)]
    if isinstance(value, str) and not any(map(str.isspace, value)):
        return [ast.Constant(f"XX{value}")]
    return []


def _negated(node):
    if not isinstance(node.test, (ast.Compare, ast.BoolOp, ast.UnaryOp)):  # which have variants of their own
        yield _changed(node, test=ast.UnaryOp(ast.Not(), node.test))


def _operated(node):
    if type(node.op) in OPERATORS and not _joins_text(node):
        yield _changed(node, op=OPERATORS[type(node.op)]())


def _not_not(node):
    if isinstance(node.op, ast.Not):
        yield node.operand


def _left_out(node):
    yield ast.copy_location(ast.Pass(), node)


def _statement(node):
    return _left_out(node) if isinstance(node.value, ast.Call) else ()


def _returned(node):
    if node.value is None:
        return _left_out(node)
    return () if isinstance(node.value, ast.Constant) else [_changed(node, value=ast.Constant(None))]


def _unfiltered(node):
    for number, generator in enumerate(node.generators):
        for which in range(len(generator.ifs)):
            ifs = [*generator.ifs[:which], *generator.ifs[which + 1 :]]
            generators = [*node.generators[:number], _changed(generator, ifs=ifs), *node.generators[number + 1 :]]
            yield _changed(node, generators=generators)


def _calls(node):
    name = _called(node)
    if name in FUNCTIONS:
        other = FUNCTIONS[name]
        function = ast.Name(other, ast.Load()) if isinstance(node.func, ast.Name) else _changed(node.func, attr=other)
        yield _changed(node, func=function)
    for number in range(len(node.keywords)):
        yield _changed(node, keywords=[*node.keywords[:number], *node.keywords[number + 1 :]])


_KINDS = {
    ast.Compare: _compared,
    ast.BoolOp: _joined,
    ast.UnaryOp: _not_not,
    ast.BinOp: _operated,
    ast.AugAssign: _operated,
    ast.Constant: _constant,
    **dict.fromkeys((ast.If, ast.While, ast.IfExp), _negated),
    ast.Expr: _statement,
    ast.Raise: _left_out,
    ast.Return: _returned,
    ast.Continue: lambda node: [ast.copy_location(ast.Break(), node)],
    ast.Break: lambda node: [ast.copy_location(ast.Continue(), node)],
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), _unfiltered),
    ast.Call: _calls,
}

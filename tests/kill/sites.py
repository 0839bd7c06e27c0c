"""Where functions can make AWS calls, read from their source, and where they do, observed while they run.

A site is a call in the source that leads to AWS: of an adapter by a flow, of the table by an adapter, of a client's method. It is
identified by its place, so that a call that is added is a site of its own.
"""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from botocore import xform_name
from botocore.session import Session as BotocoreSession

ROOT = Path(__file__).parents[2]
HANDLERS = ("batch_invoke", "new_upload", "start_analysis", "sample_frames", "completion", "publish_verdict", "sweeper")
SERVICES = ("dynamodb", "sqs", "s3", "s3control", "sns", "lambda", "rekognition", "events")
# The module whose methods stand for operations of the table; its own lines are identified by the operation, not by their place.
PRIMITIVES = "handlers.adapters.table.client"


def _reading():
    """Return the reading of the source that the test of the roles' permissions goes by."""
    path = ROOT / "tests" / "stacks" / "test_calls_are_allowed.py"
    spec = importlib.util.spec_from_file_location("test_calls_are_allowed", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reading = _reading()


@dataclass(frozen=True, order=True)
class Site:
    """A call in the source: module, line (from 1), column (from 0), and its text."""

    module: str
    line: int
    column: int
    text: str = field(compare=False, default="")

    def __str__(self):
        """Name it for people."""
        return f"{self.module}:{self.line} {self.text}"


def source():
    """Return the syntax tree of each module of the package `handlers`."""
    paths = sorted((ROOT / "handlers").rglob("*.py"))
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(path.read_text())
        for path in paths
    }


def possible_sites(sources, handler):
    """Return every site that a handler can reach."""
    leading = _leading(sources)
    return {
        Site(function.module, node.lineno, node.col_offset, ast.unparse(node.func))
        for function in _beyond_rules(sources, handler)
        for node in ast.walk(function.node)
        if isinstance(node, ast.Call) and _leads_to_aws(node.func, leading)
    }


def references(sources, handler):
    """Return AWS-calling methods that are passed without being called: their place would not be that of the call."""
    leading = _leading(sources)
    return {
        Site(function.module, node.lineno, node.col_offset, ast.unparse(node))
        for function in _beyond_rules(sources, handler)
        for node in ast.walk(function.node)
        if _leads_to_aws(node, leading) and ast.unparse(node.value) != "self" and node not in _called(function.node)
    }


def _beyond_rules(sources, handler):
    """Yield the functions that a handler can reach and that may call AWS: none of `domain`, which has the standard library only."""
    for function in reading.functions_reached(sources, handler):
        if function.module != PRIMITIVES and not function.module.startswith("handlers.domain"):
            yield function


def _called(tree):
    return {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}


def possible_operations(sources, handler):
    """Return every operation that a handler can call, as `service.Operation`."""
    names = _operations()
    return {names[method] for method in reading.calls(function.node for function in reading.functions_reached(sources, handler))}


def _leads_to_aws(called, leading):
    """Tell whether `self.<name>` or `self.<port>.<name>` is called, and is a method of a client or of an adapter that calls AWS."""
    if not isinstance(called, ast.Attribute):
        return False
    owner = ast.unparse(called.value)
    return owner == "self._client" or (called.attr in leading and owner.startswith("self") and owner.count(".") <= 1)


def _leading(sources):
    """Return the names of the adapters' methods that call AWS, by themselves or by others that do."""
    methods = {
        (module, node.name, node)
        for module, tree in sources.items()
        if module.startswith("handlers.adapters.")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }
    found = set()
    while new := {name for _, name, node in methods if name not in found and _calls(node, found)}:
        found |= new
    return found


def _calls(method, leading):
    return any(
        isinstance(node, ast.Attribute)
        and (ast.unparse(node.value) == "self._client" or (ast.unparse(node.value).startswith("self") and node.attr in leading))
        for node in ast.walk(method)
    )


def _operations():
    """Return `service.Operation` of each method that a client of one of our services has."""
    session = BotocoreSession()
    models = [session.get_service_model(service) for service in SERVICES]
    # The methods of several services may have one name; ours do not.
    return {xform_name(name): f"{model.service_name}.{name}" for model in models[::-1] for name in model.operation_names}


class Trail:
    """Knows at each moment which sites the running code has passed.

    Most stand on the stack. Not so those that returned an iterator, whose calls are made by whoever asks it for more: the ports
    that do so are handed out behind a `Followed`. `over`: whether nothing asks for sites any more, as in a fork.
    """

    def __init__(self):
        self._asked = []
        self.over = False

    def followed(self, port):
        """Return a port whose iterators are followed, and whose own table's are."""
        if hasattr(port, "_table"):
            port._table = Followed(port._table, self)
        return Followed(port, self)

    def sites(self):
        """Return the sites of the call that is being made."""
        found, frame = set(self._asked), sys._getframe(1)
        while frame is not None:
            if frame.f_globals.get("__name__", "").startswith("handlers."):
                found.add(_place(frame))
            frame = frame.f_back
        return frozenset(found)

    def follow(self, site, iterator):
        """Yield what an iterator yields, that was asked for at a site."""
        while True:
            self._asked.append(site)
            try:
                value = next(iterator)
            except StopIteration:
                return
            finally:
                self._asked.remove(site)
            yield value


class Followed:
    """A port; who asks it for an iterator is remembered while the iterator works."""

    def __init__(self, port, trail):
        self._port = port
        self._trail = trail

    def __getattr__(self, name):
        """Return what the port has, a method so that its iterator is followed."""
        found = getattr(self._port, name)
        if self._trail.over or not callable(found):
            return found

        def asked(*arguments, **named):
            site = _place(sys._getframe(1))
            answer = found(*arguments, **named)
            return self._trail.follow(site, answer) if isinstance(answer, Iterator) else answer

        return asked


def _place(frame):
    """Return the call that a frame is at, to the column."""
    positions = list(frame.f_code.co_positions())
    line, _, column, _ = positions[frame.f_lasti // 2]
    return Site(frame.f_globals["__name__"], line, column)

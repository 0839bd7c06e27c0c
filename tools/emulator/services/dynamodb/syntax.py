"""The tree of an expression; names and values in it are still placeholders, so that each text is parsed only once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Path:
    """A document path: strings are names or `#placeholders`, numbers are indexes into lists."""

    parts: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """A `:placeholder` for a value."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function, an operator or a keyword with its operands: `size(path)`, `left <> right`, `value BETWEEN low AND high`."""

    function: str
    arguments: tuple[Node, ...]


Node = Path | Literal | Call


@dataclass(frozen=True, slots=True)
class Action:
    """One action of an update expression."""

    clause: str  # SET, REMOVE, ADD or DELETE
    path: Path
    value: Node | None  # None for REMOVE, a `Literal` for ADD and DELETE


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it."""
    yield node
    if isinstance(node, Call):
        for argument in node.arguments:
            yield from walk(argument)

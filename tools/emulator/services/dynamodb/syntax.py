"""What an expression says, as a tree; names and values in it are still placeholders, so that a tree is parsed once and kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Path:
    """A document path; a text part is a name or a `#placeholder`, a number an index into a list."""

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
class Update:
    """The four clauses of an update expression; all but REMOVE carry a path and a value each."""

    assignments: tuple[tuple[Path, Node], ...] = ()
    removals: tuple[Path, ...] = ()
    additions: tuple[tuple[Path, Literal], ...] = ()
    deletions: tuple[tuple[Path, Literal], ...] = ()

    def paths(self) -> list[Path]:
        """Return every path that the update changes."""
        return [*(path for path, _ in (*self.assignments, *self.additions, *self.deletions)), *self.removals]


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it."""
    yield node
    if isinstance(node, Call):
        for argument in node.arguments:
            yield from walk(argument)

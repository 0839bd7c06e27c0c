"""What an expression says, as a tree; names and values in it are still placeholders, so that a tree is parsed once and kept."""

from __future__ import annotations

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
class Size:
    """`size(path)`."""

    path: Path


Operand = Path | Literal | Size


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    """`value BETWEEN low AND high`, both ends included."""

    value: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True)
class In:
    """`value IN (options)`."""

    value: Operand
    options: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function that is true or false, as `attribute_exists(path)`."""

    function: str
    arguments: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT condition`."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Both:
    """`left AND right`."""

    left: Condition
    right: Condition


@dataclass(frozen=True, slots=True)
class Either:
    """`left OR right`."""

    left: Condition
    right: Condition


Condition = Comparison | Between | In | Call | Not | Both | Either


@dataclass(frozen=True, slots=True)
class IfNotExists:
    """`if_not_exists(path, otherwise)`."""

    path: Path
    otherwise: Path | Literal


@dataclass(frozen=True, slots=True)
class ListAppend:
    """`list_append(first, second)`."""

    first: Term
    second: Term


Term = Path | Literal | IfNotExists | ListAppend


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left + right` or `left - right`."""

    operator: str
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Assignment:
    """`path = value` of a SET clause."""

    path: Path
    value: Term | Arithmetic


@dataclass(frozen=True, slots=True)
class Update:
    """The four clauses of an update expression; ADD and DELETE carry a path and a value each."""

    assignments: tuple[Assignment, ...] = ()
    removals: tuple[Path, ...] = ()
    additions: tuple[tuple[Path, Literal], ...] = ()
    deletions: tuple[tuple[Path, Literal], ...] = ()

    def paths(self) -> list[Path]:
        """Return every path that the update changes."""
        assigned = [assignment.path for assignment in self.assignments]
        return [*assigned, *self.removals, *(path for path, _ in (*self.additions, *self.deletions))]

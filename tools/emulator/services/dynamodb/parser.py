"""DynamoDB's expressions; each text is parsed once.

moto's parser is not used: it takes 3 ms for an update of three clauses, and accepts `BOOL true = N 1` and `missing = missing`
(measured). Source of the grammar:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Generic, TypeVar

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from tools.emulator.services.dynamodb.errors import ValidationError
from tools.emulator.services.dynamodb.syntax import Action, Call, Literal, Node, Path

T = TypeVar("T")
# The longest text of an expression, and the most operands of IN.
MAX_BYTES = 4096
MAX_IN = 100
COMPARATORS = ("=", "<>", "<", "<=", ">", ">=")
# The predicates, and how many arguments each takes.
PREDICATES = {"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2}
_TOKEN = re.compile(r"\s*(?:([#:]?[A-Za-z0-9_]+)|(<>|<=|>=|[=<>()\[\],.+-])|(\S))")


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """An expression's tree, and the placeholders that it uses."""

    tree: T
    names: frozenset[str]
    values: frozenset[str]


@lru_cache(4096)
def condition(text: str, label: str = "ConditionExpression") -> Parsed[Call]:
    """Parse a condition; `label` names the parameter in errors."""
    return _parse(text, label, _Parser.condition)


@lru_cache(4096)
def update(text: str) -> Parsed[tuple[Action, ...]]:
    """Parse an update expression."""
    return _parse(text, "UpdateExpression", _Parser.update)


@lru_cache(4096)
def projection(text: str) -> Parsed[tuple[Path, ...]]:
    """Parse a projection expression."""
    return _parse(text, "ProjectionExpression", lambda parser: tuple(parser.separated(parser.path)))


def _parse(text: str, label: str, rule: Callable[[_Parser], T]) -> Parsed[T]:
    if not text.strip():
        raise ValidationError(f"Invalid {label}: The expression can not be empty;")
    if len(text.encode()) > MAX_BYTES:
        raise ValidationError(f"Invalid {label}: Expression size has exceeded the maximum allowed size;")
    parser = _Parser(text, label)
    tree = rule(parser)
    parser.end()
    return Parsed(tree, frozenset(parser.names), frozenset(parser.values))


@cache
def _reserved() -> frozenset[str]:
    return frozenset(ReservedKeywords.get_reserved_keywords())


class _Parser:
    def __init__(self, text: str, label: str) -> None:
        self.label = label
        self.names: set[str] = set()
        self.values: set[str] = set()
        self._tokens = ["".join(found) for found in _TOKEN.findall(text) if any(found)]
        self._at = 0

    # Tokens.

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self._at += 1
        return token

    def accept(self, *tokens: str) -> bool:
        """Take the next token if it is one of these (keywords in any case)."""
        if self.peek().upper() not in tokens:
            return False
        self._at += 1
        return True

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise self.error()

    def end(self) -> None:
        if self.peek():
            raise self.error()

    def error(self) -> ValidationError:
        near = " ".join(self._tokens[max(0, self._at - 1) : self._at + 2])
        return ValidationError(f'Invalid {self.label}: Syntax error; token: "{self.peek() or "<EOF>"}", near: "{near}"')

    def separated(self, rule: Callable[[], T]) -> list[T]:
        found = [rule()]
        while self.accept(","):
            found.append(rule())
        return found

    # Operands.

    def path(self) -> Path:
        parts: list[str | int] = [self._name()]
        while self.peek() in (".", "["):
            if self.take() == ".":
                parts.append(self._name())
                continue
            if not self.peek().isdecimal():
                raise self.error()
            parts.append(int(self.take()))
            self.expect("]")
        return Path(tuple(parts))

    def _name(self) -> str:
        token = self.peek()
        if token.startswith("#"):
            self.names.add(token)
        elif not re.match(r"[A-Za-z_]", token):
            raise self.error()
        elif token.upper() in _reserved():
            raise ValidationError(
                f"Invalid {self.label}: Attribute name is a reserved keyword; reserved keyword: {token}",
            )
        return self.take()

    def literal(self) -> Literal:
        if not self.peek().startswith(":"):
            raise self.error()
        self.values.add(self.peek())
        return Literal(self.take())

    def operand(self) -> Node:
        return Call("size", (self._arguments(self.path),)) if self._called() == "size" else self._simple()

    def _simple(self) -> Path | Literal:
        return self.literal() if self.peek().startswith(":") else self.path()

    def _called(self) -> str | None:
        """Return the name of the function that is called here, if one is."""
        following = self._tokens[self._at + 1 : self._at + 2]
        return self.peek() if following == ["("] and re.match(r"[A-Za-z]", self.peek()) else None

    def _arguments(self, rule: Callable[[], T]) -> T:
        self.take()
        self.expect("(")
        found = rule()
        self.expect(")")
        return found

    # Conditions.

    def condition(self) -> Call:
        return self._joined("OR", lambda: self._joined("AND", self._negation))

    def _joined(self, word: str, rule: Callable[[], Call]) -> Call:
        tree = rule()
        while self.accept(word):
            tree = Call(word, (tree, rule()))
        return tree

    def _negation(self) -> Call:
        return Call("NOT", (self._negation(),)) if self.accept("NOT") else self._primary()

    def _primary(self) -> Call:
        if self.accept("("):
            tree = self.condition()
            self.expect(")")
            return tree
        function = self._called()
        if function is not None and function != "size" and function.upper() not in ("IN", "NOT"):
            return self._predicate(function)
        return self._comparison(self.operand())

    def _predicate(self, function: str) -> Call:
        if function not in PREDICATES:
            raise ValidationError(f"Invalid {self.label}: Invalid function name; function: {function}")
        arguments = tuple(self._arguments(lambda: self.separated(self.operand)))
        if len(arguments) != PREDICATES[function]:
            raise ValidationError(
                f"Invalid {self.label}: Incorrect number of operands for operator or function; "
                f"operator or function: {function}, number of operands: {len(arguments)}",
            )
        if function.startswith("attribute_") and not isinstance(arguments[0], Path):
            raise ValidationError(
                f"Invalid {self.label}: Operator or function requires a document path; operator or function: {function}",
            )
        return Call(function, arguments)

    def _comparison(self, left: Node) -> Call:
        if self.accept("BETWEEN"):
            low = self.operand()
            self.expect("AND")
            return Call("BETWEEN", (left, low, self.operand()))
        if self.accept("IN"):
            self.expect("(")
            options = tuple(self.separated(self.operand))
            self.expect(")")
            if len(options) > MAX_IN:
                raise ValidationError(f"Invalid {self.label}: The IN operator is provided with too many operands")
            return Call("IN", (left, *options))
        if self.peek() not in COMPARATORS:
            raise self.error()
        return Call(self.take(), (left, self.operand()))

    # Updates.

    def update(self) -> tuple[Action, ...]:
        actions: list[Action] = []
        clauses: set[str] = set()
        while (clause := self.peek().upper()) in ("SET", "REMOVE", "ADD", "DELETE"):
            if clause in clauses:
                raise ValidationError(
                    f'Invalid UpdateExpression: The "{clause}" section can only be used once in an update expression;'
                )
            clauses.add(self.take().upper())
            actions += self.separated(partial(self._action, clause))
        return tuple(actions)

    def _action(self, clause: str) -> Action:
        path = self.path()
        if clause == "REMOVE":
            return Action(clause, path, None)
        if clause != "SET":
            return Action(clause, path, self.literal())
        self.expect("=")
        left = self._term()
        return Action(clause, path, Call(self.take(), (left, self._term())) if self.peek() in ("+", "-") else left)

    def _term(self) -> Node:
        function = self._called()
        if function is None:
            return self._simple()
        if function == "if_not_exists":
            return Call(function, self._arguments(lambda: (self.path(), self._after_comma(self._simple))))
        if function == "list_append":
            return Call(function, self._arguments(lambda: (self._term(), self._after_comma(self._term))))
        raise ValidationError(f"Invalid UpdateExpression: Invalid function name; function: {function}")

    def _after_comma(self, rule: Callable[[], T]) -> T:
        self.expect(",")
        return rule()

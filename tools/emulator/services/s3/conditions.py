"""The conditions of a policy's statements.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html,
reference_policies_condition-single-vs-multi-valued-context-keys.html, reference_policies_condition-keys.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.emulator.core import refuse
from tools.emulator.services.s3.errors import S3Error

EXISTING_TAG = "s3:ExistingObjectTag/"
REQUEST_TAG = "s3:RequestObjectTag/"
REQUEST_TAG_KEYS = "s3:RequestObjectTagKeys"

# The keys that the offline world has values for, or of which it knows that no request here has them. IAM compares the names of
# keys without regard to case.
_KEYS = frozenset(
    name.lower()
    for name in (
        "aws:PrincipalAccount aws:PrincipalArn aws:PrincipalIsAWSService aws:PrincipalType aws:ResourceAccount aws:SecureTransport "
        "aws:SourceIp aws:ViaAWSService aws:username s3:authType s3:delimiter s3:max-keys s3:prefix s3:ResourceAccount "
        "s3:signatureversion s3:versionid s3:x-amz-object-if-match "
        f"{REQUEST_TAG_KEYS} "
        # No request has these: there is one account without an organization, and no VPC.
        "aws:PrincipalOrgID aws:PrincipalServiceName aws:SourceAccount aws:SourceArn aws:SourceOrgID aws:SourceVpc aws:SourceVpce "
        "aws:VpcSourceIp"
    ).split()
)
# Headers of a request are keys under their own names.
_HEADERS = re.compile(r"s3:x-amz-[a-z0-9-]+")
_TAGGED = (EXISTING_TAG.lower(), REQUEST_TAG.lower())
_MULTIVALUED = frozenset({REQUEST_TAG_KEYS.lower()})

_SET_OPERATORS = ("ForAllValues:", "ForAnyValue:")
# Operators that IAM has and the offline world lacks.
_UNSUPPORTED = re.compile(
    r"(Numeric|Date)(Not)?(Equals|LessThan|LessThanEquals|GreaterThan|GreaterThanEquals)|(Not)?IpAddress|BinaryEquals"
)

# Whether a value of a request is as a value of a policy says.
Compare = Callable[[str, str], bool]


class Context:
    """The values that a request has for condition keys.

    Names are found without regard to case; of tags whose keys differ in case only, that with the case asked for is meant.
    """

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = {name: tuple(found) for name, found in values.items()}
        self._folded = {name.lower(): found for name, found in self._values.items()}

    def get(self, name: str) -> tuple[str, ...] | None:
        """Return the values of a key; None if the request has no such key."""
        return self._values.get(name, self._folded.get(name.lower()))

    def __or__(self, more: Mapping[str, Sequence[str]]) -> Context:
        return Context({**self._values, **more})


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator with one key."""

    key: str
    _holds: Callable[[tuple[str, ...] | None], bool]

    def holds(self, context: Context) -> bool:
        return self._holds(context.get(self.key))


def parse(block: Mapping[str, Any]) -> Iterator[Condition]:
    """Yield the conditions of a statement, which must all hold.

    Raises:
        S3Error: S3 would not take one of them.
        UnsupportedError: It uses an operator or key that IAM has and the offline world lacks.
    """
    for operator, keys in block.items():
        if not isinstance(keys, dict):
            raise malformed("Invalid policy syntax.")
        for key, values in keys.items():
            yield _condition(operator, key, texts(values))


def malformed(message: str) -> S3Error:
    """Return the error for a policy that S3 does not take."""
    return S3Error("MalformedPolicy", message)


def texts(given: object) -> list[str]:
    """Return the values of an element that may have one or several; truth values are texts, too.

    Raises:
        S3Error: There is none, or something that is not a text.
        UnsupportedError: One has a variable.
    """
    found: list[str] = []
    for one in given if isinstance(given, list) else [given]:
        if not isinstance(one, str | bool):
            raise malformed("Invalid policy syntax.")
        found.append(str(one).lower() if isinstance(one, bool) else one)
    if not found:
        raise malformed("Invalid policy syntax.")
    if any("${" in one for one in found):
        raise refuse("s3", "the variables of bucket policies")
    return found


def _condition(operator: str, key: str, values: list[str]) -> Condition:
    qualifier = next((one for one in _SET_OPERATORS if operator.startswith(one)), "")
    name = operator.removeprefix(qualifier)
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    _check_key(key, qualifier, operator)
    if name == "Null" and not qualifier and not if_exists:
        return Condition(key, _null(values))
    if _UNSUPPORTED.fullmatch(name):
        raise refuse("s3", f"the condition operator {operator} of bucket policies")
    if name not in _OPERATORS:
        raise malformed(f"Invalid Condition type : {operator}")
    compare, negated = _OPERATORS[name]
    return Condition(key, _test(qualifier, compare, values, negated=negated, if_exists=if_exists))


def _check_key(key: str, qualifier: str, operator: str) -> None:
    name = key.lower()
    if not name.startswith(("s3:", "aws:")):
        raise malformed("Policy has an invalid condition key")
    tagged = any(name.startswith(one) and len(name) > len(one) for one in _TAGGED)
    if not (tagged or name in _KEYS or _HEADERS.fullmatch(name)):
        raise refuse("s3", f"the condition key {key} of bucket policies")
    if name in _MULTIVALUED and not qualifier and operator != "Null":
        raise refuse(
            "s3", f"{operator} without ForAllValues or ForAnyValue on {key}, whose effect AWS does not document, in bucket policies"
        )


def _null(values: list[str]) -> Callable[[tuple[str, ...] | None], bool]:
    if not set(values) <= {"true", "false"}:
        raise malformed("Invalid value in Conditions for operator Null")
    return lambda found: str(found is None).lower() in values


def _test(
    qualifier: str, compare: Compare, values: list[str], *, negated: bool, if_exists: bool
) -> Callable[[tuple[str, ...] | None], bool]:
    def matches(one: str) -> bool:
        return any(compare(one, value) for value in values) is not negated

    def holds(found: tuple[str, ...] | None) -> bool:
        if found is None:
            return if_exists or qualifier == "ForAllValues:" or (negated and not qualifier)
        if qualifier == "ForAllValues:":
            return all(map(matches, found))
        return any(map(matches, found))

    return holds


def wildcard(text: str, pattern: str) -> bool:
    """Compare as StringLike does: `*` stands for any characters, `?` for one."""
    parts = (".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _arn(text: str, pattern: str) -> bool:
    """Compare the six parts of ARNs each by itself."""
    parts, patterns = text.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(map(wildcard, parts, patterns))


def _equals(text: str, value: str) -> bool:
    return text == value


def _ignoring_case(text: str, value: str) -> bool:
    return text.lower() == value.lower()


# Each with whether it is negated. ArnEquals and ArnLike are the same.
_OPERATORS: dict[str, tuple[Compare, bool]] = {
    "StringEquals": (_equals, False),
    "StringNotEquals": (_equals, True),
    "StringEqualsIgnoreCase": (_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (_ignoring_case, True),
    "StringLike": (wildcard, False),
    "StringNotLike": (wildcard, True),
    "ArnEquals": (_arn, False),
    "ArnLike": (_arn, False),
    "ArnNotEquals": (_arn, True),
    "ArnNotLike": (_arn, True),
    "Bool": (_ignoring_case, False),
}

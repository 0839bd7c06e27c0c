"""Bucket policies: which S3 takes, and what they say about a request. Nothing here knows HTTP or moto.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html, reference_policies_evaluation-logic.html,
reference_policies_elements_notprincipal.html; the messages are those that emulators recorded from S3
(docs/aws.md#14-events-tags-annotations-and-bucket-policies).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tools.emulator.core import refuse
from tools.emulator.services.s3.actions import (
    BUCKET_ACTIONS,
    OBJECT_ACTIONS,
    ON_EXISTING_TAGS,
    ON_REQUEST_TAGS,
    POLICY_ACTIONS,
)
from tools.emulator.services.s3.conditions import (
    EXISTING_TAG,
    REQUEST_TAG,
    REQUEST_TAG_KEYS,
    Condition,
    Context,
    malformed,
    texts,
    wildcard,
)
from tools.emulator.services.s3.conditions import parse as parse_conditions

MAX_BYTES = 20_480
_VERSIONS = ("2012-10-17", "2008-10-17")
_ARN = "arn:aws:s3:::"
_ACCOUNT = re.compile(r"\d{12}")
_PRINCIPAL = re.compile(r"arn:aws:(iam|sts)::\d{12}:(root|(user|role|assumed-role|federated-user)/[^*?]+)")
_DOCUMENT = frozenset({"Version", "Id", "Statement"})
_STATEMENT = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
# Condition keys that only some actions have, with these.
_KEYS_OF_ACTIONS = {EXISTING_TAG: ON_EXISTING_TAGS, REQUEST_TAG: ON_REQUEST_TAGS, REQUEST_TAG_KEYS: ON_REQUEST_TAGS}

# Whether there is a user or role of an ARN; S3 refuses a policy that names one that does not exist.
Exists = Callable[[str], bool]


class Decision(Enum):
    """What a policy says about a request."""

    DENIED = "explicit deny"
    ALLOWED = "allow"
    UNDECIDED = "implicit deny"


@dataclass(frozen=True, slots=True)
class Requester:
    """Who sends a request; `arn` is that of the user, the role's session or the account's root, "" for anybody."""

    arn: str
    role: str | None = None  # of a session

    @classmethod
    def root(cls, account: str) -> Requester:
        """Return the user that an account has from the beginning."""
        return cls(f"arn:aws:iam::{account}:root")

    @classmethod
    def session(cls, role: str, name: str) -> Requester:
        """Return a session of a role, by the role's ARN."""
        account, _, path = role.removeprefix("arn:aws:iam::").partition(":role/")
        return cls(f"arn:aws:sts::{account}:assumed-role/{path.rpartition('/')[2]}/{name}", role)

    @property
    def account(self) -> str:
        """Its account; "" for anybody."""
        return self.arn.split(":")[4] if self.arn else ""

    @property
    def identities(self) -> frozenset[str]:
        """The ARNs by which a policy may name it: its own, its role's, and that of its account."""
        return frozenset(filter(None, (self.arn, self.role, self.arn and f"arn:aws:iam::{self.account}:root")))

    def context(self) -> dict[str, tuple[str, ...]]:
        """Return its condition keys [IAM:reference_policies_condition-keys]; of a session, aws:PrincipalArn is the role."""
        if not self.arn:
            return {"aws:PrincipalType": ("Anonymous",)}
        kind = "AssumedRole" if self.role else "Account" if self.arn.endswith(":root") else "User"
        keys = {"aws:PrincipalArn": self.role or self.arn, "aws:PrincipalAccount": self.account, "aws:PrincipalType": kind}
        if kind == "User":
            keys["aws:username"] = self.arn.rpartition("/")[2]
        return {name: (value,) for name, value in keys.items()}


ANYBODY = Requester("")


@dataclass(frozen=True, slots=True)
class Access:
    """One action of one requester on one resource."""

    requester: Requester
    action: str
    resource: str
    context: Context


def access(
    requester: Requester,
    action: str,
    bucket: str,
    key: str | None = None,
    *,
    existing_tags: Mapping[str, str] | None = None,
    request_tags: Mapping[str, str] | None = None,
    more: Mapping[str, Sequence[str]] | None = None,
) -> Access:
    """Return an access with the condition keys that S3 gives it.

    Args:
        requester: Who asks.
        action: What for, such as `s3:GetObject`.
        bucket: The bucket.
        key: The object's key; None for the bucket itself.
        existing_tags: The tags that the object has.
        request_tags: The tags that the request brings; None if it brings none.
        more: Further condition keys.
    """
    keys: dict[str, Sequence[str]] = {**requester.context(), **(more or {})}
    if action in ON_EXISTING_TAGS:
        keys |= {f"{EXISTING_TAG}{name}": (value,) for name, value in (existing_tags or {}).items()}
    if action in ON_REQUEST_TAGS and request_tags:
        keys |= {f"{REQUEST_TAG}{name}": (value,) for name, value in request_tags.items()}
        keys[REQUEST_TAG_KEYS] = tuple(request_tags)
    return Access(requester, action, f"{_ARN}{bucket}" if key is None else f"{_ARN}{bucket}/{key}", Context(keys))


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy."""

    denies: bool
    _for_requester: Callable[[Requester], bool]
    _for_action: Callable[[str], bool]
    _for_resource: Callable[[str], bool]
    conditions: tuple[Condition, ...]

    def applies(self, asked: Access) -> bool:
        return (
            self._for_requester(asked.requester)
            and self._for_action(asked.action)
            and self._for_resource(asked.resource)
            and all(condition.holds(asked.context) for condition in self.conditions)
        )


@dataclass(frozen=True, slots=True)
class BucketPolicy:
    """A parsed policy."""

    text: str
    statements: tuple[Statement, ...]

    def decide(self, asked: Access) -> Decision:
        """Return what the policy says: a statement that denies outweighs all that allow."""
        applying = [statement.denies for statement in self.statements if statement.applies(asked)]
        if any(applying):
            return Decision.DENIED
        return Decision.ALLOWED if applying else Decision.UNDECIDED


def permits(policy: BucketPolicy | None, asked: Access, owner: str) -> bool:
    """Tell whether an access is permitted to a bucket of an account.

    Within the account, policies of users and roles decide what the bucket's leaves undecided; here they allow everything. Another
    account or an anonymous request needs a statement that allows it.
    """
    if asked.action in POLICY_ACTIONS and asked.requester == Requester.root(owner):
        return True
    decision = Decision.UNDECIDED if policy is None else policy.decide(asked)
    return decision is Decision.ALLOWED or (decision is Decision.UNDECIDED and asked.requester.account == owner)


def parse(text: str, bucket: str, exists: Exists = lambda _: True) -> BucketPolicy:
    """Check and parse what PutBucketPolicy would get; `exists` knows which principals there are.

    Raises:
        S3Error: S3 would not take it: MalformedPolicy.
        UnsupportedError: It uses what IAM has and the offline world lacks; the message names it.
    """
    document = _read(text)
    if len(json.dumps(document, separators=(",", ":")).encode()) > MAX_BYTES:
        raise malformed(f"Normalized policy document exceeds the maximum allowed size of {MAX_BYTES} bytes")
    _check_names(document, _DOCUMENT)
    if document.get("Version", _VERSIONS[1]) not in _VERSIONS:
        raise malformed("The policy must contain a valid version string")
    if "Statement" not in document:
        raise malformed("Missing required field Statement")
    statements = document["Statement"]
    several = [statements] if isinstance(statements, dict) else statements
    if not several:
        raise malformed("Could not parse the policy: Statement is empty!")
    if not isinstance(several, list) or not all(isinstance(one, dict) for one in several):
        raise malformed("Invalid policy syntax.")
    return BucketPolicy(text, tuple(_statement(one, bucket, exists) for one in several))


def _read(text: str) -> dict[str, Any]:
    if not text.startswith("{"):
        raise malformed("Policies must be valid JSON and the first byte must be '{'")
    try:
        document = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise malformed("This policy contains invalid Json") from error
    return dict(document)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key is given twice")  # which the grammar forbids
    return made


def _check_names(given: Mapping[str, Any], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            raise malformed(f"Unknown field {name}")


def _statement(given: Mapping[str, Any], bucket: str, exists: Exists) -> Statement:
    _check_names(given, _STATEMENT)
    if "Effect" not in given:
        raise malformed("Missing required field Effect")
    if given["Effect"] not in ("Allow", "Deny"):
        raise malformed(f"Invalid effect: {given['Effect']}")
    denies = given["Effect"] == "Deny"
    requester = _requesters(given, exists, denies=denies)
    actions, for_action = _choice(given, "Action")
    resources, for_resource = _choice(given, "Resource")
    conditions = tuple(parse_conditions(_block(given)))
    _check_together(given, actions, resources, conditions, bucket)
    return Statement(denies, requester, lambda one: for_action(one.lower()), for_resource, conditions)


def _block(given: Mapping[str, Any]) -> Mapping[str, Any]:
    block: Any = given.get("Condition", {})
    if not isinstance(block, dict):
        raise malformed("Invalid policy syntax.")
    return block


def _choice(given: Mapping[str, Any], name: str) -> tuple[list[str], Callable[[str], bool]]:
    """Return the patterns of an element or of its negation, and the test for them; actions have no case."""
    negated = f"Not{name}" in given
    if not negated and name not in given:
        raise malformed(f"Missing required field {name}")
    patterns = texts(given[f"Not{name}" if negated else name])
    if name == "Action":
        patterns = [pattern.lower() for pattern in patterns]
    return patterns, lambda text: any(wildcard(text, pattern) for pattern in patterns) is not negated


def _requesters(given: Mapping[str, Any], exists: Exists, *, denies: bool) -> Callable[[Requester], bool]:
    if ("Principal" in given) == ("NotPrincipal" in given):
        raise malformed("Missing required field Principal" if "Principal" not in given else "Invalid policy syntax.")
    if "Principal" in given:
        named = frozenset(_principals(given["Principal"], exists))
        return lambda one: "*" in named or bool(named & one.identities)
    if not denies:
        raise refuse("s3", "NotPrincipal in a statement that allows, which AWS advises against, of bucket policies")
    others = frozenset(_principals(given["NotPrincipal"], exists))
    # Account, role and session must all be named, or the statement may deny [IAM:reference_policies_elements_notprincipal].
    return lambda one: not one.identities or not one.identities <= others


def _principals(given: object, exists: Exists) -> Iterator[str]:
    if given == "*":
        yield "*"
        return
    if not isinstance(given, dict) or not given:
        raise malformed("Invalid principal in policy")
    for kind, names in given.items():
        if kind in ("CanonicalUser", "Federated"):
            raise refuse("s3", f"principals of the kind {kind} of bucket policies")
        if kind not in ("AWS", "Service"):
            raise malformed("Invalid principal in policy")
        # A service is never a requester here, and "*" as the name of one is not everybody.
        yield from (_principal(name, exists) if kind == "AWS" else f"service {name}" for name in texts(names))


def _principal(name: str, exists: Exists) -> str:
    if name == "*":
        return name
    if _ACCOUNT.fullmatch(name):
        return f"arn:aws:iam::{name}:root"
    if not _PRINCIPAL.fullmatch(name) or not exists(name):
        raise malformed("Invalid principal in policy")
    return name


def _check_together(
    given: Mapping[str, Any], actions: Sequence[str], resources: Sequence[str], conditions: Sequence[Condition], bucket: str
) -> None:
    """Check that actions exist, resources are in the bucket, and that actions, resources and conditions fit each other."""
    kinds = {kind for resource in resources for kind in _kinds(resource, bucket)}
    possible = frozenset().union(*(OBJECT_ACTIONS if kind == "object" else BUCKET_ACTIONS for kind in kinds))
    if "NotResource" in given:
        possible = OBJECT_ACTIONS | BUCKET_ACTIONS
    matching = set()
    for pattern in actions:
        found = {one for one in OBJECT_ACTIONS | BUCKET_ACTIONS if wildcard(one.lower(), pattern)}
        if not found:
            raise malformed("Policy has invalid action")
        if "Action" in given and not found & possible:
            raise malformed("Action does not apply to any resource(s) in statement")
        matching |= found
    asked = (matching if "Action" in given else (OBJECT_ACTIONS | BUCKET_ACTIONS) - matching) & possible
    for condition in conditions:
        for key, knowing in _KEYS_OF_ACTIONS.items():
            if _is_key(condition.key, key) and not asked & knowing:
                raise malformed("Conditions do not apply to combination of actions and resources in statement")


def _is_key(given: str, key: str) -> bool:
    return given.lower().startswith(key.lower()) if key.endswith("/") else given.lower() == key.lower()


def _kinds(resource: str, bucket: str) -> Iterator[str]:
    """Yield what a resource can be: the bucket, objects in it, or both."""
    name, slash, _ = resource.removeprefix(_ARN).partition("/")
    if not resource.startswith(_ARN) or not wildcard(bucket, name):
        raise malformed("Policy has invalid resource")
    if not slash:
        yield "bucket"
    if slash or name.endswith("*"):
        yield "object"

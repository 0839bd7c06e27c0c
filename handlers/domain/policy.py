"""The policy: for each label, the confidence from which it counts and whether it alerts; and the verdict on a video.

The policy is JSON, as in `cdk.json`:
`{"default": {"min_confidence": 80, "alert": true}, "labels": {"Alcohol": {"min_confidence": 90, "alert": false}}}`.
A label without a rule takes that of its nearest ancestor with one, else the default. Names are compared case-insensitively.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from handlers.domain import taxonomy
from handlers.domain.record import Findings, LabelSummary
from handlers.domain.states import State

MAX_PERCENT = 100
_EXAMPLE = '{"min_confidence": 80, "alert": true}'


class PolicyError(Exception):
    """The policy is invalid; the message names the label, the rule and the cure."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The confidence (percent) from which a label counts, and whether it alerts."""

    min_confidence: float
    alert: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """FLAGGED if any label counts, else CLEAN; whether one of them alerts; and the labels that count, the worst first.

    `labels` are all labels as the policy sees them, in the order of the findings.
    """

    state: State
    alert: bool
    counted: tuple[LabelSummary, ...]
    labels: tuple[LabelSummary, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules by label name, in any case, and the default rule."""

    default: Rule
    rules: Mapping[str, Rule]
    # The first 16 hex digits of the SHA-256 of the canonical JSON, the same for policies that differ in form only.
    hash: str = field(init=False)

    def __post_init__(self) -> None:
        """Fold the names and compute the hash once for all videos."""
        object.__setattr__(self, "rules", {taxonomy.folded(name): rule for name, rule in self.rules.items()})
        object.__setattr__(self, "hash", _hash(self.default, self.rules))

    def rule_for(self, name: str, parents: Mapping[str, str]) -> Rule:
        """Return the rule of a label: its own, that of its nearest ancestor, or the default.

        `parents` holds the `ParentName` that Rekognition returned for a label, by folded name; the taxonomy knows the others.
        """
        return next((self.rules[label] for label in _lineage(name, parents) if label in self.rules), self.default)

    def judge(self, findings: Findings) -> Verdict:
        """Return the verdict on findings, by the highest confidence of each label."""
        parents = {taxonomy.folded(label.name): label.parent for label in findings.labels}
        rules = {label.name: self.rule_for(label.name, parents) for label in findings.labels}
        labels = tuple(label.judged(rules[label.name].min_confidence) for label in findings.labels)
        counted = [label for label in labels if label.confidence >= rules[label.name].min_confidence]
        # The alerting ones first. A label and its parent have the same confidence, and the deeper one is more specific.
        counted.sort(key=lambda label: (not rules[label.name].alert, -label.confidence, -label.level, label.name))
        return Verdict(
            state=State.FLAGGED if counted else State.CLEAN,
            alert=any(rules[label.name].alert for label in counted),
            counted=tuple(counted),
            labels=labels,
        )


def parse(text: str) -> Policy:
    """Return the policy in a JSON text.

    Raises:
        PolicyError: The text is not JSON, or a rule lacks a field, has an unknown one, or is out of range.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as fault:
        raise PolicyError(f'The policy is not JSON ({fault}); write it as an object with "default" and "labels".') from fault
    fields = _object(value, "The policy", {"default", "labels"})
    if "default" not in fields:
        raise PolicyError(f'The policy has no "default" rule, which labels without one take; add "default": {_EXAMPLE}.')
    return Policy(default=_rule(fields["default"], 'The policy\'s rule "default"'), rules=_rules(fields.get("labels", {})))


def _lineage(name: str, parents: Mapping[str, str]) -> Iterator[str]:
    """Yield a label and its ancestors, the nearest first, folded and each once."""
    seen: set[str] = set()
    current = taxonomy.folded(name)
    while current and current not in seen:
        seen.add(current)
        yield current
        current = taxonomy.folded(parents.get(current) or taxonomy.parent(current))


def _rules(value: object) -> dict[str, Rule]:
    """Return the rules by folded label name."""
    rules: dict[str, Rule] = {}
    for name, rule in _object(value, 'The policy\'s "labels"', None).items():
        folded = taxonomy.folded(name)
        if not folded:
            raise PolicyError(f'The policy\'s "labels" have a rule for {name!r}, which no label is called; take it out.')
        if folded in rules:
            raise PolicyError(f'The policy\'s "labels" name {name!r} twice (case does not matter); keep one rule for it.')
        rules[folded] = _rule(rule, f"The policy's rule for {name!r}")
    return rules


def _rule(value: object, where: str) -> Rule:
    fields = _object(value, where, {"min_confidence", "alert"})
    confidence, alert = fields.get("min_confidence"), fields.get("alert")
    # A bool is an int in Python; NaN fails the comparison.
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= MAX_PERCENT:
        _refuse(where, "min_confidence", confidence, "a number from 0 to 100 (percent)")
    if not isinstance(alert, bool):
        _refuse(where, "alert", alert, "true or false")
    return Rule(float(confidence), alert)


def _refuse(where: str, field: str, value: object, rule: str) -> NoReturn:
    found = (
        "is missing" if value is None else f"is {value!r:.40}" if isinstance(value, str | int | float) else "is not a plain value"
    )
    raise PolicyError(f'{where}: "{field}" {found}; it must be {rule}, as in {_EXAMPLE}.')


def _object(value: object, where: str, allowed: set[str] | None) -> dict[str, object]:
    """Return a JSON object; None allows any field."""
    if not isinstance(value, dict):
        raise PolicyError(f"{where} is not a JSON object; write it in braces.")
    unknown = sorted(set(value) - allowed) if allowed is not None else []
    if unknown:
        raise PolicyError(f"{where} has the unknown field {unknown[0]!r}; it may have {', '.join(sorted(allowed or ()))}.")
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object without repeated fields, of which Python would silently take the last."""
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise PolicyError(f"The policy has the field {twice!r} twice in one object; keep one.")
    return dict(pairs)


def _hash(default: Rule, rules: Mapping[str, Rule]) -> str:
    canonical = {"default": _canonical(default), "labels": {name: _canonical(rule) for name, rule in rules.items()}}
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _canonical(rule: Rule) -> dict[str, float | bool]:
    return {"min_confidence": float(rule.min_confidence), "alert": rule.alert}

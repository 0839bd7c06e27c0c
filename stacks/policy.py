"""The policy of the context, checked for its shape and made compact: it travels in the environment of `completion`."""

import json

# All variables of a function together: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ENVIRONMENT_LIMIT = 4096
# What completion's other variables take at most: names, a table name of 255 characters, a bucket name of 63, a topic ARN of 320.
OTHER_VARIABLES = 776


def compact(value: object, *, least: float) -> str:
    """Return the policy as compact ASCII JSON.

    `value` is `{"default": rule, "labels": {name: rule}}` or its JSON text, a rule `{"min_confidence": percent, "alert": bool}`.
    `least` is the confidence from which Rekognition reports at all, in percent.

    Raises:
        ValueError: It is not of that shape, asks for what Rekognition would not report, or is too large; says which rule is broken.
    """
    policy = _object(_decoded(value), "policy", required={"default"}, optional={"labels"})
    _check_rule(policy["default"], "policy.default", least)
    _check_labels(policy.get("labels", {}), least)
    text = json.dumps(policy, separators=(",", ":"))
    if len(text) > ENVIRONMENT_LIMIT - OTHER_VARIABLES:
        raise ValueError(
            f"takes {len(text)} bytes, must take at most {ENVIRONMENT_LIMIT - OTHER_VARIABLES} (a Lambda function's variables hold "
            "4 KB in all); drop rules of child labels that say what their parent's rule says"
        )
    return text


def _decoded(value: object) -> object:
    """Return the value of a JSON text (`-c policy='{...}'`), anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ValueError(f"must be a JSON object, is text that is not valid JSON ({error}); fix the quotes") from error


def _check_labels(value: object, least: float) -> None:
    labels = value if isinstance(value, dict) else None
    if labels is None:
        raise ValueError(f'policy.labels must be an object of rules by label, is {value!r}; write "labels": {{}} for none')
    folded: dict[str, str] = {}
    for name, rule in labels.items():
        label = str(name).strip().casefold()  # the form in which the function compares names
        if not label:
            raise ValueError(f"policy.labels has a rule for {name!r}, which no label is called; take it out")
        twin = folded.setdefault(label, name)
        if twin != name:
            raise ValueError(
                f"policy.labels names {twin!r} and {name!r}, which are one label (case and spaces around do not count); keep one"
            )
        _check_rule(rule, f"policy.labels[{name!r}]", least)


def _check_rule(value: object, where: str, least: float) -> None:
    rule = _object(value, where, required={"min_confidence", "alert"}, optional=set())
    confidence, alert = rule["min_confidence"], rule["alert"]
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 100:  # noqa: PLR2004  # percent
        raise ValueError(f"{where}.min_confidence must be a percentage from 0 to 100, is {confidence!r}; write e.g. 80")
    if confidence < least:
        raise ValueError(
            f"{where}.min_confidence is {confidence:g}, below the context key min_confidence ({least:g}), under which Rekognition "
            "reports nothing; raise the rule or lower min_confidence"
        )
    if not isinstance(alert, bool):
        raise ValueError(f"{where}.alert must be true or false, is {alert!r}; write it without quotes")  # noqa: TRY004  # the reader of the context knows faults as ValueError


def _object(value: object, where: str, *, required: set[str], optional: set[str]) -> dict[str, object]:
    form = ", ".join(sorted(required)) + (f" and may have {', '.join(sorted(optional))}" if optional else "")
    if not isinstance(value, dict) or not required <= value.keys() <= required | optional:
        given = json.dumps(value)[:200]
        raise ValueError(f"{where} must be an object that has {form} and nothing else, is {given}; see docs/configuration.md")
    return value

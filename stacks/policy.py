"""The policy of the context, checked and made compact for the environment of `completion`."""

import json

from handlers.domain.policy import PolicyError, parse

# All variables of a function together: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ENVIRONMENT_LIMIT = 4096
# Maximum for the other variables of `completion`: names, a table name of 255 characters, a bucket name of 63, a topic ARN of 320.
# Those of `sample_frames` but its limits take less.
OTHER_VARIABLES = 776


def compact(value: object, *, least: float) -> str:
    """Return the policy (an object or its JSON text, see `handlers.domain.policy`) as compact ASCII JSON.

    `least` is the confidence (percent) below which Rekognition reports nothing.

    Raises:
        ValueError: It is malformed, has a rule below `least`, or is too large; the message names the rule.
    """
    given = value if isinstance(value, str) else json.dumps(value)
    try:
        policy = parse(given)
    except PolicyError as fault:
        raise ValueError(str(fault).removesuffix(".")) from fault
    for name, rule in (("default", policy.default), *policy.rules.items()):
        if rule.min_confidence < least:
            raise ValueError(
                f"the rule for {name!r} has {rule.min_confidence:g}, below the context key min_confidence ({least:g}), "
                "under which Rekognition reports nothing; raise the rule or lower min_confidence"
            )
    text = json.dumps(json.loads(given), separators=(",", ":"))
    if len(text) > ENVIRONMENT_LIMIT - OTHER_VARIABLES:
        raise ValueError(
            f"takes {len(text)} bytes, must take at most {ENVIRONMENT_LIMIT - OTHER_VARIABLES} (a Lambda function's variables hold "
            "4 KB in all); remove rules of labels that equal their parent's rule"
        )
    return text

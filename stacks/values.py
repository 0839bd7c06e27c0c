"""What several settings of the context have in common: names of buckets, and numbers, which may be text."""

import re

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKET = re.compile(r"(?!.*\.\.)(?!(?:\d+\.){3}\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# Two ARNs of up to 81 characters per bucket, and one of up to 100 per key, must fit the role's one inline policy, which holds
# 10,240 characters; with ten keys and a few buckets more the CDK's careful estimate begins to split it into managed policies.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
BUCKETS = 20
ANY_BUCKET = "*"


def number_of(value: object) -> float | None:
    """Return a number, also of a string, or None; booleans are not numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def whole_number(value: object) -> int:
    """Return a whole number from 1.

    Raises:
        ValueError: It is something else; the message has the rule and the cure.
    """
    number = number_of(value)
    if number is None or not number.is_integer() or number < 1:
        raise ValueError(f"must be a whole number from 1, is {value!r}; write e.g. 20")
    return int(number)

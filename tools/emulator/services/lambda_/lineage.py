"""Loop detection: the trace header carries the history of a chain of invocations, and Lambda stops a chain after 16 rounds.

The SDK adds `X-Amzn-Trace-Id` to every call made inside a function; SQS and SNS pass it on with the message (AWSTraceHeader);
Lambda counts how often the chain has invoked each function [L:invocation-recursion]. The form of AWS's own `Lineage` field is
undocumented; here it is `Lineage=<8 hex digits for the function>:<times>`, joined by `|`.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable

MAXIMUM_ROUNDS = 16  # "approximately 16 times" [L:invocation-recursion]
HEADER = "X-Amzn-Trace-Id"
_LINEAGE = re.compile(r"(?:^|;)\s*Lineage=([0-9a-f:|]*)")
_ROOT = re.compile(r"(?:^|;)\s*Root=(1-[0-9a-f]{8}-[0-9a-f]{24})")


class RecursionStoppedError(Exception):
    """One chain of requests has invoked the function too often."""


def continued(trace_headers: Iterable[str], function_arn: str, now: float) -> str:
    """Return the trace header of an invocation caused by requests with these trace headers (a batch may have several).

    Raises:
        RecursionStoppedError: The chain has invoked the function 16 times already.
    """
    headers = list(trace_headers)
    rounds: dict[str, int] = {}
    for header in headers:
        for name, count in _rounds(header).items():
            rounds[name] = max(count, rounds.get(name, 0))
    own = _short(function_arn)
    if rounds.get(own, 0) >= MAXIMUM_ROUNDS:
        raise RecursionStoppedError(function_arn)
    rounds[own] = rounds.get(own, 0) + 1
    lineage = "|".join(f"{name}:{count}" for name, count in sorted(rounds.items()))
    return f"Root={_root(headers, now)};Parent={secrets.token_hex(8)};Sampled=0;Lineage={lineage}"


def _rounds(header: str) -> dict[str, int]:
    found = _LINEAGE.search(header)
    if found is None:
        return {}
    entries = (entry.split(":") for entry in found[1].split("|"))
    return {entry[0]: int(entry[1]) for entry in entries if len(entry) == 2 and entry[1].isdigit()}  # noqa: PLR2004  # name:times


def _root(headers: list[str], now: float) -> str:
    found = next((match[1] for header in headers if (match := _ROOT.search(header))), None)
    return found or f"1-{int(now):08x}-{secrets.token_hex(12)}"


def _short(function_arn: str) -> str:
    return hashlib.sha256(function_arn.encode()).hexdigest()[:8]

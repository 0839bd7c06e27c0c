"""The keys that all `--json` output and all exports have in one form: `scan_id`, and times as `..._time` in ISO 8601.

Up to 0.2.0 there were `scan` and epoch seconds as well. One more release writes those beside the new ones; then the functions here
lose them, and nothing else has to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.lib.text import iso_time

# The former keys of times that did not end with `_at`.
_FORMER = {"since": "since", "decided": "at"}


def scan_keys(scan_id: str) -> dict[str, str]:
    """Return the id of a scan under its key, and under the former one."""
    return {"scan": scan_id, "scan_id": scan_id}


def time_keys(**epoch_seconds: float | None) -> dict[str, Any]:
    """Return times under `<name>_time`, in ISO 8601 (UTC), and in epoch seconds under their former keys."""
    former = {_FORMER.get(name, f"{name}_at"): value for name, value in epoch_seconds.items()}
    return {**former, **{f"{name}_time": iso_or_none(value) for name, value in epoch_seconds.items()}}


def range_keys(name: str, epoch_seconds: Mapping[str, float]) -> dict[str, Any]:
    """Return several values of one time (its low, best and high) as `time_keys` returns one."""
    return {f"{name}_at": dict(epoch_seconds), f"{name}_time": {bound: iso_time(value) for bound, value in epoch_seconds.items()}}


def iso_or_none(epoch_seconds: float | None) -> str | None:
    """Return a time in ISO 8601 (UTC), None where it is not known."""
    return None if epoch_seconds is None else iso_time(epoch_seconds)

"""What a decision says beside the status of a video, in one vocabulary: docs/review_report.md#decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.domain import Decision, Judgement
from handlers.domain.decision import LogEntry
from tools.lib.json_keys import scan_keys, time_keys
from tools.lib.review.join import ObjectStatus
from tools.lib.text import iso_time, moment, printable

_WITHOUT_VERDICT = {Judgement.CONFIRMED: "found", Judgement.FALSE_ALARM: "cleared"}
# The words for a decision, by the status of the video: the judgement says what is there, the status what the analysis said.
WORDS: Mapping[ObjectStatus, Mapping[Judgement, str]] = {
    ObjectStatus.FLAGGED: {Judgement.CONFIRMED: "confirmed", Judgement.FALSE_ALARM: "false alarm"},
    ObjectStatus.CLEAN: {Judgement.CONFIRMED: "missed", Judgement.FALSE_ALARM: "cleared"},
    ObjectStatus.FAILED: _WITHOUT_VERDICT,
    ObjectStatus.INELIGIBLE: _WITHOUT_VERDICT,
}


def decision_line(decision: Decision, status: ObjectStatus) -> str:
    """Return who decided what about a video of this status, when, and the note."""
    return _line(WORDS[status][decision.judgement], decision)


def stored_decision_line(decision: Decision) -> str:
    """Return the same in the word that is stored, where scans with different verdicts are shown together."""
    return _line(decision.judgement.value, decision)


def _line(word: str, decision: Decision) -> str:
    note = f": {printable(decision.note)}" if decision.note else ""
    return f"{word} by {printable(decision.decided_by)}, {moment(decision.decided_at)}{note}"


def decision_or_null(decision: Decision | None) -> dict[str, Any] | None:
    """Return a decision as JSON values, None where there is none."""
    return None if decision is None else decision_json(decision)


def log_json(entry: LogEntry) -> dict[str, Any]:
    """Return an entry of the log as JSON values, with what it replaced."""
    decision, before = entry.decision, entry.before
    return {
        "decision": decision.judgement.value,
        "by": decision.decided_by,
        "decided_time": iso_time(decision.decided_at),
        "note": decision.note,
        "scan_id": decision.scan_id,
        "attempt": decision.attempt,
        "etag": decision.etag,
        "before": None
        if before is None
        else {"decision": before.judgement.value, "by": before.decided_by, "decided_time": iso_time(before.decided_at)},
    }


def decision_json(decision: Decision) -> dict[str, Any]:
    """Return a decision as JSON values."""
    return {
        "decision": decision.judgement.value,
        "by": decision.decided_by,
        **time_keys(decided=decision.decided_at),
        "note": decision.note,
        **scan_keys(decision.scan_id),
    }

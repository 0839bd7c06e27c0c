"""Reason codes: why a video failed or was left out, as records, reports and exports say it. Stored: never renamed."""

from __future__ import annotations

EMPTY = "empty"
ARCHIVED = "archived"
TOO_LARGE = "too-large"
NOT_A_VIDEO = "not-a-video"
MISSING = "missing"
FORBIDDEN = "forbidden"
# S3 refuses to say anything of the object as it was asked for (HEAD's bare 400).
UNREADABLE = "unreadable"
START_UNKNOWN = "start-unknown"
RESULT_LOST = "result-lost"
ANALYSIS_FAILED = "analysis-failed"
# A batch task or its event cannot be understood.
UNINTELLIGIBLE = "unintelligible"
# Something of AWS's or ours stood in the way for the moment, and had no code.
TROUBLE = "trouble"

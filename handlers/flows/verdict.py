"""From findings to a record's final state, with everything that is stored beside it."""

from __future__ import annotations

from dataclasses import replace

from handlers.adapters import HitFile
from handlers.domain import Findings, Policy, Record


def judged(record: Record, findings: Findings, policy: Policy, file: HitFile, *, at: float) -> Record:
    """Return the record with the policy's verdict on its findings, finished at `at` (epoch seconds); `file` has its raw hits."""
    verdict = policy.judge(findings)
    return replace(
        record,
        state=verdict.state,
        finished_at=at,
        policy_hash=policy.hash,
        labels=verdict.labels,
        gap_ms=findings.gap_ms,
        counted=tuple(label.name for label in verdict.counted),
        mail_due=verdict.alert,
        hits_key=file.key,
        hits_count=file.count,
    )

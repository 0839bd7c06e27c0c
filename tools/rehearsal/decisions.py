"""A file of decisions as the review page exports it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from handlers.domain import Judgement


def false_alarm(review: Mapping[str, Any], video: Mapping[str, Any]) -> str:
    """Return the file of decisions that the page exports, with one about a video of a review: it is a false alarm.

    It was made now by the clock of the browser, which is this machine's, as that of the programs.
    """
    names = ("video_id", "bucket", "key", "version_id", "etag", "attempt")
    decision = {
        **{name: video[name] for name in names},
        "decision": Judgement.FALSE_ALARM.value,
        "note": "",
        "decided_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    header = {"format": "video-moderation-decisions-1", "scan": review["scan_id"], "decided_by": "Ada"}
    return json.dumps({**header, "decisions": [decision]}, indent=1)

"""A function's log in Lambda's JSON format, in a file to which all processes of the function append."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from typing import Any

# The attributes of every LogRecord; all others come from `extra` and become fields, as in
# awslambdaric/lambda_runtime_log_utils.py.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Formats a record as Lambda's Python runtime does if the function's log format is JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.request_id: str | None = None

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON: timestamp, level, message, logger, requestId, then the fields given through `extra`."""
        line: dict[str, Any] = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": self.request_id,
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["errorType"] = type(record.exc_info[1]).__name__
            line["errorMessage"] = str(record.exc_info[1])
            line["stackTrace"] = self.formatException(record.exc_info).splitlines()
        line.update({name: value for name, value in vars(record).items() if name not in _OWN})
        return json.dumps({name: value for name, value in line.items() if value is not None}, ensure_ascii=False, default=str)


def install(path: str) -> JsonFormatter:
    """Send stdout, stderr and logging to the file; the level is AWS_LAMBDA_LOG_LEVEL, or INFO if that is not set."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    for name, number in (("stdout", 1), ("stderr", 2)):
        setattr(sys, name, open(number, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False))  # noqa: SIM115  # for the life of the process
    formatter = JsonFormatter()
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO"))
    return formatter


def print_error(error: dict[str, Any]) -> None:
    """Write an unhandled exception as Lambda's runtime does."""
    line = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time())), "log_level": "ERROR", **error}
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")

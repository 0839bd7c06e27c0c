"""The line of these tests, which others share: see `tests/line`."""

from tests.line.line import ACCOUNT, BUCKET, GET, STACK, START, Line, refusing, states
from tests.line.session import Session
from tests.line.videos import unreadable, video

__all__ = ["ACCOUNT", "BUCKET", "GET", "STACK", "START", "Line", "Session", "refusing", "states", "unreadable", "video"]

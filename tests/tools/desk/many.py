"""A desk's review of as many flagged videos as a page holds, of which the table has one."""

from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

from tests.tools.review_doubles import add_flagged, add_scan, video
from tools.lib.desk import live_review
from tools.lib.review import make_review
from tools.lib.review.page.data import MAX_FLAGGED

LAST = "last.mp4"


@contextmanager
def reviews_of_many(account, count=MAX_FLAGGED):
    """Have reviews of an account hold that many videos while the block runs; return the record of the last one."""
    add_scan(account, LAST)
    record = add_flagged(account, LAST)
    with mock.patch.object(live_review, "make_review", lambda *arguments: _with_many(make_review(*arguments), count)):
        yield record


def _with_many(review, count):
    """Return a review with videos more, which come before its own."""
    (last,) = review.flagged
    others = [replace(last, outcome=replace(last.outcome, video=video(f"{number:05}.mp4"))) for number in range(count - 1)]
    return replace(review, flagged=[*others, last])

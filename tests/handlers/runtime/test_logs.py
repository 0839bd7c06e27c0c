"""Logging: events with fields, as Lambda's JSON format copies them."""

import logging

from handlers.runtime.logs import Log

STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def test_fields(caplog):
    """Bound and given fields arrive as attributes of the record, at the level of the method."""
    caplog.set_level(logging.DEBUG)
    log = Log({"scan_id": "s"}).bind(video_id="v")

    log.debug("a", key="k")
    log.info("b")
    log.warning("c", video_id="w")
    log.alarm("d", cause=ValueError("x"))

    events = [
        (entry.levelname, entry.message, {name: value for name, value in vars(entry).items() if name not in STANDARD})
        for entry in caplog.records
    ]
    assert [
        ("DEBUG", "a", {"scan_id": "s", "video_id": "v", "key": "k"}),
        ("INFO", "b", {"scan_id": "s", "video_id": "v"}),
        ("WARNING", "c", {"scan_id": "s", "video_id": "w"}),
        ("ERROR", "d", {"scan_id": "s", "video_id": "v"}),
    ] == events
    assert isinstance(caplog.records[-1].exc_info[1], ValueError)

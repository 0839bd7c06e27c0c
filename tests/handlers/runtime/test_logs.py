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
    log.warning("c", detail="y", video_id="w")
    log.alarm("d", cause=ValueError("x"))

    events = [
        (entry.levelname, entry.message, {name: value for name, value in vars(entry).items() if name not in STANDARD})
        for entry in caplog.records
    ]
    assert [
        ("DEBUG", "a", {"scan_id": "s", "video_id": "v", "key": "k"}),
        ("INFO", "b", {"scan_id": "s", "video_id": "v"}),
        ("WARNING", "c", {"scan_id": "s", "video_id": "w"}),
        ("DEBUG", "c", {"scan_id": "s", "video_id": "v", "detail": "y"}),
        ("ERROR", "d", {"scan_id": "s", "video_id": "v"}),
        ("DEBUG", "d", {"scan_id": "s", "video_id": "v", "detail": None}),
    ] == events


def test_cause(caplog):
    """A cause's type and place are logged at ERROR, its message and its own causes at DEBUG only."""
    caplog.set_level(logging.DEBUG)
    key = "private" + "/a.mp4"
    try:
        try:
            {}[key]
        except KeyError as first:
            raise ValueError(key) from first
    except ValueError as error:
        Log().alarm("failed", cause=error)

    alarm, detail = caplog.records
    shown, whole = (logging.Formatter().formatException(entry.exc_info) for entry in (alarm, detail))
    assert (ValueError, True) == (alarm.exc_info[0], "ValueError" in shown)
    assert "in test_cause" in shown
    assert key not in shown
    assert [f"KeyError: '{key}'" in whole, f"ValueError: {key}" in whole] == [True, True]

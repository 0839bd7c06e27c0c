"""Items and messages that older code stored are read completely and written back unchanged."""

import json

import pytest

from tests.pins import product
from tests.pins.conftest import SCAN
from tests.pins.pinned import given

ITEMS = given("items.json")
RECORDS = [name for name in ITEMS if name.startswith("record")]
MESSAGES = given("lane_messages.json")


@pytest.mark.parametrize("name", RECORDS)
def test_record(name):
    """A record in each state is read and written back with every attribute."""
    item = {attribute: value for attribute, value in ITEMS[name].items() if attribute != "start_shared"}  # only ever a condition

    assert item == product.record_again(item)


@pytest.mark.parametrize("name", [name for name in ITEMS if name.startswith("segment")])
def test_segment(name):
    """A segment has its attributes under today's names and under those of the first table."""
    assert ITEMS[name] == product.segment_again(ITEMS[name], ITEMS["record, flagged"])


@pytest.mark.parametrize("name", [name for name in ITEMS if name.startswith("scan")])
def test_scan(name):
    """A scan in each status is read and written back with its jobs, its progress and what was left out."""
    assert ITEMS[name] == product.scan_again(ITEMS[name])


def test_subscriptions():
    """The item of the e-mail subscriptions is read and written back unchanged."""
    assert ITEMS["subscriptions"] == product.mail_watch_again(ITEMS["subscriptions"])


@pytest.mark.parametrize("name", ["lane, normal", "lane, express"])
def test_lane(name):
    """The item of a lane is read and written back unchanged."""
    assert ITEMS[name] == product.lane_again(ITEMS[name])


def test_decision():
    """A decision is read and written back with who, when, what and why."""
    assert ITEMS["decision"] == product.decision_again(ITEMS["decision"])


@pytest.mark.parametrize("name", ["decision made", "decision made, in the index"])
def test_decision_made(name):
    """An entry of the log is read and written back with what the decision replaced, and where the index has it."""
    assert ITEMS[name] == product.decision_made_again(ITEMS[name])


def test_decision_named_by_the_index():
    """What the index names is read: about which content, and when it was decided."""
    assert (("291d5b2ab765894c3e9cc4ec00b189bc", "e4"), 1_759_990_050_250) == product.logged(ITEMS["decision made, in the index"])


def test_running():
    """A running analysis is read with the time of its last poll and whether it was handed over, and written back."""
    item = ITEMS["running"]

    again, asked_at, handed_over = product.running_again(item, ITEMS["record, running"])

    later = ("asked_at", "handed_over")
    assert {name: value for name, value in item.items() if name not in later} == again
    assert (1759993600.25, True) == (asked_at, handed_over)


def test_settings():
    """Every attribute of the settings is read; programs write them one by one."""
    refused = ("8b7e8a745d0b3d763117c69e365320d7",)
    expected = [10, True, "circuit breaker", "Rekognition refused 20 times in a row", 1759990000.5, True, 20, refused]

    assert expected == product.settings_read(ITEMS["settings"])


def test_totals():
    """Totals are the sums over their items: videos, milliseconds, failures by reason (a zero is none), images (once none)."""
    videos, milliseconds, failures, images = product.totals_read(ITEMS["totals, shard 3"], ITEMS["totals, shard 40"])

    assert {"CANCELLED": 1, "CLEAN": 1, "FAILED": 2, "FLAGGED": 1} == videos
    assert {"CANCELLED": 0, "CLEAN": 60500, "FAILED": 0, "FLAGGED": 60500} == milliseconds
    assert {"empty": 1, "forbidden": 1} == failures
    assert 0 == images


@pytest.mark.parametrize("name", MESSAGES)
def test_lane_message(name):
    """A message is read, and written letter by letter as it is stored in queues."""
    item, body = ITEMS[name], MESSAGES[name]

    place, tag = product.message_read(body)

    assert body == product.message_of(item)
    assert [item["bucket"]["S"], item["key"]["S"], item.get("version_id", {"S": None})["S"]] == place
    assert f"{SCAN}/{item['video_id']['S']}/{item['attempt']['N']}" == tag


def test_fixtures_have_every_attribute():
    """The items that pin reading have every attribute that functions write."""
    written = given("written/items.json")

    for kind, name in (
        ("SCANS", "scan"),
        ("VIDEO", "record"),
        ("segment", "segment"),
        ("LANE", "lane"),
        ("SUBSCRIPTIONS", "subscriptions"),
        ("SETTINGS", "settings"),
        ("RUNNING", "running"),
    ):
        attributes = {
            each.removesuffix(" (not always)") for known, shape in written.items() if known.startswith(kind) for each in shape
        }
        known = {each for known, item in ITEMS.items() if known.startswith(name) for each in item}
        assert set() == attributes - known, json.dumps(sorted(attributes - known))

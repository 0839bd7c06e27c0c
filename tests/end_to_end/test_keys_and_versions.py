"""Keys as people and attackers write them, overwritten versions, and jobs made by hand: all come back unchanged."""

import random
from collections import Counter

import pytest

from tools.emulator.samples import tiny_clip

SOME_FAILED = 3
NASTY = [
    "plain",
    "with space",
    " leading and trailing ",
    "plus+plus",
    "percent%",
    "percent%20encoded%2Ftwice%252B",
    "comma,comma",
    'quote"quote',
    "'single'",
    "semi;colon",
    "line\nbreak",
    "carriage\r\nreturn",
    "tab\tstop",
    "bell\x07 and escape\x1b[31m",
    "back\\slash",
    "double//slash",
    "dots/../up",
    "./here",
    "hash#fragment?query=1&more=2",
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "{curly} [square] (round)",
    "$HOME `id` $(id)",
    "tilde~caret^pipe|",
    "ümläut",
    "u\u0308ml decomposed",
    "日本語のビデオ",
    "עברית",
    "emoji 🎬🍿",
    "zero\u200bwidth",
    "right\u202eto left",
    "null",
    "None",
    "a" * 1000,
    "ä" * 500,
    "🎬" * 250,
    "%" * 1000,
    '"' * 1000,
]
pytestmark = pytest.mark.timeout(400)


def nasty_keys(count):
    """Return `count` keys: the fixed list, then random Unicode from a fixed seed."""
    dice = random.Random(20_250_101)
    ranges = [(0x20, 0x7E), (0x20, 0x7E), (0xA1, 0x17F), (0x400, 0x4FF), (0x4E00, 0x4FFF), (0x1F300, 0x1F5FF), (1, 0x1F)]
    keys = [f"nasty/{name}.mp4" for name in NASTY]
    while len(keys) < count:
        text = "".join(chr(dice.randint(*dice.choice(ranges))) for _ in range(dice.randint(1, 60)))
        keys.append(f"nasty/{text}.mp4")
    return keys


@pytest.fixture(scope="module", name="stage")
def _stage(stages):
    """Return a stage whose bucket has no versions yet."""
    return stages()


def test_nasty_keys(stage):
    """The review names exactly the stored keys, each flagged by the card in its video."""
    keys = nasty_keys(60)
    for key in keys:
        stage.put(key, tiny_clip("Weapons"))

    review = stage.review(stage.scan("nasty/"))

    assert Counter(keys) == Counter(video["key"] for video in review["flagged"])
    assert (len(keys), True) == (review["objects"], review["adds_up"])


@pytest.mark.parametrize("schema", [None, "2.0"])
def test_a_job_made_in_the_console(stage, schema):
    """A job made by hand, without arguments, is a scan under its own id, by which the review finds it and its report."""
    stage.put("by-hand/flagged.mp4", tiny_clip("Weapons"))
    stage.put("by-hand/clean.mp4", tiny_clip())

    job_id = stage.console_job([("by-hand/flagged.mp4",), ("by-hand/clean.mp4",), ("by-hand/gone.mp4",)], schema=schema)
    stage.until_final(job_id)
    review = stage.run("review_report.py", "--job", job_id, codes=(SOME_FAILED,))

    assert (job_id, 3, True) == (review["scan"], review["objects"], review["adds_up"])
    assert ["by-hand/flagged.mp4"] == [video["key"] for video in review["flagged"]]
    assert [("by-hand/gone.mp4", "missing")] == [(video["key"], video["reason"]) for video in review["failed"]]


def test_versions_are_pinned(stage):
    """The listed version is analysed even if the object is overwritten or deleted before its turn."""
    stage.s3.put_bucket_versioning(Bucket="amzn-s3-demo-bucket", VersioningConfiguration={"Status": "Enabled"})
    stage.put("versions/1.mp4", tiny_clip())
    listed = {f"versions/{number}.mp4": stage.put(f"versions/{number}.mp4", tiny_clip("Weapons")) for number in range(4)}
    stage.table.control.pause("a test", "so that nothing starts yet")
    scan_id = stage.submit("versions/")
    stage.until(lambda: set(listed) == set(stage.states(scan_id)), "all are registered")

    stage.put("versions/0.mp4", tiny_clip())
    stage.s3.delete_object(Bucket="amzn-s3-demo-bucket", Key="versions/1.mp4")
    stage.unpause()
    stage.until_final(scan_id)

    assert set(listed.items()) == {(job.key, job.version_id) for job in stage.jobs(scan_id)}
    review = stage.review(scan_id)
    assert listed == {video["key"]: video["version_id"] for video in review["flagged"]}
    assert (4, True) == (review["objects"], review["adds_up"])

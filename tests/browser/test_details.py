"""The details of a video: timeline, ways to the object, decisions and their export."""

import json
import subprocess
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from handlers.domain.confidence import shown
from handlers.domain.decision import Judgement
from handlers.domain.engine import Engine
from tests.browser.reviews import BUCKET, HOSTILE_KEYS, SCAN, review, with_decision, with_segments
from tools.lib.review.summary import FlaggedVideo


def opened(page, number=0):
    """Open the details of a row and return them."""
    page.locator("tr.row .open").nth(number).click()
    return page.locator(".details")


def exported(page, by="Ana García"):
    """Export and return what was written."""
    page.get_by_label("Decided by").fill(by)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export decisions").click()
    assert f"decisions-{SCAN}.json" == download.value.suggested_filename
    return json.loads(download.value.path().read_text(encoding="utf-8"))


def test_timeline(pages):
    """Each segment is a bar in its label's lane with a title, and a row of the table with the same words."""
    made, totals = review(flagged_count=1)
    segments = made.flagged[0].segments
    details = opened(pages.open(made, totals))

    titles = details.locator("rect title").evaluate_all("all => all.map(title => title.textContent)")
    rows = details.locator(".findings tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )

    expected = [
        (segment.label, code(segment.start_ms), code(segment.end_ms), f"{shown(segment.confidence)} %") for segment in segments
    ]
    assert sorted(f"{label}, {start} to {end}, {sure}" for label, start, end, sure in expected) == sorted(titles)
    assert [(f"{start} \N{EN DASH} {end}", sure) for _, start, end, sure in expected] == [(row[0], row[2]) for row in rows]
    assert all(row[1].startswith(label) for row, (label, *_) in zip(rows, expected, strict=True))


def code(milliseconds):
    """Return a time as h:mm:ss."""
    seconds = milliseconds // 1_000
    return f"{seconds // 3_600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def test_bars_are_where_they_belong(pages):
    """A bar's place and width are the segment's share of the video's length."""
    made, totals = review(flagged_count=1)
    video = made.flagged[0]
    details = opened(pages.open(made, totals))

    places = details.locator(".lane rect").evaluate_all(
        "all => all.map(bar => [bar.x.baseVal.valueInSpecifiedUnits, bar.width.baseVal.valueInSpecifiedUnits])"
    )

    length = video.outcome.record.duration_ms
    widths = {segment.start_ms: max(0.5, 100 * (segment.end_ms - segment.start_ms) / length) for segment in video.segments}
    expected = sorted((min(100 * start / length, 100 - width), width) for start, width in widths.items())
    assert sorted(map(tuple, places)) == [pytest.approx(place, abs=0.01) for place in expected]


@pytest.mark.parametrize(("decoded_ms", "marks"), [(None, 10), (25_000, 5)])
def test_timeline_by_frames(pages, decoded_ms, marks):
    """By frames a mark shows each place that was looked at, and a bar covers the interval that its frame stands for."""
    made, totals = review(flagged_count=1)
    outcome, (segment, *_) = made.flagged[0].outcome, made.flagged[0].segments
    record = replace(outcome.record, engine=Engine.FRAMES, images=10, interval_ms=5_000, duration_ms=48_000, decoded_ms=decoded_ms)
    seen = (replace(segment, start_ms=2_500, end_ms=2_500), replace(segment, start_ms=12_500, end_ms=17_500))
    made.flagged = [FlaggedVideo(replace(outcome, record=record), seen)]
    details = opened(pages.open(made, totals))

    bars = details.locator(".lane rect").evaluate_all(
        "all => all.map(bar => [bar.x.baseVal.valueInSpecifiedUnits, bar.width.baseVal.valueInSpecifiedUnits])"
    )
    [drawn] = details.locator(".samples path").evaluate_all("all => all.map(path => path.getAttribute('d'))")

    assert [[0, 5], [10, 10]] == [[round(0.48 * share, 2) for share in bar] for bar in bars]
    places = [0.048 * float(mark.partition(" ")[0]) for mark in drawn.split("M")[1:]]
    assert [2.5 + 5 * number for number in range(marks)] == pytest.approx(places, abs=0.01)
    assert f"one frame about every 5 s, up to {code(decoded_ms or 48_000)}" == details.locator(".samples").get_attribute(
        "aria-label"
    )


def test_long_timeline_is_cut(pages):
    """Of 500 segments the 200 of the best confidence are shown, and the page says that 300 are not."""
    made, totals = review(flagged_count=1)
    made.flagged = [with_segments(made.flagged[0].outcome, 500)]
    details = opened(pages.open(made, totals))

    assert 200 == details.locator(".findings tbody tr").count()
    assert "The 200 with the highest confidence are shown, 300 are left out." in details.inner_text()


@pytest.fixture
def commands(pages):
    """What the page says of each hostile key, with a version and without: {(key, version): (command or None, link)}."""
    found = {}
    for versions in (("3/L4'x",), (None,)):
        made, totals = review(flagged_count=0, failed_count=0, keys=HOSTILE_KEYS, versions=versions)
        page = pages.open(made, totals)
        for number, video in enumerate(made.flagged):
            details = opened(page, number)
            command = details.locator(".command")
            target = details.get_by_role("link").get_attribute("href")
            found[video.outcome.video.key, video.outcome.video.version_id] = (
                command.inner_text() if command.count() else None,
                target,
            )
    assert 2 * len(HOSTILE_KEYS) == len(found)
    return found


def given(commands):
    """Return the commands that there are, by key and version."""
    return {what: command for what, (command, _) in commands.items() if command is not None}


def test_commands_survive_a_shell(commands):
    """A shell hands the AWS CLI exactly this bucket, key and version, and runs nothing else; all of it can be typed and seen."""
    for (key, version), command in given(commands).items():
        words = shell_words(command)

        assert (BUCKET, key, version) == asked_for(words), command
        assert command.isprintable()
        assert "--region=us-east-1" in words


def test_only_what_the_cli_would_misread_has_no_command(commands):
    """The AWS CLI reads `--key file://...` as a file of this machine: such a key's version has no command, and that is said."""
    assert {("file:///etc/passwd", "3/L4'x")} == commands.keys() - given(commands).keys()


def shell_words(command):
    """Return the words that a shell passes to the program."""
    script = "aws() { printf '%s\\0' \"$@\"; }\n" + command
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True, timeout=10)
    assert b"" == done.stderr
    return done.stdout.decode().split("\0")[:-1]


def asked_for(words):
    """Return bucket, key and version that a command line asks for."""
    if words[:2] == ["s3", "cp"]:
        bucket, _, key = words[2].removeprefix("s3://").partition("/")
        return bucket, key, None
    assert ["s3api", "get-object"] == words[:2]
    options = dict(word.split("=", 1) for word in words[2:-1])
    return options["--bucket"], options["--key"], options.get("--version-id")


def test_files_are_written_here(commands):
    """Whatever the key, the object is stored in the folder where one stands, under a name that is neither an option nor hidden."""
    for command in given(commands).values():
        words = shell_words(command)
        name = words[3] if words[1] == "cp" else words[-1]

        assert "/" not in name
        assert name[0].isalnum()
        assert name.isascii()
        assert len(name) <= 80


def test_console_links(commands):
    """The link leads to the console, to exactly this object and version."""
    for (key, version), (_, target) in commands.items():
        link = urlsplit(target)

        asked = {name: value for name, (value,) in parse_qs(link.query, strict_parsing=True).items()}
        assert ("https", "console.aws.amazon.com", f"/s3/object/{BUCKET}") == (link.scheme, link.netloc, link.path)
        assert {"region": "us-east-1", "prefix": key, **({"versionId": version} if version else {})} == asked


def test_copy(pages_with):
    """The copy button copies the command; a URI that cannot be seen whole has none."""
    pages = pages_with(permissions=["clipboard-read", "clipboard-write"])
    details = opened(pages.open(*review(flagged_count=0, failed_count=0, keys=["a\u202eb.mp4"])))

    details.get_by_role("button", name="Copy the command").click()

    page = details.page
    page.locator("#message", has_text="The command was copied.").wait_for()
    assert details.locator(".command").inner_text() == page.evaluate("navigator.clipboard.readText()")
    assert 0 == details.get_by_role("button", name="Copy the URI").count()


def test_decisions_are_kept_and_exported(pages):
    """Decisions and notes outlive a reload, are counted, filtered by, and exported with what identifies the object."""
    made, totals = review(flagged_count=3, keys=["odd\u202e,<key>.mp4"])
    path = pages.write(made, totals)
    page = pages.goto(path)
    for number, choice in ((0, "Confirm"), (1, "False alarm"), (2, "Confirm"), (2, "Confirm")):
        if not page.locator("tr.row").nth(number).locator(".open[aria-expanded='true']").count():
            opened(page, number)
        page.get_by_role("button", name=choice).click()
    opened(page, 1).get_by_label("Note").fill('a film poster, \u202e "quoted"\nand more')

    page.close()
    page = pages.goto(path)
    page.locator("#filter-decision").select_option("false-alarm")
    page.locator("#count", has_text="1 of 10").wait_for()
    file = exported(page)

    assert "2 of 4 flagged videos decided." == page.locator("#progress").inner_text()
    assert ("video-moderation-decisions-1", SCAN, "Ana García") == (file["format"], file["scan"], file["decided_by"])
    assert [expected(made, 0, "confirmed", ""), expected(made, 1, "false-alarm", 'a film poster, \u202e "quoted"\nand more')] == [
        {name: value for name, value in decision.items() if name != "decided_at"} for decision in file["decisions"]
    ]
    assert all(decision["decided_at"].endswith("Z") for decision in file["decisions"])


def expected(made, number, decision, note):
    """Return a decision as it is exported, without its time."""
    outcome = made.flagged[number].outcome
    video, record = outcome.video, outcome.record
    return {
        "video_id": video.id, "bucket": video.bucket, "key": video.key, "version_id": video.version_id,
        "etag": record.facts.etag, "attempt": 0, "decision": decision, "note": note,
    }  # fmt: skip


def test_changed_video_is_undecided(pages):
    """A decision on a video that was replaced since is not carried over."""
    made, totals = review(flagged_count=1)
    page = pages.open(made, totals)
    opened(page)
    page.get_by_role("button", name="Confirm").click()
    page.close()

    facts = made.flagged[0].outcome.record.facts
    object.__setattr__(facts, "etag", "0" * 32)
    page = pages.open(made, totals)

    assert page.locator("#progress").inner_text().startswith("0 of 1")


def test_export_needs_a_name(pages):
    """Nothing is exported before somebody says who decides."""
    page = pages.open(*review(flagged_count=1))

    page.get_by_role("button", name="Export decisions").click()

    assert "First enter who decided" in page.locator("#message").inner_text()
    assert page.get_by_label("Decided by").evaluate("field => field === document.activeElement")


def test_a_note_alone_is_not_lost_silently(pages):
    """A note without a decision is kept, left out of the export, and that is said."""
    page = pages.open(*review(flagged_count=1))
    opened(page).get_by_label("Note").fill("ask the owner")

    file = exported(page)

    assert [] == file["decisions"]
    assert "1 note without a decision was left out." in page.locator("#message").inner_text()


def test_recorded_decision_is_shown(pages):
    """What was decided before is shown in the list and in the details, until it is decided anew."""
    made, totals = review(flagged_count=1)
    made.flagged[0] = with_decision(made.flagged[0], Judgement.FALSE_ALARM, note="<i>poster</i>")
    page = pages.open(made, totals)
    before = page.locator("tr.row .cell-decision").first.inner_text()

    details = opened(page)
    text = details.inner_text()
    page.get_by_role("button", name="Confirm").click()

    assert "False alarm (recorded)" == before
    assert "Recorded earlier: False alarm by Ana, 2026-10-30 10:00 UTC: <i>poster</i>" in text
    assert "Confirmed" == page.locator("tr.row .cell-decision").first.inner_text()


def test_two_tabs(pages):
    """What is decided in one tab is seen in the other at once."""
    path = pages.write(*review(flagged_count=2))
    one, other = pages.goto(path), pages.goto(path)

    opened(one)
    one.get_by_role("button", name="Confirm").click()

    other.locator("#progress", has_text="1 of 2").wait_for()
    assert "Confirmed" == other.locator("tr.row .cell-decision").first.inner_text()


def test_browser_that_keeps_nothing(pages):
    """Where the browser refuses storage the page works, and says that decisions must be exported before it is closed."""
    pages.context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    page = pages.open(*review(flagged_count=1))

    opened(page)
    page.get_by_role("button", name="Confirm").click()

    assert "This browser does not keep decisions" in page.locator("#kept").inner_text()
    assert 1 == len(exported(page)["decisions"])


@pytest.mark.parametrize("text", ["", "null", "[]", '{"decision": "<b>", "note": ""}', '{"decision": "confirmed", "note": 3}', "{"])
def test_foreign_storage_is_ignored(pages, text):
    """All pages opened from disk share one storage: what is not a decision there counts for nothing."""
    made, totals = review(flagged_count=1)
    outcome = made.flagged[0].outcome
    name = f"video-moderation/1/{SCAN}/{outcome.video.id}/{outcome.record.facts.etag}"
    page = pages.open(made, totals)
    page.evaluate("([name, text]) => localStorage.setItem(name, text)", [name, text])

    page.reload()

    assert page.locator("#progress").inner_text().startswith("0 of 1")

"""The desk in Chromium: real films are looked at and decided about, through the real program, server and table."""

import json
from argparse import Namespace
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from handlers.domain import Judgement, watch
from tests.browser import axe, desks
from tests.browser.offline import BUCKET, CONTEXT
from tests.once import assembled
from tests.tools.review_doubles import decision
from tests.tools.uploads import add_day, add_flagged_upload

pytestmark = pytest.mark.timeout(600)

PIXELS = """async (seconds) => {
    const film = document.querySelector(".stage video");
    const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
    const shown = [];
    for (const at of seconds) {
        film.pause();
        await new Promise((resolve) => {
            film.addEventListener("seeked", resolve, { once: true });
            film.currentTime = at;
        });
        const context = canvas.getContext("2d");
        context.drawImage(film, 0, 0, 64, 36);
        shown.push([...context.getImageData(0, 0, 64, 36).data]);
    }
    const [before, within] = shown;
    return before.filter((value, place) => Math.abs(value - within[place]) > 40).length / before.length;
}"""
"""Which share of the colours of two moments differ."""


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """The library, scanned."""
    with desks.scanned(tmp_path_factory.mktemp("desk"), assembled(tmp_path_factory, **CONTEXT)) as made:
        yield made


@pytest.fixture(scope="module")
def open_desk(scanned):
    """Serve desks as they are asked for, each with a browser's profile that has its cookie; return (origin, cookies)."""
    with ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(scanned.served("--sample-clean", "2", *arguments))


@pytest.fixture(scope="module")
def desk(browser, open_desk):
    """One desk, and what a browser keeps that has come in by its first address."""
    address = open_desk()
    with browser.new_context() as context:
        context.new_page().goto(address)
        return "{0.scheme}://{0.netloc}".format(urlsplit(address)), context.storage_state()


def until(page, expression, argument=None):
    """Wait until an expression is true on the page, whose policy refuses the way in which Playwright itself would wait."""
    for _ in range(600):
        if page.evaluate(expression, argument):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


class Visitor:
    """A person at the desk, in a browser of their own."""

    def __init__(self, browser, address, state=None, **options):
        self.requests = []
        self.errors = []
        self.context = browser.new_context(storage_state=state, **{"viewport": {"width": 1280, "height": 1000}, **options})
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.context.on("weberror", lambda error: self.errors.append(str(error.error)))
        self.page = self.context.new_page()
        self.page.goto(address)
        self.page.locator("tr.row").first.wait_for()

    def named(self, name):
        """Say who decides."""
        self.page.get_by_label("Decided by").fill(name)
        return self

    def only(self, text, count=1):
        """Show only the videos with a text in their keys, and put the focus on the first."""
        with self.filtering():
            self.page.locator("#filter-text").fill(text)
        self.page.locator("#count", has_text=f"{count} of ").wait_for()
        self.page.locator("tr.row .open").first.focus()
        return self

    @contextmanager
    def filtering(self):
        """Change a filter within: the list is drawn anew a moment later, and until then its rows are the former ones."""
        former = self.page.locator("tr.row").first.element_handle()
        yield
        until(self.page, "row => !row.isConnected", former)

    def press(self, *keys):
        """Press keys one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def focused(self):
        """Return the name of the video that has the focus."""
        return self.page.evaluate("document.activeElement.closest('tr.row')?.querySelector('.open').textContent")

    @property
    def badges(self):
        """Return what the list says of decisions, by the names of videos, once everything is written."""
        until(self.page, "!document.getElementById('rows').textContent.includes('being written')")
        rows = self.page.locator("tr.row").evaluate_all(
            "rows => rows.map(row => [row.querySelector('.open').textContent, row.querySelector('.cell-decision').textContent])"
        )
        return dict(rows)


@pytest.fixture
def visit(browser, desk):
    """Come to the desk; in the end no script has failed, and nothing was asked of anyone but the desk."""
    origin, state = desk
    visitors = []

    def come(address=f"{origin}/", given=state, **options):
        visitors.append(Visitor(browser, address, given, **options))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.context.close()
    assert [] == [error for visitor in visitors for error in visitor.errors]
    assert {"127.0.0.1"} == {urlsplit(url).hostname for visitor in visitors for url in visitor.requests}


def film(page):
    """Return the player's film: where it stands, whether it is paused and muted."""
    return page.locator(".stage video").evaluate("film => ({ at: film.currentTime, paused: film.paused, muted: film.muted })")


def test_a_segment_is_played(visit):
    """`Enter` on a segment plays the film from two seconds before it, muted; and its frames are really the film's."""
    visitor = visit().only("clip-01")
    page = visitor.page
    visitor.press("Enter")
    until(page, "document.querySelector('.stage video').readyState >= 2")

    page.locator(".jump").first.focus()
    visitor.press("Enter")
    until(page, "document.querySelector('.stage video').currentTime > 4.05")
    played = film(page)
    differing = page.evaluate(PIXELS, [2.0, 7.0])

    assert 4 <= played["at"] < 6
    assert (False, True) == (played["paused"], played["muted"])
    assert differing > 0.05


def test_the_timeline_is_the_seek_bar(visit):
    """The position is a slider on the timeline, and segments, loop, speed, sound and single frames have keys."""
    visitor = visit().only("clip-00")
    page = visitor.page
    visitor.press("Enter")
    until(page, "document.querySelector('.stage video').readyState >= 2")

    page.get_by_label("Position").evaluate("bar => { bar.value = 3000; bar.dispatchEvent(new Event('input')); }")
    moved = film(page)["at"]
    page.locator("tr.row .open").first.focus()
    visitor.press("]")
    until(page, "document.querySelector('.stage video').currentTime > 4")
    first = film(page)["at"]
    visitor.press("]", ",")
    second = film(page)
    visitor.press("l", "+", "m")
    looped = page.locator(".stage video").evaluate("film => [film.playbackRate, film.muted]")

    assert 3 == moved
    assert 4 <= first < 6
    assert 6.9 < second["at"] < 9
    assert second["paused"]
    assert [1.5, False] == looped
    assert "true" == page.get_by_role("button", name="Loop").get_attribute("aria-pressed")


def test_a_segment_at_the_end_is_repeated(visit):
    """A segment that lies at the end of the film is repeated when the film is over."""
    visitor = visit().only(desks.AT_THE_END)
    page = visitor.page
    visitor.press("Enter")
    until(page, "document.querySelector('.stage video').readyState >= 2")
    visitor.press("l")
    page.locator(".stage video").evaluate("film => { film.currentTime = film.duration - 0.5; }")

    until(page, "document.querySelector('.stage video').currentTime < 7")

    assert not film(page)["paused"]


def test_pictures_are_blurred_until_somebody_lifts_that(visit):
    """Pictures and film are blurred and grey; `v` and the pointer show those of one video; the setting is for all, and kept."""
    visitor = visit()
    page = visitor.page
    page.locator(".card-pictures img[src]").nth(4).wait_for()
    looks = "all => all.map(each => getComputedStyle(each).filter)"
    every = page.locator(".evidence")

    before = set(every.evaluate_all(looks))
    visitor.press("v")
    until(page, "getComputedStyle(document.querySelector('tr.lifted .evidence')).filter === 'none'")
    lifted = page.locator("tr.lifted").count()
    visitor.press("v", "Enter")
    film_before = page.locator(".stage video").evaluate("film => [getComputedStyle(film).filter, film.muted]")
    page.locator(".stage video").hover()
    until(page, "getComputedStyle(document.querySelector('.stage video')).filter === 'none'")
    page.get_by_label("Blurred and grey").uncheck()
    page.reload()
    page.locator(".card-pictures img[src]").first.wait_for()

    assert {"blur(10px) grayscale(1)"} == before
    assert 1 == lifted
    assert ["blur(20px) grayscale(1)", True] == film_before
    assert {"none"} == set(every.evaluate_all(looks))


def test_pictures_are_those_of_the_film(visit):
    """A card shows the moments at which something was found, each with its time and label, decoded from the film."""
    visitor = visit().only("clip-02")
    page = visitor.page
    until(page, "document.querySelector('.card-pictures img')?.naturalWidth > 0")

    width, alt = page.locator(".card-pictures img").first.evaluate("image => [image.naturalWidth, image.alt]")
    visitor.press("Enter")
    page.locator(".moments .picture").first.click()

    assert 320 == width
    assert alt.startswith("Picture at 0:00:0")
    assert 5.5 <= film(page)["at"] <= 8


def test_triage_of_twenty_with_undo(visit, scanned):
    """Twenty videos are decided with one key each, five decisions are taken back, and the table has what is left."""
    visitor = visit().named("Ana García")
    page = visitor.page
    visitor.only(desks.QUEUE, desks.QUEUE_COUNT)
    names = page.locator("tr.row .open").all_inner_texts()

    keys = "cfccffcsc" + "ccfccfccffc" + "f"
    visitor.press(*keys)
    decided = visitor.badges
    visitor.press(*"uuuuu")
    back = visitor.focused
    left = visitor.badges

    words = {"c": "Confirmed", "f": "False alarm", "s": "Undecided"}
    assert 20 == len(keys.replace("s", ""))
    assert [words[key] for key in keys] == [decided[name] for name in names]
    assert names[16] == back
    assert ["Undecided"] * 5 == [left[name] for name in names[16:]]
    judged = {"c": ("confirmed", "Ana García"), "f": ("false-alarm", "Ana García")}
    assert {f"{desks.QUEUE}{name}": judged[key] for name, key in zip(names[:16], keys, strict=False) if key != "s"} == {
        key: decision for key, decision in scanned.decisions().items() if key.startswith(desks.QUEUE)
    }


def test_a_former_decision_comes_back(visit):
    """Undoing a change of mind brings the former decision back, with its note; and every decision is in the video's log."""
    visitor = visit().named("Bea").only("clip-19")
    page = visitor.page
    visitor.press("t")
    page.keyboard.type("a film poster")
    visitor.press("Escape", "f")
    visitor.badges  # noqa: B018 - written, then
    visitor.press("c")
    visitor.badges  # noqa: B018
    visitor.press("u")
    badges = visitor.badges
    visitor.press("Enter")
    page.get_by_text("Every decision so far").click()
    page.locator(".log li").nth(2).wait_for()
    log = page.locator(".log li").all_inner_texts()

    assert {"False alarm (note)"} == set(badges.values())
    assert ["False alarm", "Confirmed", "False alarm"] == [line.partition(" by Bea")[0] for line in log[-3:]]
    assert "a film poster" in log[-1]


def test_two_people_never_decide_one_video_twice(visit, browser, open_desk, scanned):
    """Of two at their own desks the first decides; the second is told who was first, sees that decision, and writes nothing."""
    one = visit().named("Ana").only("clip-13")
    other = visit(open_desk(), None).named("Ben").only("clip-13")

    one.press("f")
    first = one.badges
    other.press("c")
    other.page.locator("#message", has_text="Ana was first").wait_for()

    assert {"False alarm"} == set(first.values())
    assert {"False alarm"} == set(other.badges.values())
    assert ("false-alarm", "Ana") == scanned.decisions()["trailers/clip-13.mp4"]


def test_a_film_that_was_replaced_is_not_played(visit):
    """Of a film that was replaced since its verdict the desk says so, and shows neither film nor pictures."""
    visitor = visit().only("replaced")
    page = visitor.page

    visitor.press("Enter")
    page.locator(".stage .notice").wait_for()

    assert "replaced" in page.locator(".stage .notice").inner_text()
    assert 0 == page.locator(".stage video").count()
    assert page.get_by_role("button", name="Play").is_disabled()


def test_what_the_browser_cannot_decode_is_shown_as_pictures(visit):
    """An MPEG-4 film, which Chromium does not play, is shown picture by picture on the same bar, and decided about."""
    visitor = visit().named("Ana").only("old-camera")
    page = visitor.page
    visitor.press("Enter")
    until(page, "document.querySelector('.stage img')?.naturalWidth === 320")

    page.get_by_label("Position").evaluate("bar => { bar.value = bar.max / 2; bar.dispatchEvent(new Event('input')); }")
    until(page, "document.querySelector('.stage img').complete")
    visitor.press("c")

    assert "cannot decode" in page.locator(".stage").inner_text()
    assert {"Found"} == set(visitor.badges.values())


def cannot(page):
    """Tell whether the page says that the browser cannot decode the film."""
    return page.get_by_text("This browser cannot decode the film").count() > 0


def test_a_film_that_is_cut_off_is_read_anew(visit):
    """A film whose first answer is lost is read again, and not taken for one that the browser cannot decode."""
    visitor = visit().only("clip-16")
    page = visitor.page
    page.route("**/media/**", lambda route: route.abort("connectionreset"), times=1)

    visitor.press("Enter")
    until(page, "document.querySelector('.stage video')?.readyState >= 2")

    assert not cannot(page)


@pytest.mark.parametrize(("key", "shown"), [("clip-17", "video"), (desks.UNDECODABLE, "img")])
def test_a_desk_that_comes_back_shows_the_film(visit, key, shown):
    """Where the desk did not answer, that is said, and the film or its pictures are there once it answers and is asked again."""
    visitor = visit().only(key)
    page = visitor.page
    visitor.press("Enter")
    page.locator(f".stage {shown}").wait_for()
    visitor.press("Escape")
    page.route("**/media/**", lambda route: route.abort())
    page.route("**/frames/**", lambda route: route.abort())
    visitor.press("Enter")
    page.locator(".stage .notice", has_text="The desk does not answer.").wait_for()
    page.unroute_all()

    page.get_by_role("button", name="Try again").click()
    loaded = {"video": "readyState >= 2", "img": "naturalWidth > 0"}[shown]
    until(page, f"document.querySelector('.stage {shown}')?.{loaded}")

    assert cannot(page) == (shown == "img")


def test_undo_where_the_desk_does_not_answer(visit):
    """What could not be sent leaves every earlier step, which is taken back once the desk answers again."""
    visitor = visit().named("Ana").only("clip-18")
    page = visitor.page
    visitor.press("c")
    visitor.badges  # noqa: B018 - written, then
    visitor.press("f")
    decided = visitor.badges["clip-18.mp4"]
    page.route("**/api/decisions", lambda route: route.abort())

    shown = []
    for key in "ucu":
        visitor.press(key)
        page.locator("#message", has_text="The desk does not answer.").wait_for()
        shown.append(visitor.badges["clip-18.mp4"])
    page.unroute_all()
    for key in "uu":
        visitor.press(key)
        shown.append(visitor.badges["clip-18.mp4"])

    assert "False alarm" == decided
    assert ["False alarm", "False alarm", "False alarm", "Confirmed", "Undecided"] == shown
    assert page.get_by_role("button", name="Undo").is_disabled()


def test_undo_leaves_what_another_person_decided(visit, open_desk, scanned):
    """A decision that another person replaced since is not taken back with `u`, which goes on with the step before."""
    one = visit().named("Ana").only("clip-1", 10)
    one.only("clip-15").press("c")
    one.badges  # noqa: B018 - written, then
    one.only("clip-14").press("c")
    one.badges  # noqa: B018
    other = visit(open_desk(), None).named("Ben").only("clip-14")
    other.press("f")
    other.badges  # noqa: B018
    one.page.locator("tr.row", has_text="False alarm").wait_for()

    one.press("u")
    one.only("clip-15")
    until(one.page, "document.getElementById('rows').textContent.includes('Undecided')")

    assert ("false-alarm", "Ben") == scanned.decisions()["user-content/eu/clip-14.mp4"]
    assert "uploads/2019/clip-15.mp4" not in scanned.decisions()


def cleared_by_ben(page, scanned):
    """Have another person decide about the one video of the list, once the page says so; return its key."""
    video_id = page.locator("tr.row").get_attribute("data-id")
    shown = next(each for each in json.loads(page.locator("#data").text_content())["flagged"] if each["id"] == video_id)
    theirs = decision(shown["key"], scan_id=scanned.review()["scan_id"], judgement=Judgement.FALSE_ALARM, decided_by="Ben")
    now = round(scanned.world.clock.now(), 3)
    scanned.table().decisions.note_decisions([replace(theirs, etag=shown["etag"], decided_at=now)])
    page.locator("tr.row", has_text="False alarm").wait_for()
    return shown["key"]


def test_a_note_is_no_decision(visit, scanned):
    """A note that somebody writes while another person decides goes with a decision of its writer, and takes none for them."""
    visitor = visit().named("Ana").only("clip-11")
    page = visitor.page
    visitor.press("t")
    page.keyboard.type("look at")
    key = cleared_by_ben(page, scanned)

    page.keyboard.type(" the sign")
    visitor.press("Escape")
    before = visitor.badges, scanned.decisions()[key]
    visitor.press("c")
    after = visitor.badges, scanned.decisions()[key]

    assert ({"clip-11.mp4": "False alarm (note)"}, ("false-alarm", "Ben")) == before
    assert ({"clip-11.mp4": "Confirmed (note)"}, ("confirmed", "Ana")) == after


def test_what_was_analysed_again_is_another_video(visit):
    """A video that is analysed again does not change under a hand: a decision on what was there names that."""
    visitor = visit().named("Ana").only("clip-12")
    page = visitor.page
    data = json.loads(page.locator("#data").text_content())
    (seen,) = (each for each in data["flagged"] if each["key"].endswith("clip-12.mp4"))
    again = {**seen, "attempt": 1, "recorded": None}
    changes = {"number": data["desk"]["number"], "labels": data["labels"], "flagged": [again], "status": "open"}
    page.route("**/api/changes?*", lambda route: route.fulfill(json=changes), times=1)
    page.locator("#arrived", has_text="Show 1 new video").wait_for()

    with page.expect_request("**/api/decisions") as before:
        visitor.press("c")
    page.locator("#arrived").click()
    page.locator("tr.row .open").first.focus()
    with page.expect_request("**/api/decisions") as after:
        visitor.press("c")

    assert [0, 1] == [each.value.post_data_json["decisions"][0]["attempt"] for each in (before, after)]


def test_a_refused_decision_leaves_the_one_before(visit):
    """Where a decision breaks a rule, the page goes on showing the one that stands."""
    visitor = visit().named("Ana").only("clip-18")
    page = visitor.page
    visitor.press("c")
    before = visitor.badges
    refused = {"outcome": "refused", "recorded": None, "reason": "it has a fault.", "cure": ""}
    page.route(
        "**/api/decisions",
        lambda route: route.fulfill(json={"results": [{"id": route.request.post_data_json["decisions"][0]["id"], **refused}]}),
    )

    visitor.press("f")
    page.locator("#message", has_text="it has a fault.").wait_for()

    assert {"Confirmed"} == set(before.values()) == set(visitor.badges.values())


def test_a_note_is_not_lost_with_the_page(visit):
    """While a note waits for its decision, the browser asks before it leaves the page; afterwards it does not."""
    visitor = visit().named("Ana").only("clip-20")
    page = visitor.page
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    visitor.press("t")
    page.keyboard.type("is it a \N{FILM FRAMES} poster?")

    with page.expect_event("dialog"):
        page.close(run_before_unload=True)
    waiting = [*asked]
    visitor.press("Escape", "c")
    visitor.badges  # noqa: B018 - written, then
    with page.expect_event("close"):
        page.close(run_before_unload=True)

    assert ["beforeunload"] == waiting == asked


def test_a_group_is_decided_after_it_was_shown(visit, scanned):
    """All videos below a prefix are decided in one step that names them before, leaves decided ones, and is undone as one."""
    visitor = visit().named("Ana")
    page = visitor.page
    page.locator("#filter-prefix").fill("user-content/eu/")
    page.locator("#count", has_text="7 of ").wait_for()
    with visitor.filtering():
        page.locator("#filter-decision").select_option("open")
    names = page.locator("tr.row .open").all_inner_texts()

    page.get_by_role("button", name="Decide about all of these").click()
    listed = page.locator("#group-videos li").all_inner_texts()
    page.get_by_label("Reason for all of them").fill("stock footage")
    page.get_by_role("button", name="False alarm: nothing is there").click()
    decided = visitor.badges
    page.get_by_role("button", name="Undo").click()
    undone = visitor.badges

    assert names
    assert [f"user-content/eu/{name}" for name in names] == listed
    assert {"False alarm (note)"} == set(decided.values())
    assert {"Undecided"} == set(undone.values())


def test_a_group_leaves_what_was_decided_since_it_was_shown(visit, scanned):
    """What another person decides about while the group is shown stays as it is, as the dialog says of all that is decided."""
    visitor = visit().named("Ana").only("clip-10")
    page = visitor.page
    page.get_by_role("button", name="Decide about all of these").click()
    facts = page.locator("#group-facts").inner_text()
    key = cleared_by_ben(page, scanned)

    page.get_by_role("button", name="Confirm: something is there").click()

    assert "1 video without a decision will get it." == facts
    assert {"clip-10.mp4": "False alarm"} == visitor.badges
    assert ("false-alarm", "Ben") == scanned.decisions()[key]


def test_a_key_that_is_a_script(visit):
    """A key that is a script is text in cards, details and dialogs, and its film plays."""
    visitor = visit().only("owned")
    page = visitor.page
    visitor.press("Enter")
    until(page, "document.querySelector('.stage video').readyState >= 2")
    page.get_by_role("button", name="Decide about all of these").click()

    assert "owned" != page.title()
    assert "<script>" in page.locator("#group-videos").inner_text()


def test_the_sample_is_decided(visit):
    """A clean video of the sample is looked at and decided with the same keys, in its own words."""
    visitor = visit().named("Ana")
    page = visitor.page
    page.locator("#filter-state").select_option("clean")
    page.locator("#count", has_text="2 of ").wait_for()
    page.locator("tr.row .open").first.focus()

    visitor.press("c", "f")

    assert ["Missed", "Cleared"] == [*visitor.badges.values()]


def test_new_verdicts_appear(visit):
    """What a running scan finds comes into the list: at once, or where somebody is at work in it, behind a button."""
    visitor = visit()
    page = visitor.page
    data = json.loads(page.locator("#data").text_content())
    new = {**data["flagged"][0], "id": "0" * 32, "key": "later/new.mp4", "recorded": None}
    changes = {"number": 9_999, "labels": data["labels"], "flagged": [new], "states": [{"name": "flagged", "count": 77}]}
    page.route("**/api/changes?*", lambda route: route.fulfill(json={**changes, "status": "open"}), times=1)

    page.locator("#arrived").wait_for()
    offered = page.locator("#arrived").inner_text()
    hidden = page.get_by_text("new.mp4").count()
    page.locator("#arrived").click()

    assert "Show 1 new video" == offered
    assert 0 == hidden
    assert 1 == page.locator("tr.row", has_text="new.mp4").count()
    assert "77 videos were flagged" in page.locator("#verdict").inner_text()


def arriving(visitor):
    """Return a function that has the desk's next answer bring that many more flagged videos."""
    data = json.loads(visitor.page.locator("#data").text_content())
    due, made = [], []

    def answer(route):
        numbers = range(len(made), len(made) + (due.pop() if due else 0))
        made.extend(numbers)
        new = [{"id": f"{number:032x}", "key": f"later/new-{number:04}.mp4"} for number in numbers]
        flagged = [{**data["flagged"][0], "recorded": None, **each} for each in new]
        route.fulfill(json={"number": 9_999, "labels": data["labels"], "flagged": flagged, "status": "open"})

    visitor.page.route("**/api/changes?*", answer)
    return due.append


def look_elsewhere(page):
    """Put the focus outside the list."""
    page.locator("#filter-text").focus()


def names_shown(page):
    """Return the names of the rows, and where the first of them is on the screen."""
    return page.locator("tr.row").evaluate_all(
        "rows => [rows.map(row => row.querySelector('.open').textContent), Math.round(rows[0].getBoundingClientRect().top)]"
    )


def test_new_verdicts_come_at_once_at_the_beginning(visit):
    """At the beginning of the list, with the focus elsewhere, new verdicts are there at once."""
    visitor = visit()
    page = visitor.page
    look_elsewhere(page)

    arriving(visitor)(1)

    page.locator("tr.row", has_text="new-").wait_for()
    assert page.locator("#arrived").is_hidden()


@pytest.mark.parametrize("place", ["page 2", "scrolled", "open"])
def test_new_verdicts_move_nothing(visit, place):
    """On a further page, below the beginning, or beside an open video nothing moves until it is asked for."""
    visitor = visit()
    page = visitor.page
    arrive = arriving(visitor)
    look_elsewhere(page)
    arrive(60)
    page.locator("#place", has_text="Page 1 of 3").wait_for()
    match place:
        case "page 2":
            page.get_by_role("button", name="Next", exact=True).click()
        case "scrolled":
            page.mouse.wheel(0, 1_000)
            until(page, "document.getElementById('list').getBoundingClientRect().top < 0")
        case "open":
            page.locator("tr.row .open").first.click()
    page.evaluate("document.getElementById('filter-text').focus({ preventScroll: true })")
    before = names_shown(page)

    arrive(1)
    page.locator("#arrived").wait_for()

    assert "Show 1 new video" == page.locator("#arrived").inner_text()
    assert before == names_shown(page)


@pytest.fixture(name="uploads")
def _uploads(browser, scanned, open_desk):
    """Return a function that makes a day of two flagged uploads; it returns a visitor, what replaces the first, what undoes it."""
    account = Namespace(table=scanned.table(), clock=scanned.world.clock)
    visitors = []

    def come(day, *others):
        add_day(account, day)
        scan_id = watch.scan_id(BUCKET, day)
        record = add_flagged_upload(account, "day/a.mp4", etag="e1", day=day)
        add_flagged_upload(account, "day/b.mp4", etag="e1", day=day)
        visitors.append(Visitor(browser, open_desk(scan_id, *others)).named("Ana"))
        records = account.table.records

        def judged_anew(name, confidence):
            before = records.record(record.video.id, scan_id)
            (label,) = before.labels
            labels = (replace(label, name=name, confidence=confidence),)
            records.judge_again(before, replace(before, policy_hash="b", labels=labels, counted=(name,)))

        visitors[-1].judged_anew = judged_anew

        def replaced():
            records.supersede(record.video.id, scan_id)
            visitors[-1].page.locator("tr.row.superseded").wait_for()

        def back():
            records.restore(records.record(record.video.id, scan_id))
            visitors[-1].page.locator("tr.row.superseded").wait_for(state="detached")

        return visitors[-1], replaced, back

    yield come
    for visitor in visitors:
        visitor.context.close()
    assert [] == [error for visitor in visitors for error in visitor.errors]


def test_uploads(uploads):
    """An upload that another one replaces is shown as superseded, open or not, with nothing to decide, and comes back."""
    visitor, replaced, back = uploads("2025-10-01")
    page = visitor.page
    page.get_by_role("button", name="a.mp4", exact=True).click()
    opened = page.locator(".details .decision").count()
    chart = page.locator("#states-chart").inner_text()

    replaced()
    superseded = page.locator("tr.row.superseded .open").all_inner_texts(), page.locator(".details .decision").count()
    visitor.press("c")
    message, changed = page.locator("#message").inner_text(), page.locator("#states-chart").inner_text()
    back()

    assert (1, (["a.mp4"], 0)) == (opened, superseded)
    assert "Another upload replaced this content: there is nothing to decide." == message
    assert (2, 1) == (page.locator("tr.row.flagged").count(), page.locator(".details .decision").count())
    assert {"a.mp4": "Undecided", "b.mp4": "Undecided"} == visitor.badges
    assert page.locator("#arrived").is_hidden()
    assert (False, True) == (changed == chart, page.locator("#states-chart").inner_text() == chart)


def test_judged_anew(uploads):
    """Where another policy flags a video for another label, its row says so where it stands, also while it is open."""
    visitor, _, _ = uploads("2025-10-05")
    page = visitor.page
    page.get_by_role("button", name="a.mp4", exact=True).click()
    found = page.locator("tr.row", has_text="a.mp4").locator(".cell-found").inner_text()

    visitor.judged_anew("Smoking", 71.0)
    page.locator("tr.row", has_text="Smoking").wait_for()

    assert "Weapons" == found
    assert "71" in page.locator("tr.row", has_text="a.mp4").locator(".cell-confidence").inner_text()
    assert page.locator(".details").is_visible()
    assert page.locator("#arrived").is_hidden()


def test_undo_about_a_superseded_upload(uploads):
    """A decision about what was superseded since can be taken back, step by step: it is about the content, which may come back."""
    visitor, replaced, back = uploads("2025-10-02")
    visitor.page.get_by_role("button", name="a.mp4", exact=True).focus()
    visitor.press("c")
    visitor.page.get_by_role("button", name="a.mp4", exact=True).focus()
    visitor.press("f")
    decided = visitor.badges["a.mp4"]
    replaced()

    shown = []
    for _ in range(2):
        shown.append(visitor.badges["a.mp4"])
        visitor.press("u")
    shown.append(visitor.badges["a.mp4"])
    back()

    assert ("False alarm", ["False alarm", "Confirmed", "\N{EN DASH}"]) == (decided, shown)
    assert "Undecided" == visitor.badges["a.mp4"]


def test_a_note_about_an_upload_that_is_superseded_meanwhile(uploads):
    """Who is writing a note goes on writing; nothing is lost, nor asked for when the page is left."""
    visitor, replaced, back = uploads("2025-10-03")
    page = visitor.page
    page.get_by_role("button", name="a.mp4", exact=True).focus()
    visitor.press("t")
    page.keyboard.type("just ")

    replaced()
    page.keyboard.type("a look")
    written = page.locator(".details .note").input_value()
    visitor.press("Escape", "c")
    message = page.locator("#message").inner_text()
    back()

    assert ("just a look", "Another upload replaced this content: there is nothing to decide.") == (written, message)
    assert {"a.mp4": "Undecided (note)", "b.mp4": "Undecided"} == visitor.badges


def test_the_choice_of_scans(uploads, scanned):
    """The choice of scans names the day or the time of each, with its bucket, status and id."""
    newest = scanned.review()["scan_id"]
    visitor, _, _ = uploads("2025-10-04", newest)
    names = visitor.page.locator("#scan option").all_inner_texts()

    assert names[0].startswith(f"Uploads of 2025-10-04 to {BUCKET} (")
    assert names[0].endswith(f", {watch.scan_id(BUCKET, '2025-10-04')})")
    assert names[1].startswith(f"Scan of {BUCKET}, ")
    assert names[1].endswith(f" (closed, {newest})")


def test_a_desk_that_is_gone_loses_nothing_silently(visit):
    """Where the desk does not answer, the decision is not shown as taken, that is said, and its note is still there."""
    visitor = visit().named("Ana").only("clip-21")
    page = visitor.page
    page.route("**/api/**", lambda route: route.abort())
    visitor.press("t")
    page.keyboard.type("look again")

    visitor.press("Escape", "c")
    page.locator("#message", has_text="The desk does not answer.").wait_for()

    assert {"Undecided (note)"} == set(visitor.badges.values())


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)], ids=str)
def test_axe(visit, scheme, width):
    """No serious or critical finding with cards, an open player and a decision, on a desk and a phone, which nothing widens."""
    visitor = visit(color_scheme=scheme, viewport={"width": width, "height": 900}).named("Ana").only("clip-0", 10)
    page = visitor.page
    page.locator(".card-pictures img[src]").first.wait_for()
    visitor.press("Enter")
    until(page, "document.querySelector('.stage video').readyState >= 2")

    assert [] == axe.findings(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_axe_dialogs(visit):
    """No serious or critical finding in the dialogs of keys and groups."""
    visitor = visit()
    page = visitor.page
    visitor.press("?")
    keys = axe.findings(page)
    visitor.press("Escape")
    page.get_by_role("button", name="Decide about all of these").click()

    assert [] == keys
    assert [] == axe.findings(page)

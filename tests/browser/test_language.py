"""The page in another language: every sentence and label of it, in the words of its readers."""

import re

import pytest

from handlers.domain.decision import Judgement
from handlers.domain.languages import LANGUAGES, Phrase, phrase
from tests.browser import axe
from tests.browser.reviews import review, with_decision

SPANISH = LANGUAGES["es"]
# What stays as AWS or a program writes it: names from a bucket, commands, codes, AWS's names of labels.
VERBATIM = "code, script, style, [lang=en], .verbatim:not([title]), [id=prefixes]"
TEXTS = f"""() => {{
    const texts = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {{
        const node = walker.currentNode;
        if (!node.parentElement.closest("{VERBATIM}")) texts.push(node.textContent.trim());
    }}
    for (const each of document.querySelectorAll("[aria-label]")) texts.push(each.getAttribute("aria-label"));
    for (const each of document.querySelectorAll("optgroup")) texts.push(each.label);
    return texts.filter((text) => /[A-Za-z]{{2}}/.test(text));
}}"""
# Words that English needs for a sentence, and Spanish does not have.
ENGLISH_WORDS = re.compile(
    r"\b(the|of|and|is|are|was|were|in all|at|by|with|from|to|not|no reason|videos? (was|were)|flagged|failed|found|label|note|"
    r"copy|unknown|none|clean|skipped|decided|undecided|minutes|object|objects|page|length|size)\b",
    re.IGNORECASE,
)


@pytest.fixture
def spanish_page(pages):
    """Open a Spanish page of everything, with the details of a video that was decided about before."""
    made, totals = review(flagged_count=60, failed_count=3, ineligible_count=3)
    made.flagged[0] = with_decision(made.flagged[0], Judgement.CONFIRMED)
    made.warnings.append(phrase("The scan is {status}, not closed: the counts may still change.", status=Phrase("open", {})))
    page = pages.open(made, totals, language=SPANISH)
    page.locator("tr.row .open").first.click()
    return page


def test_no_english_is_left(spanish_page):
    """Neither text nor names for screen readers are English, with the details of a video open and of one that failed."""
    flagged = spanish_page.evaluate(TEXTS)
    spanish_page.locator("#filter-state").select_option("failed")
    spanish_page.locator("#count", has_text="3 de").wait_for()
    spanish_page.locator("tr.row .open").first.click()
    failed = spanish_page.evaluate(TEXTS)

    texts = {*flagged, *failed}
    unchanged = {english for english, spanish in SPANISH.sentences.items() if english == spanish}
    assert "Se marcaron 60 videos" in texts
    assert set() == {text for text in texts if text in SPANISH.sentences and text not in unchanged}
    assert set() == {text for text in texts if text in SPANISH.labels and SPANISH.labels[text] != text}
    assert set() == {text for text in texts if ENGLISH_WORDS.search(text)}
    assert set() == {text for text in texts if "{" in text or "undefined" in text}


def test_axe(spanish_page):
    """No serious or critical finding; the page says that it is Spanish."""
    assert "es" == spanish_page.locator("html").get_attribute("lang")
    assert [] == axe.findings(spanish_page)


def test_numbers_and_dates(spanish_page):
    """Numbers have a decimal comma, dates begin with the day, money ends with its currency."""
    facts, figures = spanish_page.locator("#facts").inner_text(), spanish_page.locator("#figures").inner_text()

    assert re.search(r"a fecha de \d\d/\d\d/2026 \d\d:\d\d UTC", facts)
    assert re.search(r"\d,\d %", figures)
    assert re.search(r"\d,\d\d USD", figures)


def test_labels_can_be_found_in_aws(pages):
    """A translated label has AWS's name as its title, and once in parentheses among what was found."""
    made, totals = review(flagged_count=1)
    name = made.flagged[0].outcome.record.labels[0].name
    page = pages.open(made, totals, language=SPANISH)
    page.locator("tr.row .open").first.click()

    entry = page.locator(".summaries li", has_text=f"({name})")

    assert SPANISH.labels[name] in entry.inner_text()
    assert name == entry.locator("bdi").get_attribute("title")


def test_decisions_are_the_same_in_every_language(pages):
    """What a Spanish page keeps and exports is what an English one does."""
    made, totals = review(flagged_count=1)
    page = pages.open(made, totals, language=SPANISH)
    page.locator("tr.row .open").first.click()
    page.get_by_role("button", name="Falsa alarma").click()

    kept = page.evaluate("Object.values(localStorage).map(JSON.parse)")

    assert ["false-alarm"] == [value["decision"] for value in kept]
    assert "Falsa alarma" in page.locator("tr.row.flagged .cell-decision").inner_text()

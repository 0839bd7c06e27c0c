"""Every language has every sentence of mails and page, and no other."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from handlers.domain import taxonomy
from handlers.domain.languages import ENGLISH, LANGUAGES
from handlers.domain.languages.language import PLACEHOLDER
from handlers.domain.states import ScanStatus
from tools.lib.estimate.prices import PRICES
from tools.lib.review.decided import WORDS as DECIDED
from tools.lib.review.join import ObjectStatus
from tools.lib.review.page.document import ENTRY, MARKED, asset
from tools.lib.review.page.modules import order

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "tools/lib/review/page"
REVIEW = [
    *(ROOT / f"tools/lib/review/{name}.py" for name in ("summary", "inputs", "command", "cures", "sample", "frames")),
    ROOT / "tools/lib/scans/warnings.py",
]
# What the desk's server refuses is shown on its page; so are AWS's faults, which every program explains in the same words.
DESK = [
    *(ROOT / "tools/lib/desk").glob("*.py"),
    *(ROOT / f"tools/lib/{name}.py" for name in ("aws/clients", "cli/program", "evidence/reader", "review/apply")),
]
MAILS = [ROOT / f"handlers/domain/{name}.py" for name in ("mail", "scan_mail", "unselected")]
CALL = re.compile(r'\b(?:text|phrase)\(\s*(?:"((?:[^"\\]|\\.)*)"|(.))')
# What is chosen while running, and so is in no call of `text`: the arguments of `word`.
WORDS = {
    *ObjectStatus,
    *ScanStatus,
    *(word for words in DECIDED.values() for word in words.values()),
    "without record",
    *(price.unit for price in PRICES),
    *(price.source for price in PRICES),
}
OTHERS = [pytest.param(language, id=code) for code, language in LANGUAGES.items() if language is not ENGLISH]


def in_python(path):
    """Yield the sentences of a module: the first arguments of `.text` and `phrase`, which must be literals."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(attr="text") | ast.Name(id="phrase"), args=[sentence, *_]):
                yield ast.literal_eval(sentence)


def in_script(path):
    """Yield the sentences of a script: the first arguments of `text` and `phrase`, which must be literals."""
    code = re.sub(r"^ *(//|/?\*).*|\bfunction \w+\(.*", "", path.read_text("utf-8"), flags=re.MULTILINE)
    for call in CALL.finditer(code):
        assert call[1] is not None, f"{path.name}: {call[0]} is not a literal"
        yield call[1]


def sentences():
    """Return every sentence that mails and page are made of."""
    modules = [path for path in [*MAILS, *REVIEW, *DESK, *PAGE.glob("*.py")] if path.name != "document.py"]
    python = [sentence for path in modules for sentence in in_python(path)]
    scripts = [sentence for name in order(ENTRY, asset) for sentence in in_script(PAGE / name)]
    markup = MARKED.findall((PAGE / "page.html").read_text("utf-8"))
    return {*python, *scripts, *markup, *WORDS}


def placeholders(sentence):
    """Return the names of a sentence's values, and of those that choose between forms."""
    found = PLACEHOLDER.findall(sentence)
    return {name for name, _, _ in found}, Counter(name for name, one, many in found if not one and not many)


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_missing(language):
    """Nothing in mails and page is left in English."""
    assert set() == sentences() - set(language.sentences)


@pytest.mark.parametrize("path", DESK, ids=lambda path: path.stem)
def test_nothing_is_refused_in_english_alone(path):
    """What the desk refuses is said by phrases, which a language can have; a plain text would be English everywhere."""
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    refusals = [call for call in calls if ast.unparse(call.func) in {"RefusedError", "EvidenceError", "Answer"}]
    texts = [part for each in refusals for part in each.args if isinstance(part, ast.JoinedStr | ast.Constant)]

    assert [] == [ast.unparse(part) for part in texts if ast.unparse(part) != "None"]


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_unused(language):
    """A sentence that was reworded or removed in the code leaves no translation behind."""
    assert set() == set(language.sentences) - sentences()


@pytest.mark.parametrize("language", OTHERS)
def test_placeholders_agree(language):
    """A translation has the values of its sentence, each shown as often."""
    differing = [
        (english, translated)
        for english, translated in language.sentences.items()
        if placeholders(english)[1] != placeholders(translated)[1] or not placeholders(translated)[0] <= placeholders(english)[0]
    ]

    assert [] == differing


@pytest.mark.parametrize("language", OTHERS)
def test_margins_agree(language):
    """What is put together of pieces has the same blanks and line at both ends."""
    margins = re.compile(r"^([ ,;]*)(?:.*?)([ :]*)$", re.DOTALL)

    differing = [
        (english, translated)
        for english, translated in language.sentences.items()
        if margins.match(english).groups() != margins.match(translated).groups()
    ]

    assert [] == differing


@pytest.mark.parametrize("language", OTHERS)
def test_every_label_has_a_name(language):
    """The labels of the taxonomy are named, each differently, and no other."""
    assert set(taxonomy.names()) == set(language.labels)
    assert len(language.labels) == len(set(language.labels.values()))


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_no_braces_are_left(language):
    """Every brace of a sentence belongs to a placeholder."""
    texts = [*language.sentences, *language.sentences.values()]

    assert [] == [text for text in texts if "{" in PLACEHOLDER.sub("", text) or "}" in PLACEHOLDER.sub("", text)]

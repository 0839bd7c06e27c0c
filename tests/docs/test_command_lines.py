"""Our programs accept every command line in the documents."""

import pytest

from tests.docs.commandlines import (
    Refused,
    command_lines,
    known_options,
    named_in_code,
    options,
    require_named,
    require_valid,
)
from tests.docs.helptexts import PROGRAMS, page
from tests.docs.markdown import PAGES, ROOT

NAMED = [str(page.relative_to(ROOT)) for page in PAGES]


def refusals(require, texts):
    """Return each of the texts, which come with their places, that is refused, and why."""
    found = []
    for where, text in texts:
        try:
            require(text)
        except Refused as refusal:
            found.append(f"{where} {text}: {refusal}")
    return found


@pytest.mark.parametrize("page", PAGES, ids=NAMED)
def test_command_lines(page):
    """The programs parse the arguments of each line, or the Makefile has the target."""
    assert [] == refusals(require_valid, command_lines(page))


def test_options():
    """An option that a document names by itself is one of some program."""
    known = set().union(*map(known_options, PROGRAMS.values()))
    # What the changelog says of earlier versions holds for those.
    named = [option for page in PAGES if page.name != "CHANGELOG.md" for option in options(page)]

    assert named
    assert [] == [f"{where} {name}" for where, name in named if name not in known]


@pytest.fixture(scope="module")
def in_code():
    """Return each command that a sentence in the sources names, with its place."""
    return [
        (f"{path.relative_to(ROOT)}:{number}", text)
        for folder in ("handlers", "stacks", "tools")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number, text in named_in_code(path)
    ]


def test_commands_in_sentences(in_code):
    """A command that a message, a mail or a cure names is one that there is."""
    assert [] == refusals(require_named, in_code)


def test_commands_in_sentences_are_found(in_code):
    """Sentences of mails, of the doctor and of cures have commands that are checked."""
    packages = {where.rpartition("/")[0] for where, _ in in_code}

    assert {"handlers/domain", "tools/lib/doctor", "tools/lib/submit", "tools/lib/watch"} <= packages


@pytest.mark.parametrize("text", ["control_scan.py watsch on X", "python tools/submit_job.py --al", "make deplay"])
def test_a_wrong_command_in_a_sentence_is_refused(text):
    """A command that there is not is refused."""
    with pytest.raises(Refused):
        require_named(text)


def test_the_spanish_readme():
    """The Spanish README has each command that the English one explains by a comment behind it: those of the AWS quick start."""
    explained, spanish = (
        {text.partition("  #")[0].strip() for _, text in command_lines(ROOT / page) if page != "README.md" or "  #" in text}
        for page in ("README.md", "docs/es/README.md")
    )

    assert {"make setup"} < explained
    assert {text.replace("my-videos", "mis-videos").replace("review.html", "revision.html") for text in explained} <= spanish


@pytest.mark.parametrize(
    "text",
    [
        "python tools/submit_job.py --bucket my-videos --no-such-option",
        "python tools/submit_job.py --bucket my-videos --manifest a.csv --generate",
        "python tools/submit_job.py --bucket my-videos --min-size large",
        "$ .venv/bin/python tools/control_scan.py statsu",
        "python tools/control_scan.py cancel",
        "AWS_REGION=eu-west-1 python tools/review_report.py page",
        "python tools/review_report.py show | python tools/control_scan.py slots many > out.txt",
        "python tools/no_such.py",
        "python app.py --yes",
        "python -m tools.emulator --prot 1",
        "python -m tests.no_such",
        "python -m tests.bench no-such",
        "make nothing",
        "make deploy SUCH=none",
        "make setup && make nothing",
        "submit_job.py --no-such-option",
        "control_scan.py statsu",
        "review_report.py policy new.json --no-such-option",
    ],
)
def test_a_wrong_line_is_refused(text):
    """A wrong line is refused, wherever in the line the error is."""
    with pytest.raises(Refused):
        require_valid(text)


@pytest.mark.parametrize(
    "document",
    [ROOT / "README.md", ROOT / "docs/es/README.md", ROOT / "CONTRIBUTING.md", *map(page, PROGRAMS)],
    ids=lambda path: path.name,
)
def test_lines_are_found(document):
    """Each document about commands has some that are checked."""
    assert [*command_lines(document)]

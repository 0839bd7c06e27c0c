"""Our programs accept every command line in the documents."""

import pytest

from tests.docs.commandlines import Refused, command_lines, require_valid
from tests.docs.helptexts import PROGRAMS, page
from tests.docs.markdown import PAGES, ROOT

LINES = [pytest.param(text, id=f"{where} {text}") for page in PAGES for where, text in command_lines(page)]


@pytest.mark.parametrize("text", LINES)
def test_command_line(text):
    """The program parses its arguments, or the Makefile has the target."""
    require_valid(text)


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

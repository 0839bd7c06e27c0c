"""The pages of the programs show the help texts that the programs print."""

import pytest

from tests.docs.helptexts import BEGIN, END, PROGRAMS, ROOT, page, written


@pytest.mark.parametrize("program", PROGRAMS)
def test_page(program):
    """A program's page has the current help of the program and of all its commands."""
    text = page(program).read_text("utf-8")

    assert (1, 1) == (text.count(BEGIN), text.count(END))
    assert written(program) == text, "run `make docs`"


def test_every_program_has_a_page():
    """Every program for people has a page."""
    programs = {path.name for path in (ROOT / "tools").glob("*.py") if "click" in path.read_text("utf-8")}

    assert programs == set(PROGRAMS)

"""docs/decisions is complete: its list has every page, and every page the same three parts."""

import re

import pytest

from tests.docs.markdown import ROOT

FOLDER = ROOT / "docs" / "decisions"
PAGES = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md") if path.name != "README.md"}


def test_list():
    """The list names each page once, by its title."""
    listed = re.findall(r"^\| \[([^\]]+)\]\(([\w-]+\.md)\) \| ", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE)

    titles = [(text.partition("\n")[0].removeprefix("# "), name) for name, text in PAGES.items()]

    assert sorted(titles) == sorted(listed)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_parts(name):
    """A page says what the situation was, what was decided, and what follows."""
    assert ["Context", "Decision", "Consequence"] == re.findall(r"^## (.+)$", PAGES[name], re.MULTILINE)

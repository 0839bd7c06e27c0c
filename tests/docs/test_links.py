"""Links between the documents work."""

import pytest

from tests.docs.markdown import PAGES, ROOT, anchors, links, undefined

INSIDE = [
    pytest.param(line.page, target, id=f"{line.where} {target}")
    for page in PAGES
    for line, target in links(page)
    if "://" not in target and not target.startswith("mailto:")
]


@pytest.mark.parametrize(("page", "target"), INSIDE)
def test_link(page, target):
    """A link within the repository names an existing file or folder, and an existing heading."""
    path, _, anchor = target.partition("#")

    found = (page.parent / path).resolve() if path else page

    assert found.is_relative_to(ROOT)
    assert found.exists()
    assert not anchor or anchor in anchors(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_references_are_defined(page):
    """A link that names its target by a reference has it on the same page."""
    assert set() == undefined(page)


@pytest.mark.parametrize(
    "form", ["[a]({})", '[a]({} "title")', "[a](<{}>)", "![a]({})", '<a href="{}">a</a>', '<img src="{}">', "[a]: {}"]
)
def test_every_form_of_a_link_is_found(tmp_path, form):
    """Whatever its form, the target of a link is checked."""
    page = tmp_path / "page.md"
    page.write_text(form.format("docs/none.md#x"), "utf-8")

    assert ["docs/none.md#x"] == [target for _, target in links(page)]


def test_an_undefined_reference_is_found(tmp_path):
    """A reference without its definition is named."""
    page = tmp_path / "page.md"
    page.write_text("[a][here] and [b][nowhere]\n\n[here]: docs/aws.md\n", "utf-8")

    assert {"nowhere"} == undefined(page)

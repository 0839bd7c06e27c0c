"""Links between the documents work."""

import pytest

from tests.docs.markdown import PAGES, ROOT, anchors, links, undefined


def leads_somewhere(page, target):
    """Tell whether a link of a page names an existing file or folder of the repository, and an existing heading."""
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    return found.is_relative_to(ROOT) and found.exists() and (not anchor or anchor in anchors(found))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page):
    """A link within the repository names an existing file or folder, and an existing heading."""
    inside = [(line, target) for line, target in links(page) if "://" not in target and not target.startswith("mailto:")]

    assert [] == [f"{line.where} {target}" for line, target in inside if not leads_somewhere(page, target)]


@pytest.mark.parametrize("target", ["no/such.md", "../../beyond", "CONTRIBUTING.md#no-such-heading", "#no-such-heading"])
def test_a_link_that_leads_nowhere(target):
    """A link to what there is not, or to what is outside of the repository, is found."""
    assert not leads_somewhere(ROOT / "README.md", target)


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

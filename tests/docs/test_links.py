"""Links between the documents work."""

import pytest

from tests.docs.markdown import PAGES, ROOT, anchors, links

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

"""Everything that code and documents cite in the repository exists."""

import re
import subprocess

import pytest

from tests.docs.markdown import PAGES, ROOT, anchors, lines

OWN = "tests/docs/"

# What follows the name of another repository is in that one.
_CITATION = re.compile(r"(?<!for-amazon-s3, )\bdocs/[\w./-]*?\.md(?:#[\w-]+)?")
_INLINE = re.compile(r"`([^`]+)`")
# A path that is shown as code: a folder, then names. A pattern or a placeholder is not one.
_PATH = re.compile(r"(?:handlers|manifests|stacks|tests|tools|docs)/[\w./-]*")
# AWS's pages by guide and last path segment, such as [L:invocation-async].
_SOURCE = re.compile(r"\[([A-Z][A-Z0-9]{0,6}|bc):[A-Za-z]")
# Documents of which this repository has other ones today, issues of a tracker that its readers lack, and sections of our own pages
# that are not cited by their anchors.
_ELSEWHERE = re.compile(
    r"aws-facts|\b[Dd]esign, sections?\b|`(peers|design|feasibility|style)\.md`|\(issue \d|\bdocs/[\w./-]+\.md, (section|\")"
)


def _sources():
    """Return the text files that are not documents, tracked or new, by path."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    kinds = {".py", ".js", ".css", ".html", ".toml", ".json", ".yml", ".yaml", ""}
    paths = [ROOT / name for name in names if not name.startswith(OWN)]
    return {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in paths if path.suffix in kinds and path.is_file()}


SOURCES = _sources()
CITED = sorted({(name, citation) for name, text in SOURCES.items() for citation in _CITATION.findall(text)})
SHOWN = sorted(
    {
        (str(page.relative_to(ROOT)), span)
        for page in PAGES
        for line in lines(page)
        if line.language is None
        for span in _INLINE.findall(line.text)
        if _PATH.fullmatch(span)
    }
)


def is_there(citation):
    """Tell whether a document exists and has the heading that is cited."""
    path, _, anchor = citation.partition("#")
    return (ROOT / path).is_file() and (not anchor or anchor in anchors(ROOT / path))


def test_citations():
    """A document that code cites exists and has the heading."""
    assert [] == [(name, citation) for name, citation in CITED if not is_there(citation)]


@pytest.mark.parametrize("citation", ["docs/no-such.md", "docs/aws.md#no-such-heading"])
def test_a_citation_of_nothing(citation):
    """A document or heading that there is not is found."""
    assert not is_there(citation)


def test_code_cites_the_documents():
    """The citations in code are found, at least those of the flows."""
    citing = {name for name, _ in CITED}

    assert {f"handlers/flows/{flow}.py" for flow in ("register", "start", "complete", "sweep/sweep")} <= citing


def test_nothing_is_cited_that_is_elsewhere():
    """Code and documents cite no document that a reader of the repository lacks."""
    pages = {str(page.relative_to(ROOT)): page.read_text("utf-8") for page in PAGES}

    assert [] == [name for name, text in (SOURCES | pages).items() if _ELSEWHERE.search(text)]


def test_paths():
    """A path in a document that is marked as code exists."""
    assert SHOWN
    assert [] == [(page, path) for page, path in SHOWN if not (ROOT / path).exists()]


def test_sources():
    """Each tag by which code and docs/aws.md name an AWS guide is explained in the table of sources there."""
    page = (ROOT / "docs/aws.md").read_text("utf-8")
    explained = {tag.strip() for cell in re.findall(r"^\| ([\w, ]+) \| ", page, re.MULTILINE) for tag in cell.split(",")}

    used = {tag for text in (*SOURCES.values(), page) for tag in _SOURCE.findall(text)}

    assert {"S3", "L", "REK", "bc"} <= used <= explained

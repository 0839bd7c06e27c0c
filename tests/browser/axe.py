"""axe-core, which finds what keeps people from using a page."""

from tests.browser import npm

VERSION = "4.14.1"
SHA256 = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"
_STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def source():
    """Return axe-core's script."""
    return (npm.package("axe-core", VERSION, SHA256) / "axe.min.js").read_text(encoding="utf-8")


def findings(page):
    """Return what axe finds on a page that matters, each as (rule, impact, the elements)."""
    page.evaluate(source())
    result = page.evaluate("(tags) => axe.run(document, { runOnly: tags })", _STANDARDS)
    return [
        (found["id"], found["impact"], [node["html"] for node in found["nodes"]])
        for found in result["violations"]
        if found["impact"] in ("serious", "critical")
    ]

"""What the browser itself keeps out of the page, should the page's own care ever fail."""

import re

import pytest

from tests.browser.reviews import review

OWN = "document.title = 'owned'"
ATTACKS = {
    "markup": "document.body.innerHTML = '<img src=x>'",
    "code": f'setTimeout("{OWN}")',
    "script": f'const script = document.createElement("script"); script.append("{OWN}"); document.body.append(script)',
    "handler": f'document.body.setAttribute("onclick", "{OWN}"); document.body.click()',
    "image": "const image = new Image(); image.src = 'https://198.51.100.7/'; document.body.append(image)",
    "request": "await fetch('https://198.51.100.7/').catch(() => null)",
    "style": "document.body.setAttribute('style', 'display: none')",
}
LISTEN = """() => {
    window.refused = [];
    addEventListener("securitypolicyviolation", (event) => window.refused.push(event.effectiveDirective));
}"""


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_policy(browser, pages, attack):
    """Injected markup, code, handlers, images, requests and styles are refused, each with a report of the policy."""
    path = pages.write(*review(flagged_count=1))
    with browser.new_context() as context:
        left = []
        # What the policy refuses is never handed to a route.
        context.route(re.compile("^(?!file:)"), lambda route: (left.append(route.request.url), route.abort()))
        page = context.new_page()
        page.goto(path.as_uri())
        page.evaluate(LISTEN)

        page.evaluate(f"async () => {{ try {{ {attack} }} catch {{ /* refused at once */ }} }}")
        page.wait_for_function("window.refused.length > 0")

        assert page.title().startswith("Review of scan")
        assert page.locator("h1").is_visible()
        assert [] == left

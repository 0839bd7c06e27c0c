"""What the browser itself keeps out of the page, should the page's own care ever fail."""

import pytest

from tests.browser.reviews import review

ATTACKS = {
    "markup": "() => { document.body.innerHTML = '<img src=x>'; }",
    "code": "() => { setTimeout('document.title = \"owned\"'); }",
    "script": "() => { const script = document.createElement('script'); script.append('document.title = \"owned\"'); document.body.append(script); }",
    "handler": "() => { document.body.setAttribute('onclick', 'document.title = \"owned\"'); document.body.click(); }",
    "image": "() => { const image = new Image(); image.src = 'https://198.51.100.7/'; document.body.append(image); }",
    "request": "() => fetch('https://198.51.100.7/').catch(() => null)",
    "style": "() => { document.body.setAttribute('style', 'display: none'); }",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_policy(browser, pages, attack):
    """Injected markup, code, handlers, images, requests and styles are refused, each with a report of the policy."""
    path = pages.write(*review(flagged_count=1))
    with browser.new_context() as context:
        requests = []
        context.on("request", lambda request: requests.append(request.url))
        page = context.new_page()
        page.goto(path.as_uri())
        page.evaluate(
            "() => { window.refused = []; addEventListener('securitypolicyviolation', (event) => window.refused.push(event.effectiveDirective)); }"
        )

        page.evaluate(f"async () => {{ try {{ await ({attack})(); }} catch {{ /* refused at once */ }} }}")
        page.wait_for_function("window.refused.length > 0")

        assert page.title().startswith("Review of scan")
        assert page.locator("h1").is_visible()
        assert [path.as_uri()] == [url for url in requests if page.evaluate("() => true")]

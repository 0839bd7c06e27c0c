"""The language of a page: as asked for, else the deployment's."""

import re

import pytest

from handlers.domain.states import State
from tests.tools.review_doubles import add_flagged, add_record, add_report, add_scan, review

ACCEPTED = '{"state":"WAITING"}'


@pytest.fixture(name="language_of")
def _language_of(account, tmp_path):
    """Return a function that writes a page and returns its language, once without and once with the script's data."""
    add_scan(account, "clean", "flagged")
    add_report(account, [(key, True, ACCEPTED) for key in ("clean", "flagged")])
    add_record(account, "clean", State.CLEAN)
    add_flagged(account, "flagged")

    def write(*options):
        path = tmp_path / "page.html"
        result = review(account, "page", str(path), *options)
        assert 0 == result.exit_code, result.stderr
        text = path.read_text(encoding="utf-8")
        return re.search(r'<html lang="(\w+)">', text)[1], re.search(r'"language":\{"code":"(\w+)"', text)[1]

    return write


def test_of_the_deployment(account, language_of):
    """Without an option the page has the language of the mails; in a deployment of before there was a choice, English."""
    account.deploy("Spanish", Language="es")

    assert ("en", "en") == language_of()
    assert ("es", "es") == language_of("--stack", "Spanish")


def test_as_asked_for(account, language_of):
    """The option counts more than the deployment."""
    account.deploy("Spanish", Language="es")

    assert ("es", "es") == language_of("--language", "es")
    assert ("en", "en") == language_of("--stack", "Spanish", "--language", "en")

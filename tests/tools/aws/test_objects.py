"""Keys percent-encoded and decoded."""

from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tools.lib.aws import key_of, key_of_form, path_of

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
# Whole and broken escapes, also of bytes that only together are UTF-8, beside letters that need none.
PATHS = st.lists(
    st.sampled_from(
        ["%", "%2", "%zz", "%2B", "%2b", "%25", "+", "a", "ü", "😀", "%C3%BC", "%c3", "%BC", "%ff", "%00", ",", "\\", "x41", "n"]
    )
).map("".join)


def outcome(decode, text):
    """Return what a text is decoded to, or that it is not UTF-8."""
    try:
        return decode(text)
    except UnicodeDecodeError:
        return UnicodeDecodeError


@pytest.mark.slow
@example("\\x41%20\\n\\\\")
@given(PATHS | TEXTS | TEXTS.map(quote))
def test_as_unquote_does(path):
    """A key is what Python's strict unquote makes of it, whatever it holds; in the form encoding a plus is a space."""
    assert outcome(lambda text: unquote(text, errors="strict"), path) == outcome(key_of, path)
    assert outcome(lambda text: unquote(text.replace("+", " "), errors="strict"), path) == outcome(key_of_form, path)


@given(TEXTS)
def test_encoded_and_decoded(key):
    """A key that is encoded for a manifest is decoded to itself, in either form."""
    assert (key, key) == (key_of(path_of(key)), key_of_form(path_of(key)))

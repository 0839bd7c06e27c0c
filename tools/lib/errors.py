"""The error that all tools raise."""

from __future__ import annotations

from handlers.domain.languages import ENGLISH, Language, Phrase


class ToolError(Exception):
    """An error that the user can fix; the message, a sentence, names the thing and the rule.

    Programs speak English. Errors that the desk shows on its page have their sentences as phrases.

    Attributes:
        cure: What to do, as a sentence or a command to copy.
        phrases: Message and cure as they were given.
    """

    def __init__(self, message: str | Phrase, *, cure: str | Phrase) -> None:
        super().__init__(_text(message, ENGLISH))
        self.cure = _text(cure, ENGLISH)
        self.phrases = message, cure

    def sentences(self, language: Language) -> tuple[str, str]:
        """Return message and cure in a language; what is text already stays as it is."""
        message, cure = self.phrases
        return _text(message, language), _text(cure, language)


def _text(given: str | Phrase, language: Language) -> str:
    return given if isinstance(given, str) else language.render(given)

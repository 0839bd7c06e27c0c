"""The languages of the mails and of the review page, a file each: sentences, names of labels, numbers."""

from collections.abc import Mapping
from types import MappingProxyType

from handlers.domain.languages.en import ENGLISH
from handlers.domain.languages.es import SPANISH
from handlers.domain.languages.language import Language, Phrase, phrase

LANGUAGES: Mapping[str, Language] = MappingProxyType({language.code: language for language in (ENGLISH, SPANISH)})

__all__ = ["ENGLISH", "LANGUAGES", "Language", "Phrase", "phrase"]

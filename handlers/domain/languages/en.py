"""English: the language in which the code writes its sentences."""

from handlers.domain.languages.language import Language

ENGLISH = Language(code="en", sentences={}, labels={}, thousands=",", decimal=".", grouped_from=1_000)

"""The modules of the page as the one script that a file can hold.

A page that is opened from disk can import nothing. So its modules stand one after another, each below those that it imports, and
share one scope. For that, a module imports by names only, each name is given to one thing in all modules (a test lets Node
compile the script, which refuses a second), and no two modules import each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

IMPORT = re.compile(r'^import \{ \w+(?:, \w+)* \} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const|let) )", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def order(entry: str, read: Callable[[str], str]) -> list[str]:
    """Return the names of a module and of all that it needs, each after those that it imports.

    Args:
        entry: The module that nothing imports.
        read: Returns the text of a module.

    Raises:
        ValueError: Two modules import each other.
    """
    found: dict[str, None] = {}
    for name in _below(entry, read, ()):
        found.setdefault(name)
    return list(found)


def _below(name: str, read: Callable[[str], str], above: tuple[str, ...]) -> Iterator[str]:
    if name in above:
        raise ValueError(f"modules must not import each other: {' -> '.join((*above, name))}")
    for needed in IMPORT.findall(read(name)):
        yield from _below(needed, read, (*above, name))
    yield name


def script(entry: str, read: Callable[[str], str]) -> str:
    """Return a module and all that it needs as one script.

    Raises:
        ValueError: Two modules import each other, or one imports or exports in a way that this does not know.
    """
    return "\n".join(_inlined(name, read(name)) for name in order(entry, read))


def _inlined(name: str, text: str) -> str:
    inlined = _EXPORT.sub("", IMPORT.sub("", text))
    if left := _LEFT.search(inlined):
        raise ValueError(f'{name}: {left[0]}: write `import {{ name }} from "./module.js";`, or `export` before what is declared')
    return inlined

"""The modules of the page as one script."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.lib.review.page import modules
from tools.lib.review.page.document import ENTRY, asset

FOLDER = Path(modules.__file__).parent


def test_what_is_imported_comes_before():
    """Each module comes once, below all that it imports, and every module of the page is there."""
    names = modules.order(ENTRY, asset)

    assert sorted(path.name for path in FOLDER.glob("*.js")) == sorted(names)
    for place, name in enumerate(names):
        assert set(modules.IMPORT.findall(asset(name))) <= set(names[:place])


def test_node_compiles_the_script(tmp_path):
    """The script has no import or export left, and no name twice: Node refuses both."""
    script = tmp_path / "page.mjs"
    script.write_text(modules.script(ENTRY, asset), encoding="utf-8")

    done = subprocess.run(
        [Path(sys.executable).with_name("node"), "--check", script], capture_output=True, text=True, timeout=60, check=False
    )

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    ("texts", "script"),
    [
        ({"a.js": "export const A = 1;\n"}, "const A = 1;\n"),
        (
            {"a.js": 'import { b } from "./b.js";\nb();\n', "b.js": "export async function b() {}\n"},
            "async function b() {}\n\nb();\n",
        ),
        ({"a.js": 'const text = "import it";\n  // export it\n'}, 'const text = "import it";\n  // export it\n'),
    ],
)
def test_script(texts, script):
    """Imports go away, exports become plain declarations, and all else stays."""
    assert script == modules.script("a.js", texts.__getitem__)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            {"a.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./a.js";\n'},
            "modules must not import each other: a.js -> b.js -> a.js",
        ),
        ({"a.js": 'import b from "./b.js";\n'}, "a.js: import b from"),
        ({"a.js": 'import { b } from "https://198.51.100.7/b.js";\n'}, "a.js: import { b } from"),
        ({"a.js": 'import { b as c } from "./b.js";\n'}, "a.js: import { b as c } from"),
        ({"a.js": "export default 1;\n"}, "a.js: export default 1;"),
        ({"a.js": 'export { a } from "./b.js";\n'}, "a.js: export { a } from"),
    ],
)
def test_what_cannot_be_one_script(texts, message):
    """Modules in a ring, and forms that would break in one script, are refused by name."""
    with pytest.raises(ValueError, match=message.replace("{", r"\{").replace("}", r"\}")):
        modules.script("a.js", texts.__getitem__)

"""The check of the page's modules: nothing is found in them, and it does find what it should."""

import json
import re

import pytest

from tests.browser.typescript import ROOT, check


@pytest.mark.slow
def test_the_modules_are_as_they_say():
    """TypeScript finds nothing in the page's modules."""
    assert (0, "") == check()


@pytest.mark.slow
def test_faults_are_found(tmp_path):
    """Names that are not exported or not there, values of the wrong type and unused imports are named."""
    (tmp_path / "a.js").write_text(
        'import { gone } from "./b.js";\nimport { unused } from "./b.js";\n/** @type {number} */\nconst n = gone("x") + nowhere;\n'
        'export const wrong = document.getElementById("x").textContent;\nn.toFixed();\n'
    )
    (tmp_path / "b.js").write_text("export const unused = 1;\n")
    settings = json.loads((ROOT / "tsconfig.json").read_text())
    (tmp_path / "tsconfig.json").write_text(json.dumps({**settings, "include": ["*.js"]}))

    code, output = check(tmp_path / "tsconfig.json")

    assert code != 0
    assert {"2305", "2304", "6133", "2531"} <= set(re.findall(r"error TS(\d+)", output))

"""Files about the project agree with the project."""

import re
import tomllib

import pytest
import yaml

from tests.docs.markdown import ROOT

HOOKS = [hook for repo in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"] for hook in repo["hooks"]]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_pre_commit_calls_what_check_calls(hook):
    """Each hook is a command of `make check` in the project's environment, never a program that pre-commit installs."""
    makefile = (ROOT / "Makefile").read_text("utf-8").replace("$(BIN)", ".venv/bin")
    recipes = {target: makefile.partition(f"\n{target}:")[2].partition("\n\n")[0] for target in ("check", "lint", "types")}

    assert "system" == hook["language"]
    assert {"lint", "types"} <= set(recipes["check"].split())
    assert re.search(rf"^\t{re.escape(hook['entry'])}( \.)?$", recipes["lint"] + recipes["types"], re.MULTILINE)


def test_the_changelog_begins_with_this_version():
    """The changelog has an entry for the version in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    newest = re.search(r"^## ([\d.]+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)

    assert project["version"] == newest[1]


def test_the_readme_is_short():
    """The README has at most 200 lines; longer texts are in docs/."""
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 200

"""Changing moto and taking the changes back; that only one module does so."""

import ast
import os
from pathlib import Path
from types import ModuleType

import pytest

from tools.emulator.core import moto_hooks
from tools.emulator.core.moto_hooks import After, Replacement, Route

EMULATOR = Path(moto_hooks.__file__).parents[1]
USERS = [path for path in sorted(EMULATOR.rglob("*.py")) if "from moto" in path.read_text() and path.name != "moto_hooks.py"]


class Model:
    """A class like moto's."""

    @classmethod
    def make(cls, name):
        """Return what was made."""
        return f"{cls.__name__} {name}"

    def rename(self, name):
        """Return the new name."""
        return name


@pytest.fixture
def urls():
    """A module like moto's `urls`, with one path."""
    module = ModuleType("urls")
    module.url_paths = {"{0}/$": "moto"}
    return module


def test_routes_come_and_go(urls):
    """A known path is answered by the hook and then by moto again; an unknown one exists only in between."""
    with moto_hooks.install([*moto_hooks.routes(urls, "ours"), Route(urls, "{0}/new$", "ours")]):
        during = dict(urls.url_paths)

    assert {"{0}/$": "ours", "{0}/new$": "ours"} == during
    assert {"{0}/$": "moto"} == urls.url_paths


def test_replacements_come_and_go():
    """An attribute gets its old value back, and one that was absent is absent again."""
    before = dict(vars(Model))

    with moto_hooks.install([Replacement(Model, "rename", None), Replacement(Model, "added", 1), Replacement(Model, "added", 2)]):
        during = (Model.rename, Model.added)

    assert (None, 2) == during
    assert before == dict(vars(Model))


def test_after_a_method():
    """Methods and class methods return what they did; what follows is given their result, their owner and their arguments."""
    followed, model = [], Model()

    with moto_hooks.install(After(Model, name, lambda *given: followed.append(given)) for name in ("make", "rename")):
        results = (Model.make("a"), model.rename("b"))

    assert ("Model a", "b") == results
    assert [("Model a", Model, "a"), ("b", model, "b")] == followed
    assert "c" == model.rename("c")
    assert 2 == len(followed)


def test_a_hook_that_cannot_be_applied_undoes_the_others(urls):
    """Nothing stays changed when one of the hooks names a method that does not exist."""
    with pytest.raises(KeyError, match="missing"):
        moto_hooks.install([*moto_hooks.routes(urls, "ours"), After(Model, "missing", print)])

    assert {"{0}/$": "moto"} == urls.url_paths


@pytest.mark.parametrize("before", [None, "999999999999"])
def test_the_account_is_restored(monkeypatch, before):
    """The variable with moto's account is restored after the block, also to being unset."""
    if before is None:
        monkeypatch.delenv(moto_hooks.ACCOUNT_VARIABLE, raising=False)
    else:
        monkeypatch.setenv(moto_hooks.ACCOUNT_VARIABLE, before)

    with moto_hooks.account("111122223333"):
        during = os.environ[moto_hooks.ACCOUNT_VARIABLE]

    assert ("111122223333", before) == (during, os.environ.get(moto_hooks.ACCOUNT_VARIABLE))


@pytest.mark.parametrize("path", USERS, ids=lambda path: str(path.relative_to(EMULATOR)))
def test_moto_is_changed_in_one_place(path):
    """No other module of the emulator sets, deletes or replaces anything of what it imports from moto."""
    tree = ast.parse(path.read_text())
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("moto")
        for alias in node.names
    }

    assert [] == [ast.unparse(node) for node in ast.walk(tree) if changes(node, imported)]


def changes(node, names):
    """Return whether a statement changes one of these names' attributes or members."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("setattr", "delattr") and root(node.args[0]) in names
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in ("pop", "update", "setdefault", "clear", "cache_clear") and root(node.func) in names
    targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else []
    return any(isinstance(target, ast.Attribute | ast.Subscript) and root(target) in names for target in targets)


def root(node):
    """Return the name with which an expression begins, None for any other expression."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


@pytest.mark.parametrize(
    "statement",
    ["setattr(Model, 'a', 1)", "Model.a = 1", "urls.url_paths['a'] = 1", "urls.url_paths.pop('a')", "del urls.url_paths['a']"],
)
def test_a_change_is_seen(statement):
    """The rule above sees every form in which the emulator ever changed moto."""
    assert any(changes(node, {"Model", "urls"}) for node in ast.walk(ast.parse(statement)))

"""The demo runs once for each supported minor version of Python; the others are named."""

import json
import sys
from pathlib import Path

import pytest

import tests.pythons.__main__ as pythons
from tests.pythons.__main__ import Python, candidates, choose, main, oldest, passes


@pytest.fixture(name="python")
def _python(tmp_path):
    """Return a function that makes an executable which answers as a Python of a version would."""

    def make(folder, name, version, *, implementation="CPython", free_threaded=False, code=0):
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        answer = json.dumps([version, implementation, free_threaded])
        path.write_text(f"#!/bin/sh\necho '{answer}'\nexit {code}\n")
        path.chmod(0o755)
        return path

    return make


def test_one_for_each_minor_version(python):
    """The first of a minor version is taken, oldest version first."""
    paths = [python("a", "python3", [3, 13, 0]), python("b", "python3", [3, 11, 7]), python("c", "python3", [3, 13, 2])]

    chosen, left_out = choose(paths, (3, 11))

    assert [Python(paths[1], (3, 11, 7)), Python(paths[0], (3, 13, 0))] == chosen
    assert [] == left_out


def test_what_cannot_be_used_is_named(python, tmp_path):
    """Too old, broken, missing or without wheels: each is a line with its path, and the rest goes on."""
    paths = [
        python("old", "python3", [3, 10, 13]),
        python("broken", "python3", [3, 12, 1], code=1),
        python("pypy", "python3", [3, 11, 9], implementation="PyPy"),
        python("free", "python3", [3, 13, 0], free_threaded=True),
        tmp_path / "missing",
        Path("/bin/true"),
        python("good", "python3", [3, 14, 0]),
    ]

    chosen, left_out = choose(paths, (3, 11))

    assert ["3.14"] == [each.minor for each in chosen]
    assert [str(path) for path in paths[:-1]] == [line.partition(":")[0] for line in left_out]


def test_candidates(python, tmp_path):
    """Pyenv's versions come first, then python3 and python3.N of the PATH, without pyenv's shims and other tools."""
    own = python(".pyenv/versions/3.12.1/bin", "python", [3, 12, 1])
    on_path = [python("bin", name, [3, 13, 0]) for name in ("python3", "python3.13")]
    for folder, name in (("bin", "python3-config"), ("bin", "python3.13t"), (".pyenv/shims", "python3.12")):
        python(folder, name, [3, 12, 1])

    found = list(candidates(tmp_path, f"{tmp_path}/bin::{tmp_path}/.pyenv/shims:{tmp_path}/nowhere"))

    assert [own, *on_path] == found


def test_the_oldest_is_the_projects():
    """The oldest supported Python is that of pyproject.toml."""
    assert (3, 11) == oldest()


@pytest.mark.parametrize(("results", "code"), [([True, True], 0), ([True, False], 1), ([False, True], 1), ([], 1)])
def test_exit_code(monkeypatch, results, code):
    """The command fails if one Python fails or none is found; the rest still run."""
    found = [Python(Path(sys.executable), (3, 11 + number, 0)) for number in range(len(results))]
    outcomes = dict(zip(found, results, strict=True))
    ran = []
    monkeypatch.setattr(pythons, "choose", lambda *_: (found, []))
    monkeypatch.setattr(pythons, "passes", lambda python: ran.append(python) or outcomes[python])

    assert code == main()
    assert found == ran


def test_an_environment_that_cannot_be_made_fails(monkeypatch, tmp_path):
    """If the installation fails, the demo is not run and the Python has not passed."""
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\nexit 2\n")
    uv.chmod(0o755)
    monkeypatch.setattr(pythons, "UV", uv)
    monkeypatch.setattr(pythons, "BUILD", tmp_path / "build")

    assert not passes(Python(Path(sys.executable), (3, 11, 7)))

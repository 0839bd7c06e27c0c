"""Any `python3` may start a program: it goes on in the project's environment, or says in a sentence what to do."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import environment

ROOT = Path(__file__).parents[2]
PROGRAMS = [
    path.relative_to(ROOT)
    for path in (*sorted((ROOT / "tools").glob("*.py")), ROOT / "app.py")
    if 'if __name__ == "__main__":' in path.read_text("utf-8")
]
PROGRAMS += [Path("tools/emulator/__main__.py")]
OLDEST_READER = (3, 6)
ENTER = """
import sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parents[{depth}]))
from tools.environment import enter
enter("emulator")
import click, json, os
print(json.dumps([sys.prefix, sys.argv[1:], sys.stdin.read(), os.getcwd(), [name for name in os.environ if "ENTERED" in name]]))
sys.exit(7)
"""


@pytest.fixture(scope="module", name="bare")
def _bare(tmp_path_factory):
    """Return a Python that has nothing but the standard library."""
    home = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    return home / "bin" / "python"


@pytest.fixture(name="project")
def _project(tmp_path):
    """Return a project with a program and a package that can be run, and this Python's environment as its `.venv`."""
    project = tmp_path / "a project"
    (project / "tools" / "part").mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", project)
    for name in ("__init__.py", "environment.py"):
        shutil.copy(ROOT / "tools" / name, project / "tools")
    (project / "tools" / "program.py").write_text(ENTER.format(depth=1))
    (project / "tools" / "part" / "__init__.py").touch()
    (project / "tools" / "part" / "__main__.py").write_text(ENTER.format(depth=2))
    (project / ".venv").symlink_to(sys.prefix)
    return project


def run(python, *arguments, cwd):
    """Run a Python as from a shell."""
    return subprocess.run(
        [str(python), *map(str, arguments)],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1"},
        input="typed",
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def went_on(done, cwd, project):
    """Tell whether the program ran in `.venv` with everything that it was given."""
    prefix, arguments, given, where, marks = json.loads(done.stdout)
    return (Path(prefix), arguments, given, Path(where), marks) == (
        project / ".venv",
        ["--x", "", "a b", "ü"],
        "typed",
        cwd,
        [],
    ) and done.returncode == 7


def refused(done):
    """Tell whether a program ended with a sentence and its cure, and nothing else."""
    return (
        (done.returncode, done.stdout) == (1, "")
        and "Error: " in done.stderr
        and "setup" in done.stderr
        and "Traceback" not in done.stderr
    )


def test_a_python_without_packages_goes_over(bare, project, tmp_path):
    """Arguments, input, working directory and exit code are those of the program, from any folder."""
    done = run(bare, project / "tools" / "program.py", "--x", "", "a b", "ü", cwd=tmp_path)

    assert went_on(done, tmp_path, project), done.stderr


def test_through_a_link_and_a_relative_path(bare, project, tmp_path):
    """A link to the program leads to the project that the program lies in."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "scan").symlink_to(project / "tools" / "program.py")

    done = run(bare, "bin/scan", "--x", "", "a b", "ü", cwd=tmp_path)

    assert went_on(done, tmp_path, project), done.stderr


def test_as_a_module(bare, project):
    """`python -m package` stays that."""
    done = run(bare, "-m", "tools.part", "--x", "", "a b", "ü", cwd=project)

    assert went_on(done, project, project), done.stderr


def test_as_a_module_where_python_does_not_tell_its_command_line(monkeypatch):
    """Before Python 3.10 the command line is put together again, for a script and for a package."""
    monkeypatch.delattr(sys, "orig_argv")
    monkeypatch.setattr(sys, "argv", ["/x/tools/part/__main__.py", "--x"])
    main = type(sys)("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)

    main.__spec__ = type("Spec", (), {"name": "tools.part.__main__"})
    assert ["-m", "tools.part", "--x"] == environment._arguments()

    main.__spec__ = None
    assert ["/x/tools/part/__main__.py", "--x"] == environment._arguments()


def test_isolated_from_the_folder_of_the_program(bare, project, tmp_path):
    """Options of the interpreter are kept; without the program's folder on the path (-P) it works all the same."""
    done = run(bare, "-P", project / "tools" / "program.py", "--x", "", "a b", "ü", cwd=tmp_path)

    assert went_on(done, tmp_path, project), done.stderr


def test_a_package_that_is_too_old_goes_over(bare, project, tmp_path):
    """A click of the system's, of years ago, is as good as none."""
    site = Path(subprocess.check_output([str(bare), "-c", "import site; print(site.getsitepackages()[0])"], text=True).strip())
    for name in ("boto3-9.0", "rich-99.0", "moto-5.2.5", "av-18.1.0", "click-8.1.7"):
        folder = site / f"{name}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: {}\nVersion: {}\n".format(*name.split("-")))
    try:
        done = run(bare, project / "tools" / "program.py", "--x", "", "a b", "ü", cwd=tmp_path)
    finally:
        for folder in site.glob("*.dist-info"):
            shutil.rmtree(folder)

    assert went_on(done, tmp_path, project), done.stderr


def test_a_python_that_has_everything_stays(project, tmp_path):
    """Whoever runs the program in an environment that fits stays in it."""
    (project / ".venv").unlink()

    done = run(sys.executable, project / "tools" / "program.py", cwd=tmp_path)

    assert (7, sys.prefix) == (done.returncode, json.loads(done.stdout)[0]), done.stderr


def no_environment(project, bare):
    """Take the environment away."""
    (project / ".venv").unlink()


def empty_environment(project, bare):
    """Put an environment without packages in its place."""
    (project / ".venv").unlink()
    (project / ".venv").symlink_to(bare.parents[1])


def python_that_is_another(project, bare):
    """Put a script in place of its Python, which starts the bare one: it never arrives in `.venv`."""
    (project / ".venv").unlink()
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec "{bare}" "$@"\n')
    (project / ".venv" / "bin" / "python").chmod(0o755)


def python_that_is_gone(project, bare):
    """Let its Python be a link to one that was uninstalled."""
    (project / ".venv").unlink()
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").symlink_to(project / "uninstalled")


def python_for_another_machine(project, bare):
    """Let its Python be a file that this machine cannot run."""
    python_that_is_gone(project, bare)
    (project / "uninstalled").write_bytes(b"\x00not a program")
    (project / "uninstalled").chmod(0o755)


@pytest.mark.parametrize(
    "break_it",
    [no_environment, empty_environment, python_that_is_another, python_that_is_gone, python_for_another_machine],
)
def test_a_sentence_where_there_is_nowhere_to_go(bare, project, tmp_path, break_it):
    """Without an environment that works there is a sentence with its cure, once, and no traceback."""
    break_it(project, bare)

    done = run(bare, project / "tools" / "program.py", cwd=tmp_path)

    assert refused(done), done.stderr
    assert done.stderr.count("Error: ") == 1
    assert "click>=" in done.stderr


def test_a_python_that_is_too_old(monkeypatch, capsys, tmp_path):
    """The sentence names the Python that is needed, the one that ran, and a cure that does not use that one again."""
    monkeypatch.setattr(environment, "OLDEST", (99, 1))
    monkeypatch.setattr(environment, "ROOT", tmp_path)

    with pytest.raises(SystemExit) as ended:
        environment.enter()

    message = capsys.readouterr().err
    assert ended.value.code == 1
    assert "Python 99.1 or newer" in message
    assert sys.executable in message
    assert f"make -C {tmp_path} setup PYTHON=" in message


@pytest.mark.parametrize("program", [*PROGRAMS, Path("tools/environment.py"), Path("tools/__init__.py")], ids=str)
def test_old_pythons_can_read_it(program):
    """A program is read whole before its first line runs: its grammar is that of Python 3.6."""
    source = (ROOT / program).read_text("utf-8")

    tree = ast.parse(source, feature_version=OLDEST_READER)

    assert not [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_each_program_enters_before_it_imports_anything(program):
    """Nothing that an old or bare Python lacks is imported before the environment was looked for."""
    body = ast.parse((ROOT / program).read_text("utf-8")).body

    assert ["import sys", "from pathlib import Path"] == [ast.unparse(node) for node in body[1:3]]
    assert ast.unparse(body[3]).startswith("if __name__ == '__main__':")
    assert "enter(" in ast.unparse(body[3])


@pytest.mark.slow
@pytest.mark.parametrize("program", [path for path in PROGRAMS if path != Path("app.py")], ids=str)
def test_each_program_runs_under_a_bare_python(bare, tmp_path, program):
    """`python3 tools/….py --help` helps, wherever it is typed."""
    project = tmp_path / "project"
    for folder in ("handlers", "tools"):
        shutil.copytree(ROOT / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", project)
    (project / ".venv").symlink_to(sys.prefix)

    done = run(bare, project / program, "--help", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.lower().startswith("usage")


def test_groups_that_include_others():
    """What a group of pyproject.toml includes is required, too."""
    required = environment._requirements(("emulator",))

    assert {"av", "moto"} <= {requirement.partition("==")[0] for requirement in required}

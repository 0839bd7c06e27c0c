"""The programs that a rehearsal runs: what they say is shown, or only if they fail."""

import io

import pytest

from tools.lib.cli import ExitCode, Terminal
from tools.lib.errors import ToolError
from tools.rehearsal import run
from tools.rehearsal.output import OutputFolder
from tools.rehearsal.run import Rehearsal

PROGRAM = """
import sys
sys.stderr.write("Reading\\n")
print("a review")
sys.exit(int(sys.argv[1]))
"""


class World:
    """A world that is whole."""

    def environment(self):
        """Return no variables."""
        return {}

    def breakage(self):
        """Return nothing."""
        return []


@pytest.fixture(name="program")
def _program(tmp_path, monkeypatch):
    """Return a function that runs a program with an exit code quietly, and the stream in which a rehearsal talks."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "reviewing.py").write_text(PROGRAM)
    monkeypatch.setattr(run, "ROOT", tmp_path)
    talk = io.StringIO()
    rehearsal = Rehearsal(Terminal(as_json=False, out=io.StringIO(), err=talk), OutputFolder(tmp_path / "out"), 60.0)
    return lambda code: rehearsal._program(World(), ["reviewing.py", str(code)], {}, quiet=True), talk


def test_quiet(program, capfd):
    """What a program says that runs beside another one is not shown."""
    run_quietly, talk = program

    assert (ExitCode.DONE, "a review\n") == run_quietly(0)
    assert ("", "") == (talk.getvalue(), capfd.readouterr().err)


def test_quiet_and_failed(program):
    """It is shown if the program fails, before the error that refers to it."""
    run_quietly, talk = program

    with pytest.raises(ToolError, match=r"reviewing\.py ended with 1\."):
        run_quietly(1)

    assert "Reading\n" == talk.getvalue()

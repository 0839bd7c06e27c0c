"""Streams that are closed, full or left, and Ctrl-C at any moment: a sentence and the exit code that the help names."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
from pathlib import Path

import click
import pytest

from tools.lib.cli import ProgramContext, Terminal, command, ending

ROOT = Path(__file__).parents[3]
FULL = Path("/dev/full")
pytestmark = pytest.mark.slow  # most tests start a program
# A program of one command that needs no AWS; its argument is Python that the command runs.
PROGRAM = """
import sys
sys.path.insert(0, {root!r})
from tools.environment import enter
enter()
import click
from tools.lib.cli import CommandResult, command
@click.command()
@click.argument("code")
@command
def main(run, *, code):
    names = {{"run": run}}
    exec(code, names)
    return CommandResult(["the result"], {{"result": names.get("result", 1)}})
main()
"""


@pytest.fixture(name="program")
def _program(tmp_path):
    """Return the path of the program."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.format(root=str(ROOT)))
    return path


def shell(line, *arguments):
    """Run a line of shell, in which "$@" is Python with these arguments."""
    words = ["sh", "-c", line, "sh", sys.executable, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("words", [["--help"], ["--version"]])
@pytest.mark.parametrize("script", ["submit_job.py", "control_scan.py", "review_report.py", "rehearse.py"])
def test_help_that_cannot_be_written(script, words):
    """$ PROGRAM --help > /dev/full: a sentence, not a traceback."""
    done = shell(f'exec "$@" > {FULL}', ROOT / "tools" / script, *words)

    assert (1, ["Error: stdout cannot be written: No space left on device."]) == (done.returncode, done.stderr.splitlines())


class TestClosed:
    @pytest.mark.parametrize("script", ["submit_job.py", "control_scan.py", "review_report.py"])
    def test_stdout_of_each_program(self, script):
        """$ PROGRAM >&-: refused before anything is done, with what to do."""
        words = {"submit_job.py": ["--bucket", "amzn-s3-demo-bucket"], "control_scan.py": ["list"], "review_report.py": []}[script]

        done = shell('exec "$@" >&-', ROOT / "tools" / script, *words)

        assert 1 == done.returncode
        assert ["Error: stdout is closed, so no result can be written.", "Cure:  Redirect it to a file, or to /dev/null."] == (
            done.stderr.splitlines()
        )

    def test_rehearsal(self, tmp_path):
        """$ rehearse.py >&-: the same."""
        done = shell('exec "$@" >&-', ROOT / "tools" / "rehearse.py", "--output", tmp_path / "output")

        assert 1 == done.returncode
        assert done.stderr.startswith("Error: stdout is closed")
        assert not (tmp_path / "output").exists()

    def test_stderr(self, program):
        """$ program --json 2>&-: talk is lost, and does not go to stdout."""
        done = shell('exec "$@" 2>&-', program, "--json", "run.terminal.info('talk')")

        assert (0, {"result": 1}) == (done.returncode, json.loads(done.stdout))

    @pytest.mark.parametrize("words", [["--nosuch"], ["--region"], []])
    def test_usage_without_stderr(self, words):
        """$ PROGRAM --nosuch 2>&-: wrong usage is talk, too, and stays away from the data."""
        done = shell('exec "$@" 2>&-', ROOT / "tools" / "submit_job.py", *words)

        assert (2, "") == (done.returncode, done.stdout)

    def test_stdin(self, program):
        """$ program <&-: there is no one to ask, which is found out without a fault."""
        done = shell('exec "$@" <&-', program, "--json", "result = run.terminal.interactive")

        assert (0, {"result": False}) == (done.returncode, json.loads(done.stdout))

    @pytest.mark.parametrize("more", [(), ("--yes",)])
    def test_keys_on_stdin(self, more):
        """$ submit_job.py --keys-from - <&-: wrong usage, with or without anyone to ask."""
        words = ["--bucket", "amzn-s3-demo-bucket", "--keys-from", "-", *more]

        done = shell('exec "$@" <&-', ROOT / "tools" / "submit_job.py", *words)

        assert (2, "") == (done.returncode, done.stdout)
        assert "standard input, which is closed" in done.stderr

    def test_all(self, program):
        """$ program <&- >&- 2>&-: still the exit code of a failure."""
        assert 1 == shell('exec "$@" <&- >&- 2>&-', program, "pass").returncode

    def test_help(self):
        """$ PROGRAM --help >&-: no traceback."""
        done = shell('exec "$@" >&-', ROOT / "tools" / "submit_job.py", "--help")

        assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has /dev/full")
class TestFull:
    def test_stdout(self, program):
        """$ program >/dev/full: the cause and the cure, and no fault of the tool."""
        done = shell('exec "$@" >/dev/full', program, "pass")

        assert 1 == done.returncode
        assert "The result could not be written to stdout: No space left on device" in done.stderr
        assert 2 == len(done.stderr.splitlines())

    def test_file_without_a_name(self, program):
        """A full disk is named as such also where the error names no file."""
        done = shell('exec "$@"', program, "f = open('/dev/full', 'w'); f.write('x'); f.flush()")

        assert 1 == done.returncode
        assert "A file could not be read or written: No space left on device." in done.stderr
        assert "bug" not in done.stderr


def test_reader_that_leaves(program):
    """$ program | true: no traceback."""
    done = shell('"$@" | true', program, "print('x' * 1_000_000)")

    assert "" == done.stderr


class TestInterrupted:
    @pytest.mark.parametrize("at", ["import", "run"])
    def test_real_signal(self, tmp_path, program, at):
        """Ctrl-C while modules are imported, or later, ends with 130 and one word."""
        if at == "import":
            (tmp_path / "click.py").write_text("print('now', flush=True)\nimport time\ntime.sleep(60)\n")
        command = [sys.executable, str(program), "print('now', flush=True); import time; time.sleep(60)"]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path) if at == "import" else ""}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
            try:
                assert "now\n" == process.stdout.readline()

                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=30)
            finally:
                process.kill()

        assert (130, "Interrupted.\n") == (process.returncode, err)

    def test_before_the_environment_is_entered(self, tmp_path):
        """Ctrl-C between two Pythons, as when a program goes over to .venv, waits until the new one can answer it."""
        path = tmp_path / "program.py"
        lines = (
            "import sys",
            f"sys.path.insert(0, {str(ROOT)!r})",
            "from tools.environment import enter",
            "enter()",
            "print('in')",
        )
        path.write_text("\n".join(lines))
        block = "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}); os.kill(os.getpid(), signal.SIGINT)"
        code = f"import os, signal, sys; {block}; os.execv(sys.executable, [sys.executable, {str(path)!r}])"

        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

        assert (130, "", "Interrupted.\n") == (done.returncode, done.stdout, done.stderr)

    @pytest.mark.parametrize(
        ("raised", "code"),
        [(KeyboardInterrupt, 130), (EOFError, 1)],
    )
    def test_at_the_question(self, monkeypatch, raised, code):
        """Ctrl-C at a question is an interruption, the end of the input means no."""

        def asked(*_arguments, **_options):
            raise raised

        @click.command()
        @command
        def program(run):
            run.agree("Go on?", "Nothing was done.")

        monkeypatch.setattr("click.termui.visible_prompt_func", asked)
        with pytest.raises(SystemExit) as ended:
            program.main([], obj=ProgramContext(interactive=True))

        assert code == ended.value.code

    def test_cursor(self, monkeypatch):
        """Whatever ends a program, the cursor is shown again, also where a program that it started had hidden it."""
        monkeypatch.setenv("TERM", "xterm")
        err = _Tty()
        terminal = Terminal(as_json=False, out=None, err=err, interactive=False)

        with pytest.raises(SystemExit), ending(terminal, debug=False):
            raise KeyboardInterrupt

        assert err.text.endswith("\x1b[?25h")


class _Tty:
    def __init__(self):
        self.text = ""

    def write(self, text):
        """Keep the text."""
        self.text += text

    def flush(self):
        """Do nothing."""

    def isatty(self):
        """Pretend to be a terminal."""
        return True


def on_a_terminal(arguments, *, columns, send=None):
    """Run Python on a pseudo terminal of this width; return what it shows, and its exit code."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns), "LINES": "40"}
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - so that a typed Ctrl-C becomes a signal
    )
    os.close(slave)
    shown = b""
    for _ in range(60):
        if not select.select([master], [], [], 1)[0]:
            if send and send[0] in shown:
                os.write(master, send[1])  # again each second, because readline may miss a signal while it begins
            continue
        try:
            shown += os.read(master, 4096)
        except OSError:  # the terminal is closed with its last process
            break
    else:
        process.kill()
    os.close(master)
    return shown.decode(errors="replace"), process.wait()


def test_live_status_is_shown_whole(program):
    """On a terminal of 40 columns a long status wraps; nothing of it is cut."""
    words = [f"word{number}" for number in range(30)]
    code = f"with run.terminal.bar('videos') as bar: bar.show({' '.join(words)!r}, 3, 7)"

    shown, exit_code = on_a_terminal([program, code], columns=40)

    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert 0 == exit_code
    assert [] == [word for word in words if word not in text]
    assert "3/7" in text


def test_ctrl_c_at_a_real_question(program):
    """On a terminal, Ctrl-C at the question ends with 130, and the cursor is shown."""
    code = "run.agree('Go on?', 'Nothing was done.')"

    shown, exit_code = on_a_terminal([program, code], columns=80, send=(b"Go on?", b"\x03"))

    assert 130 == exit_code
    assert "Interrupted." in shown
    assert shown.rstrip().endswith("\x1b[?25h")


def test_steps_are_written_once(program):
    """Off a terminal a step is one line, with the time that it took, also if it fails."""
    code = "\nwith run.terminal.step('Going'): pass\nwith run.terminal.step('Failing'): raise OSError(28, 'No space left')"

    done = shell('exec "$@"', program, code)

    assert ["  Going: 0.0 s", "  Failing: 0.0 s", "Error: A file could not be read or written: No space left."] == (
        done.stderr.splitlines()[:3]
    )

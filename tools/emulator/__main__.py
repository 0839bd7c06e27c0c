"""`python -m tools.emulator`: an offline world on a port, until Ctrl-C."""

import sys
from pathlib import Path

if __name__ == "__main__":  # before anything is imported that only the project's environment has
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tools.environment import enter

    enter("emulator")
    from tools.emulator.shell import forget_aws_settings

    forget_aws_settings()

import argparse
import signal
import tempfile
import threading

from tools.emulator.settings import EmulatorSettings
from tools.emulator.shell import exports
from tools.emulator.world import World


def main(arguments: list[str] | None = None) -> int:
    """Open a world, print the environment variables that lead to it, and keep it open until Ctrl-C."""
    given = _parser().parse_args(arguments)
    if sys.stdout is None:
        sys.exit("Error: stdout is closed, so the variables cannot be written.\nCure:  Redirect it to a file.")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    directory = given.directory or Path(tempfile.mkdtemp(prefix="offline-world-"))
    with World(EmulatorSettings(speed=given.speed), directory=directory, port=given.port) as world:
        for line in exports(world.environment(), config=directory / "aws-config"):
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        sys.stderr.write(f"The offline world is at {world.endpoint}; mails and logs are in {directory}. Press Ctrl-C to end it.\n")
        stop.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.emulator", description="An AWS account on this machine.")
    parser.add_argument("--port", type=int, default=4566, help="port of the server (default: %(default)s; 0: any free one)")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds that pass in the world for each real one (default: 1)")
    parser.add_argument("--directory", type=Path, help="folder for mails and logs (default: a new temporary one)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

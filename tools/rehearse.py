"""Rehearse a scan offline: deploy the real template into the offline world and run the real programs on real videos."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import click

from tools.emulator.samples import demo_library
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World
from tools.lib.cli.output import EXIT_CODES, ExitCode, Terminal
from tools.lib.cli.program import CONTEXT_SETTINGS, ProgramContext, ending, version_option
from tools.lib.errors import ToolError
from tools.lib.text import printable

ROOT = Path(__file__).resolve().parents[1]
BUCKET = "amzn-s3-demo-bucket"
STACK = "VideoModeration"
REVIEWER = "reviewer@example.com"
POLL_WORLD_SECONDS = 30
"""How often submit_job looks, in the world's seconds: on AWS it asks every 30 s."""


@dataclass(frozen=True, slots=True)
class Video:
    """One object of the library: its key and where its bytes are."""

    key: str
    body: bytes | Path

    def read(self) -> bytes:
        """Return the object's content."""
        return self.body if isinstance(self.body, bytes) else self.body.read_bytes()


@click.command(epilog=EXIT_CODES, context_settings=CONTEXT_SETTINGS)
@version_option
@click.argument("directory", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--speed",
    type=click.FloatRange(1, 60),
    default=30.0,
    show_default=True,
    help="Seconds that pass in the world for each of yours.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "build" / "rehearsal",
    help="Where everything is left.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def main(context: click.Context, *, directory: Path | None, speed: float, output: Path, debug: bool) -> None:
    """Rehearse a scan of a made-up library, or of the files in DIRECTORY, without an AWS account.

    \b
    python tools/rehearse.py
    python tools/rehearse.py ~/Videos
    python tools/rehearse.py --speed 10 --output /tmp/rehearsal

    Your own videos come out clean: the offline Rekognition recognises test cards, nothing else.
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    program_context: ProgramContext = context.obj or ProgramContext()
    terminal = Terminal(as_json=False, out=sys.stdout, err=sys.stderr, interactive=program_context.interactive)
    with ending(terminal, debug=debug):
        sys.exit(Rehearsal(terminal, output.resolve(), speed).run(library(directory)))


def library(directory: Path | None) -> list[Video]:
    """Return the objects to scan: the demo's, or the files below a directory.

    Raises:
        ToolError: The directory holds no file.
    """
    if directory is None:
        return [Video(sample.key, sample.body()) for sample in demo_library()]
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    if not files:
        raise ToolError(f"{directory} holds no file.", cure="Name a folder with mp4 files in it.")
    return [Video(path.relative_to(directory).as_posix(), path) for path in files]


class Rehearsal:
    """The steps of a rehearsal; each is reported with the time it took."""

    def __init__(self, terminal: Terminal, output: Path, speed: float) -> None:
        self._terminal = terminal
        self._output = output
        self._settings = EmulatorSettings(speed=speed, analysis_base_seconds=5.0)

    def run(self, videos: list[Video]) -> ExitCode:
        """Rehearse, and return 0 where every object came to an end and the counts add up."""
        self._clear()
        with self._step(f"Keeping {len(videos)} objects in {self._output / 'library'}"):
            self._keep(videos)
        with self._step("Synthesising the stack (python app.py)"):
            self._synthesise()
        with World(self._settings, directory=self._output / "world") as world:
            with self._step("Deploying it into the offline world"):
                world.deploy(self._output / "cdk.out", STACK)
            with self._step(f"Uploading the library to s3://{BUCKET}"):
                self._upload(world, videos)
            self._submit(world)
            review = self._review(world)
        self._show_mails(self._output / "world" / "outbox")
        self._terminal.info(f"\nEverything is in {self._output}; open {self._output / 'review.html'} in a browser.")
        return ExitCode.DONE if review["adds_up"] and not review["unfinished"] else ExitCode.SOME_FAILED

    def _clear(self) -> None:
        # Only what an earlier rehearsal left: the folder may be anybody's.
        for name in ("library", "cdk.out", "world", "manifests"):
            shutil.rmtree(self._output / name, ignore_errors=True)
        self._output.mkdir(parents=True, exist_ok=True)

    def _keep(self, videos: Iterable[Video]) -> None:
        for video in videos:
            if isinstance(video.body, bytes):
                path = self._output / "library" / video.key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(video.body)

    def _synthesise(self) -> None:
        context = {"stack_name": STACK, "alert_email": REVIEWER, "source_buckets": [BUCKET]}
        environment = {
            **os.environ,
            "CDK_OUTDIR": str(self._output / "cdk.out"),
            "CDK_CONTEXT_JSON": json.dumps(context),
        }
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, ROOT / "app.py"], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ToolError(
                f"python app.py ended with {done.returncode}: {done.stderr.strip()}", cure="Fix cdk.json, then rehearse again."
            )

    def _upload(self, world: World, videos: Iterable[Video]) -> None:
        s3 = world.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for video in videos:
            s3.put_object(Bucket=BUCKET, Key=video.key, Body=video.read(), ContentType="video/mp4")

    def _submit(self, world: World) -> None:
        extra = {
            "VIDEO_MODERATION_POLL_SECONDS": str(POLL_WORLD_SECONDS / self._settings.speed),
            "VIDEO_MODERATION_MANIFESTS": str(self._output / "manifests"),
        }
        self._program(world, ["submit_job.py", "--bucket", BUCKET, "--yes", "--wait"], extra)

    def _review(self, world: World) -> dict[str, Any]:
        shown = self._program(world, ["review_report.py"], {})
        (self._output / "review.txt").write_text(shown, encoding="utf-8")
        self._terminal.info(shown)
        page = str(self._output / "review.html")
        text = self._program(world, ["review_report.py", "page", page, "--json"], {}, quiet=True)
        (self._output / "review.json").write_text(text, encoding="utf-8")
        review: dict[str, Any] = json.loads(text)
        return review

    def _program(self, world: World, arguments: list[str], extra: dict[str, str], *, quiet: bool = False) -> str:
        """Run one of the tools as itself, its talk on our stderr, and return what it wrote to stdout."""
        if not quiet:
            self._terminal.info(f"\n$ python tools/{' '.join(arguments)}")
        command = [sys.executable, str(ROOT / "tools" / arguments[0]), *arguments[1:]]
        environment = {"PATH": os.environ.get("PATH", ""), "PYTHONUTF8": "1", **world.environment(), **extra}
        done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8", check=False)  # noqa: S603 - our own program
        if done.returncode not in (ExitCode.DONE, ExitCode.SOME_FAILED):
            raise ToolError(
                f"{arguments[0]} ended with {done.returncode}.",
                cure=f"Read what it says above; the functions' logs are in {self._output / 'world'}.",
            )
        return done.stdout

    def _show_mails(self, outbox: Path) -> None:
        mails = sorted(outbox.glob("*.eml"))
        self._terminal.info(f"{len(mails)} mails were sent to {REVIEWER}:")
        for path in mails:
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            self._terminal.info(f"  {printable(str(mail['Subject']))}  ({path.name})")

    @contextmanager
    def _step(self, text: str) -> Iterator[None]:
        began = time.monotonic()
        with self._terminal.bar("") as bar:
            bar.show(text, 0, None)
            yield
        self._terminal.info(f"  {text}: {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()

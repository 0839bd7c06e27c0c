"""The steps of a rehearsal: deploy the real template into the offline world and run the real programs on videos."""

from __future__ import annotations

import gc
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handlers.domain.consequence import ObjectStatus
from tools.emulator.samples import Sample
from tools.emulator.settings import EmulatorSettings
from tools.lib.cli import ExitCode, Terminal
from tools.lib.errors import ToolError
from tools.lib.estimate import prices
from tools.lib.text import counted
from tools.rehearsal.assembly import BUCKET, REVIEWER, SNAPSHOT, STACK, from_snapshot, snapshot_fits, synthesise
from tools.rehearsal.consequences import Listener
from tools.rehearsal.decisions import false_alarm
from tools.rehearsal.library import Library, Video
from tools.rehearsal.outcome import differences
from tools.rehearsal.output import OutputFolder
from tools.rehearsal.playground import STATE, mail_line, serve
from tools.rehearsal.upload import UploadMeanwhile

if TYPE_CHECKING:
    from tools.emulator.world import World

ROOT = Path(__file__).resolve().parents[2]
POLL_WORLD_SECONDS = 30  # how often submit_job.py polls, in seconds of the world: as on AWS
CHECK_SECONDS = 0.5  # how often the world is checked while a program runs in it
SHOWN = 5  # sentences in a message
# How the library is scanned by frames: closely enough to see each of its cards.
FRAMES_SECONDS = 1
FRAMES_SUFFIXES = (".mp4", ".mov", ".webm", ".jpg", ".png")


class Rehearsal:
    """Runs the steps of a rehearsal and shows the time that each took."""

    def __init__(self, terminal: Terminal, output: OutputFolder, speed: float) -> None:
        self._terminal = terminal
        self._output = output
        self._has_frames = False
        self._settings = EmulatorSettings(
            speed=speed,
            analysis_base_seconds=5.0,
            function_wall_seconds=120.0,  # enough on a busy machine
            snap_start=True,
        )

    def run(self, library: Library) -> ExitCode:
        """Rehearse, and return the exit code: that of the review, or DONE if the samples came out as they should.

        Raises:
            ToolError: The offline world broke, or the scan did not find what the samples contain.
        """
        path = self._output.path
        with self._deployed(library) as world, self._uploading(world, library.upload) as upload:
            listener = Listener(world)
            self._submit(world)
            code, review = self._review(world)
            day = self._review_day(world, upload)
            by_frames = self._scan_by_frames(world) if library.samples is not None else None
            if library.samples is not None:
                self._decide(world, listener, review)
            self._require_whole(world)
        if library.samples is not None:
            require_found(review, library.samples)
        if by_frames is not None:
            require_found(by_frames, _in_the_bucket(library), by_frames=True)
        if library.upload is not None:
            require_found(day, [library.upload])
        self._show_mails(path / "world" / "outbox")
        self._terminal.info(f"\nEverything is in {path}; open {path / 'review.html'} in a browser.")
        as_expected = library.samples is not None and review["adds_up"] and not review["unfinished"]
        return ExitCode.DONE if as_expected else code

    def serve(self, library: Library, *, keep: bool) -> ExitCode:
        """Keep the deployed offline world open for the user's own commands until Ctrl-C.

        With `keep`, it continues with the state of an earlier one, and its own state is kept at the end.
        """
        path = self._output.path
        with self._deployed(library, path / STATE if keep else None) as world:
            serve(world, self._terminal, self._output, self._variables())
        kept = " Its state is kept: the same command continues with it." if keep else ""
        self._terminal.info(f"The playground has ended. What it made is in {path}.{kept}")
        return ExitCode.DONE

    @contextmanager
    def _deployed(self, library: Library, state: Path | None = None) -> Iterator[World]:
        """Open a world with the deployed stack and the uploaded library; it is closed at the end of the block.

        A world that continues with a kept state already has a library.
        """
        goes_on = state is not None and state.exists()
        path, videos = self._output.path, library.videos
        if not goes_on:
            with self._step(f"Writing {counted(len(videos), 'object')} to {path / 'library'}"):
                self._write(videos)
        self._assemble(path / "cdk.out")
        with self._world(path / "world", state) as world:
            with self._step("Deploying it into the offline world"):
                self._has_frames = "ImagesPerSecond" in world.deploy(path / "cdk.out", STACK)
            if not goes_on:
                with self._step(f"Uploading the library to s3://{BUCKET}"):
                    self._upload(world, videos)
            yield world

    def _write(self, videos: Iterable[Video]) -> None:
        for video in videos:
            if isinstance(video.body, bytes):
                path = self._output.path / "library" / video.key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(video.body)

    @contextmanager
    def _world(self, directory: Path, state: Path | None) -> Iterator[World]:
        with self._step("Loading the offline world"):
            # Importing moto takes seconds, so it comes late, as a step. Without garbage collection it takes a third less.
            gc.disable()
            from tools.emulator.state import StateError  # noqa: PLC0415
            from tools.emulator.world import World  # noqa: PLC0415

            gc.freeze()
            gc.enable()
        try:
            with World(self._settings, directory=directory, state=state) as world:
                yield world
        except StateError as error:
            raise ToolError(f"{error}.", cure=f"Start anew: rm {shlex.quote(str(state))}") from error

    def _assemble(self, outdir: Path) -> None:
        if snapshot_fits():
            with self._step(f"Taking the template from {SNAPSHOT.relative_to(ROOT)}"):
                from_snapshot(outdir)
        else:
            with self._step("Synthesising the stack, as cdk.json was changed (python app.py)"):
                synthesise(outdir)

    def _upload(self, world: World, videos: Iterable[Video]) -> None:
        s3 = world.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for video in videos:
            s3.put_object(Bucket=BUCKET, Key=video.key, Body=video.read(), ContentType="video/mp4")

    def _submit(self, world: World) -> None:
        self._program(world, ["submit_job.py", "--bucket", BUCKET, "--yes", "--wait"], self._variables())

    @contextmanager
    def _uploading(self, world: World, sample: Sample | None) -> Iterator[UploadMeanwhile | None]:
        """Watch the bucket, and upload a sample while the block runs."""
        if sample is None:
            yield None
            return
        _, shown = self._program(world, ["control_scan.py", "watch", "on", BUCKET], {})
        self._terminal.info(shown.rstrip())
        upload = UploadMeanwhile(world, sample, may_begin=lambda: _has_job(world))
        try:
            yield upload
        finally:
            upload.stop()

    def _review_day(self, world: World, upload: UploadMeanwhile | None) -> dict[str, Any]:
        """Show what became of the upload, and return the review of its day."""
        if upload is None:
            return {}
        with self._step("Waiting for the mail about what was uploaded meanwhile"):
            of_day = ["--scan", upload.scan_id()]
        return self._review_twice(world, "day.txt", of_day, of_day)[2]

    def _scan_by_frames(self, world: World) -> dict[str, Any] | None:
        """Scan the same library by frames, and return the review; None where they are not deployed."""
        if not self._has_frames:
            return None
        suffixes = [word for suffix in FRAMES_SUFFIXES for word in ("--suffix", suffix)]
        arguments = ["--bucket", BUCKET, "--frames", f"{FRAMES_SECONDS}s", *suffixes, "--yes", "--wait"]
        self._program(world, ["submit_job.py", *arguments], self._variables())
        _, _, review = self._review_twice(world, "frames.txt", [], [])
        self._show_bills(world)
        return review

    def _decide(self, world: World, listener: Listener, review: Mapping[str, Any]) -> None:
        """Show tag and event of a flagged video, and what a decision that it is a false alarm makes of them."""
        video = review["flagged"][0]
        self._terminal.write(listener.wait_for(video["key"], ObjectStatus.FLAGS_FOUND).line())
        self._output.add("decisions.json", false_alarm(review, video))
        code, shown = self._program(world, ["review_report.py", "apply", str(self._output.path / "decisions.json")], {})
        if code is not ExitCode.DONE:
            raise ToolError(
                f"The decision was refused: {shown.strip()}", cure="Run `make clean demo`; if it remains, please report it."
            )
        self._terminal.write(listener.wait_for(video["key"], ObjectStatus.NO_FLAGS_FOUND).line())

    def _show_bills(self, world: World) -> None:
        """Show what Rekognition would have charged, by its own ledger."""
        minutes, images = world.rekognition.ledger.minutes_billed, len(world.images.ledger.paid)
        by_video, by_frames = prices.REKOGNITION_MINUTE.dollars, prices.REKOGNITION_IMAGE.dollars
        self._terminal.write(
            f"Rekognition would have charged ${Decimal(minutes) * by_video:.3f} by the video API ({minutes:.1f} min) and "
            f"${images * by_frames:.3f} by frames, every {FRAMES_SECONDS} s ({counted(images, 'image')})."
        )

    def _variables(self) -> dict[str, str]:
        """Return the environment variables of the programs other than those that lead to the world."""
        return {
            "VIDEO_MODERATION_POLL_SECONDS": str(POLL_WORLD_SECONDS / self._settings.speed),
            "VIDEO_MODERATION_MANIFESTS": str(self._output.path / "manifests"),
        }

    def _review(self, world: World) -> tuple[ExitCode, dict[str, Any]]:
        code, text, review = self._review_twice(world, "review.txt", [], ["page", str(self._output.path / "review.html")])
        self._output.add("review.json", text)
        return code, review

    def _review_twice(
        self, world: World, file: str, arguments: Sequence[str], as_json: Sequence[str]
    ) -> tuple[ExitCode, str, dict[str, Any]]:
        """Show a review and keep it in a file of the output; return its exit code, and what `--json` prints, as text and as values.

        Both programs run at once: much of their time is Python's start, which takes one core.
        """
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(self._program, world, ["review_report.py", *as_json, "--json"], {}, quiet=True)
            code, shown = self._program(world, ["review_report.py", *arguments], {})
            self._output.add(file, shown)
            self._terminal.write(shown)
            _, text = other.result()
        return code, text, json.loads(text)

    def _program(self, world: World, arguments: list[str], extra: dict[str, str], *, quiet: bool = False) -> tuple[ExitCode, str]:
        """Run one of the programs, its stderr going to ours, and return its exit code and what it wrote to stdout.

        With `quiet`, its stderr is shown only if it fails.
        """
        if not quiet:
            self._terminal.info(f"\n$ python tools/{' '.join(arguments)}")
        command = [sys.executable, str(ROOT / "tools" / arguments[0]), *arguments[1:]]
        environment = {"PATH": os.environ.get("PATH", ""), "PYTHONUTF8": "1", **world.environment(), **extra}
        code, out, talk = self._watched(world, command, environment, stderr=subprocess.PIPE if quiet else None)
        if code not in (ExitCode.DONE, ExitCode.SOME_FAILED):
            if talk:
                self._terminal.info(talk.rstrip())
            raise ToolError(
                f"{arguments[0]} ended with {code}.",
                cure=f"See its message above; the logs of the functions are in {self._output.path / 'world'}.",
            )
        return ExitCode(code), out

    def _watched(
        self, world: World, command: list[str], environment: dict[str, str], *, stderr: int | None
    ) -> tuple[int, str, str]:
        """Run a program to its end, or until the world breaks: the program would then wait in vain."""
        with subprocess.Popen(  # noqa: S603 - our own program
            command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, encoding="utf-8"
        ) as process:
            try:
                while True:
                    with suppress(subprocess.TimeoutExpired):
                        out, talk = process.communicate(timeout=CHECK_SECONDS)
                        return process.returncode, out, talk or ""
                    self._output.check()
                    self._require_whole(world)
            except BaseException:  # Ctrl-C included: the program must not outlive its world
                process.kill()
                raise

    def _require_whole(self, world: World) -> None:
        broken = world.breakage()
        if broken:
            raise ToolError(
                f"The offline world broke, so its results prove nothing: {_some(broken)}.",
                cure=f"Look at the logs in {self._output.path / 'world'}, then run `make clean demo`.",
            )

    def _show_mails(self, outbox: Path) -> None:
        mails = sorted(outbox.glob("*.eml"))
        self._terminal.write(f"Sent {counted(len(mails), 'mail')} to {REVIEWER}:")
        for path in mails:
            self._terminal.write(f"  {mail_line(path)}")

    @contextmanager
    def _step(self, text: str) -> Iterator[None]:
        with self._terminal.step(text):
            yield
        self._output.note()


def require_found(review: Mapping[str, Any], samples: Iterable[Sample], *, by_frames: bool = False) -> None:
    """Check that a review found what the samples contain.

    Raises:
        ToolError: It did not.
    """
    different = differences(review, samples, by_frames=by_frames)
    if different:
        raise ToolError(
            f"The scan did not find what the samples contain: {_some(different)}.",
            cure="This is a fault of the project or of its environment. Run `make clean demo`; if it remains, please report it.",
        )


def _has_job(world: World) -> bool:
    """Tell whether the scan's job exists: on a slow machine, an earlier upload would be listed as part of the scan."""
    return bool(world.client("s3control").list_jobs(AccountId=world.settings.account_id)["Jobs"])


def _in_the_bucket(library: Library) -> tuple[Sample, ...]:
    """Return the samples, with the one that was uploaded meanwhile."""
    return (*(library.samples or ()), *([] if library.upload is None else [library.upload]))


def _some(sentences: list[str]) -> str:
    rest = len(sentences) - SHOWN
    return "; ".join(sentences[:SHOWN]) + (f"; and {rest} more" if rest > 0 else "")

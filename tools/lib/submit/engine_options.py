"""The options that choose the engine of a scan."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import click

from handlers.domain import Engine
from handlers.domain.engine import DEFAULT_INTERVAL_MS, LONGEST_INTERVAL_MS, SHORTEST_INTERVAL_MS
from tools.lib.aws import Deployment
from tools.lib.cli import options
from tools.lib.errors import ToolError
from tools.lib.estimate import EngineChoice

_SHORTEST, _LONGEST = SHORTEST_INTERVAL_MS // 1_000, LONGEST_INTERVAL_MS // 1_000


class Interval(click.ParamType[int]):
    """Seconds as `5s` or `2.5s`, converted to milliseconds."""

    name = "interval"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401 - click's signature
        if isinstance(value, int):  # click converts defaults too
            return value
        found = re.fullmatch(r"(\d{1,2}(?:\.\d{1,3})?)s?", value, re.ASCII)
        milliseconds = int(Decimal(found[1]) * 1_000) if found else 0
        if not SHORTEST_INTERVAL_MS <= milliseconds <= LONGEST_INTERVAL_MS:
            self.fail(f"{value!r} is not a valid interval; use {_SHORTEST}s to {_LONGEST}s, such as 5s or 2.5s", param, ctx)
        return milliseconds


# The options that `engine_from` takes.
engine_options = options(
    click.option(
        "--frames",
        "interval_ms",
        type=Interval(),
        metavar="INTERVAL",
        help="Look at one frame every INTERVAL (1s to 60s) instead of having Rekognition's video API analyse whole films: cheaper, "
        "for any codec, but shorter scenes may be missed.",
    ),
    click.option(
        "--others",
        type=click.Choice([Engine.FRAMES.value]),
        help=f"Look by frames, every {DEFAULT_INTERVAL_MS // 1_000} s, at films of up to 10 GB that the video API does not take, "
        "instead of leaving them out: those in other containers (MKV, WebM, AVI, TS) and in other codecs (HEVC, AV1, VP9, ProRes).",
    ),
)


def engine_from(**given: Any) -> EngineChoice:  # noqa: ANN401 - click hands values over by name
    """Return the choice that the options of `engine_options` make; other options are ignored.

    Raises:
        click.UsageError: They contradict each other.
    """
    interval_ms, others = given["interval_ms"], given["others"]
    if interval_ms is None:
        return EngineChoice(others=Engine(others) if others else None)
    if others:
        raise click.UsageError("--others is for a scan by the video API; --frames looks at every film by frames: omit one of them.")
    return EngineChoice(Engine.FRAMES, interval_ms)


def deployed(choice: EngineChoice, deployment: Deployment) -> EngineChoice:
    """Complete a choice with whether the deployment analyses images.

    Raises:
        ToolError: The choice needs frames, which are not deployed.
    """
    if not deployment.has_frames and Engine.FRAMES in (choice.engine, choice.others):
        raise ToolError(
            f"The stack {deployment.stack_name} was deployed without the engine of frames.",
            cure='Set "frames" to true in cdk.json and run `make deploy`, or omit --frames and --others.',
        )
    return replace(choice, images=deployment.has_frames)

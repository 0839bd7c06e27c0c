"""Parameter types that programs share: each turns a text into a value, or exits with a usage error that says why."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from handlers.domain import Video, identity
from tools.lib.cli.program import ProgramContext

_AGES = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_VERSION = "?versionId="
# Old buckets of us-east-1 may have capitals, underscores and 255 characters.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,254}")


# The path of a file to read.
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

# Instead of a path: standard input or output.
STANDARD_STREAM = "-"


class NewFile(click.ParamType[Path]):
    """The path of a file to write, or `-` for stdout; its folder must exist."""

    name = "file"
    _path = click.Path(dir_okay=False, path_type=Path, allow_dash=True)

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(self._path.convert(str(value), param, ctx))
        if str(path) != STANDARD_STREAM and not path.parent.is_dir():
            self.fail(f"the folder {str(path.parent)!r} of {path.name!r} does not exist; create it first", param, ctx)
        return path


class SourceFile(click.ParamType[str]):
    """The s3 URI of an object, the path of a file that exists, or `-` for stdin where `stdin` allows it."""

    name = "file"

    def __init__(self, *, stdin: bool) -> None:
        self._path = click.Path(exists=True, dir_okay=False, allow_dash=stdin)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.startswith("s3://"):
            path = str(self._path.convert(value, param, ctx))
            if path == STANDARD_STREAM and sys.stdin is None:
                self.fail("- is standard input, which is closed; name a file, or redirect one", param, ctx)
            return path
        bucket, _, key = value.removeprefix("s3://").partition("/")
        if not key or not _BUCKET.fullmatch(bucket):
            self.fail(f"{value!r} is not the URI of an object; use s3://bucket/key", param, ctx)
        return value


class BucketName(click.ParamType[str]):
    """The name of a general purpose bucket."""

    name = "bucket"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value.startswith("s3://"):
            bucket, _, prefix = value.removeprefix("s3://").partition("/")
            self.fail(f"pass a bucket's name, not a URI: --bucket {bucket}{f' --prefix {prefix}' if prefix else ''}", param, ctx)
        if not _BUCKET.fullmatch(value):
            self.fail(f"{value!r} is not a valid bucket name: use at least 3 letters, digits, dots and hyphens", param, ctx)
        return value


class Moment(click.ParamType[datetime]):
    """A time: `2026-11-22`, `2026-11-22T16:30` (UTC unless it has an offset), or how long ago: `7d`, `12h`, `2w`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401 - click's signature
        if isinstance(value, datetime):  # click converts defaults too
            return value
        try:
            if found := re.fullmatch(r"(\d{1,5})([hdw])", value, re.ASCII):
                return self._now(ctx) - int(found[1]) * _AGES[found[2]]
            moment = datetime.fromisoformat(value)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):  # OverflowError: before the year 1
            self.fail(f"{value!r} is not a valid time; use 2026-11-22, 2026-11-22T16:30Z, or how long ago: 7d, 12h, 2w", param, ctx)

    @staticmethod
    def _now(ctx: click.Context | None) -> datetime:
        program_context = (ctx.find_object(ProgramContext) if ctx else None) or ProgramContext()
        return datetime.fromtimestamp(program_context.clock.now(), UTC)


class ObjectUri(click.ParamType[Video]):
    """The s3 URI of an object, with or without a version; as with the AWS CLI, it is not percent-decoded.

    An empty version means none: so is a key named that has `?versionId=` in it.
    """

    name = "uri"

    def convert(self, value: str | Video, param: click.Parameter | None, ctx: click.Context | None) -> Video:
        if isinstance(value, Video):
            return value
        bucket, _, rest = value.removeprefix("s3://").partition("/")
        if not value.startswith("s3://") or not bucket or not rest:
            self.fail(f"{value!r} is not the URI of an object; use s3://bucket/key[?versionId=...]", param, ctx)
        key, mark, version = rest.rpartition(_VERSION)
        video = Video(bucket, key, version or None) if mark and key else Video(bucket, rest)
        if fault := identity.fault_of(video):
            self.fail(f"{value!r}: {fault}", param, ctx)
        return video


def object_uri(video: Video) -> str:
    """Return the URI that `ObjectUri` takes for a video."""
    is_plain = video.version_id is None and _VERSION not in video.key
    return video.uri if is_plain else f"{video.uri}{_VERSION}{video.version_id or ''}"


class ScanOrObject(click.ParamType[str | Video]):
    """The id of a scan, or the s3 URI of an object as `ObjectUri` takes it."""

    name = "scan"

    def convert(self, value: str | Video, param: click.Parameter | None, ctx: click.Context | None) -> str | Video:
        return ObjectUri().convert(value, param, ctx) if isinstance(value, str) and value.startswith("s3://") else value

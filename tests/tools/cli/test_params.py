"""Parameter types that programs share: what a text on the command line means."""

import click
import pytest

from handlers.domain.identity import Video
from tools.emulator.core.clock import ManualClock
from tools.lib.cli import BucketName, Moment, ObjectUri, ProgramContext, object_uri

NOW = 1_760_000_000.0


def convert(kind, text):
    """Return what a program makes of a text at a set time."""
    context = click.Context(click.Command("program"), obj=ProgramContext(clock=ManualClock(NOW)))
    return kind.convert(text, None, context)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://bucket/a b+%20.mp4", Video("bucket", "a b+%20.mp4")),
        ("s3://bucket//", Video("bucket", "/")),
        ("s3://bucket/a?versionId=v1", Video("bucket", "a", "v1")),
        ("s3://bucket/a?versionId=x?versionId=v1", Video("bucket", "a?versionId=x", "v1")),
        ("s3://bucket/?versionId=v1", Video("bucket", "?versionId=v1")),
        ("s3://bucket/a?versionId=", Video("bucket", "a")),
        ("s3://bucket/a?versionId=x?versionId=", Video("bucket", "a?versionId=x")),
        ("s3://bucket/?versionId=x", Video("bucket", "?versionId=x")),
    ],
)
def test_uri(uri, expected):
    """A URI is taken as it stands; only a version at its end is not the key's."""
    assert expected == convert(ObjectUri(), uri)


@pytest.mark.parametrize("version", [None, "v1", "null"])
@pytest.mark.parametrize("key", ["a", "a?versionId=x", "a?versionId=", "?versionId=", "a?versionId=x?versionId="])
def test_uri_of_a_video(key, version):
    """Each video has a URI that is taken for it, whatever its key holds."""
    video = Video("bucket", key, version)

    assert video == convert(ObjectUri(), object_uri(video))


@pytest.mark.parametrize("uri", ["", "s3://", "s3://bucket", "s3://bucket/", "https://bucket/key", f"s3://bucket/{'x' * 1025}"])
def test_no_uri(uri):
    """What names no object is refused."""
    with pytest.raises(click.BadParameter, match=r"is not the URI of an object|1025 bytes"):
        convert(ObjectUri(), uri)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12h", NOW - 43_200),
        ("7d", NOW - 7 * 86_400),
        ("2w", NOW - 14 * 86_400),
        ("2025-10-09", 1_759_968_000.0),
        ("2025-10-09T08:30", 1_759_998_600.0),
        ("2025-10-09T10:30+02:00", 1_759_998_600.0),
    ],
)
def test_time(text, expected):
    """A time is so long ago, or a date in UTC unless it says otherwise."""
    assert expected == convert(Moment(), text).timestamp()


@pytest.mark.parametrize(
    "text", ["", "7", "d", "-1d", "yesterday", "2025-13-01", "999999d", "\N{ARABIC-INDIC DIGIT SEVEN}d", "0001-01-01T00:00+01:00"]
)
def test_no_time(text):
    """What is not a time is refused with how to write one, also where it would lie before the first year."""
    with pytest.raises(click.BadParameter, match="is not a valid time; use 2026-11-22"):
        convert(Moment(), text)


def test_bucket_as_uri():
    """Who passes the URI of a prefix is told the two options that it means."""
    with pytest.raises(click.BadParameter, match="--bucket bucket --prefix 2024/"):
        convert(BucketName(), "s3://bucket/2024/")

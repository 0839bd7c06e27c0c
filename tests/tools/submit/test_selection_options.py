"""The options that say which objects are meant."""

import json
from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner

from tools.lib.cli import ProgramContext
from tools.lib.listing import Sample, Selection
from tools.lib.manifest import LISTING
from tools.lib.submit.selection_options import selection_options
from tools.lib.submit.source_options import selection_for

BUCKET = "amzn-s3-demo-bucket"


class Clock:
    """Stands still on 2026-11-22, 16:30 UTC."""

    def now(self):
        """Return the time."""
        return datetime(2026, 11, 22, 16, 30, tzinfo=UTC).timestamp()

    def sleep(self, seconds):
        """Do not wait."""


@click.command()
@selection_options
def command(**chosen):
    """Say what was chosen."""
    click.echo(json.dumps(selection_for(LISTING, BUCKET, **chosen).as_json()))


def run(*arguments):
    """Run the command."""
    return CliRunner().invoke(command, arguments, obj=ProgramContext(clock=Clock()))


def chosen(*arguments):
    """Return the selection of some arguments."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return Selection.from_json(json.loads(result.stdout))


def test_nothing_chosen_is_every_mp4_m4v_and_mov():
    """The default is what the tool is for."""
    assert chosen() == Selection(bucket=BUCKET) == Selection(bucket=BUCKET, suffixes=(".mp4", ".m4v", ".mov"))


def test_an_empty_suffix_is_every_key():
    """$ submit_job.py --suffix '': an empty suffix is not the absence of one."""
    assert ("",) == chosen("--suffix", "").suffixes


def test_everything_chosen():
    """Each option arrives at its place; options of several values may be repeated."""
    arguments = (
        "--prefix a/ --prefix b/ --suffix .mov --suffix .mp4 --include *raw* --include re:^a --exclude *.tmp"
        " --min-size 1KB --max-size 1.5GiB"
        " --modified-after 7d --modified-before 2026-11-22T16:30+02:00 --storage-class standard --storage-class GLACIER_IR"
        " --sample 5.5% --seed 7 --limit 9 --all-versions"
    )

    assert chosen(*arguments.split()) == Selection(
        bucket=BUCKET,
        prefixes=("a/", "b/"),
        suffixes=(".mov", ".mp4"),
        include=("*raw*", "re:^a"),
        exclude=("*.tmp",),
        min_size=1000,
        max_size=1_610_612_736,
        modified_after=datetime(2026, 11, 15, 16, 30, tzinfo=UTC),
        modified_before=datetime(2026, 11, 22, 14, 30, tzinfo=UTC),
        storage_classes=("STANDARD", "GLACIER_IR"),
        sample=Sample(percent=5.5, seed=7),
        limit=9,
        all_versions=True,
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("12h", datetime(2026, 11, 22, 4, 30, tzinfo=UTC)),
        ("2w", datetime(2026, 11, 8, 16, 30, tzinfo=UTC)),
    ],
)
def test_times(text, moment):
    """A day begins at midnight UTC; ages count back from now."""
    assert chosen("--modified-after", text).modified_after == moment


@pytest.mark.parametrize(("text", "size"), [("0", 0), ("500", 500), ("10mb", 10_000_000), ("1.5 KiB", 1536)])
def test_sizes(text, size):
    """Bytes, or units of 1,000 and of 1,024, told apart by the i."""
    assert chosen("--min-size", text).min_size == size


@pytest.mark.parametrize(("number", "letter"), list(enumerate("KMGT", 1)))
def test_units(number, letter):
    """From kilobytes to tebibytes, in either case."""
    assert (1000**number, 1024**number) == (
        chosen("--max-size", f"1{letter}B").max_size,
        chosen("--max-size", f"1{letter.lower()}ib").max_size,
    )


@pytest.mark.parametrize(
    ("text", "sample"),
    [
        ("1", Sample(count=1)),
        ("999999999", Sample(count=999_999_999)),
        ("100%", Sample(percent=100.0)),
        ("0.000001%", Sample(percent=0.000001)),
    ],
)
def test_samples(text, sample):
    """A number of objects or a percentage up to 100; without --seed it is the first sample."""
    assert sample == chosen("--sample", text).sample


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_seeds(seed):
    """Seeds have 63 bits, so that every database and language can hold them."""
    assert seed == chosen("--sample", "5", "--seed", str(seed)).sample.seed


@pytest.mark.parametrize(
    ("option", "text", "field"),
    [
        ("--min-size", "5", "min_size"),
        ("--max-size", "5", "max_size"),
        ("--modified-after", "1d", "modified_after"),
        ("--modified-before", "1d", "modified_before"),
    ],
)
def test_one_limit(option, text, field):
    """Each limit can be given without the one that it is compared with."""
    found = chosen(option, text)

    assert {field} == {name for name in ("min_size", "max_size", "modified_after", "modified_before") if getattr(found, name)}


def test_limits_that_meet():
    """Objects of exactly one size can be chosen; the first object is a limit too."""
    found = chosen("--min-size", "5", "--max-size", "5", "--limit", "1")

    assert (5, 5, 1) == (found.min_size, found.max_size, found.limit)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--min-size", "10M"], "'10M' is not a valid size; use bytes"),
        (["--min-size", "-1"], "'-1' is not a valid size"),
        (["--modified-after", "yesterday"], "'yesterday' is not a valid time; use 2026-11-22"),
        (["--modified-after", "999999d"], "'999999d' is not a valid time"),
        (["--sample", "0"], "'0' is not a valid sample"),
        (["--sample", "101%"], "'101%' is not a valid sample"),
        (["--sample", "0%"], "'0%' is not a valid sample"),
        (["--include", "re:("], "'re:(' is not a regular expression: missing )"),
        (["--storage-class", "COLD"], "'COLD' is not one of"),
        (["--limit", "0"], "0 is not in the range"),
        (["--min-size", "2", "--max-size", "1"], "swap them"),
        (["--modified-after", "1d", "--modified-before", "2d"], "swap them"),
        (["--modified-after", "2d", "--modified-before", "2d"], "swap them"),
        (["--sample", "5", "--seed", str(2**63)], "is not in the range"),
        (["--sample", "1000000000"], "'1000000000' is not a valid sample"),
        (["--sample", "100.1%"], "'100.1%' is not a valid sample"),
        (["--seed", "1"], "it requires --sample"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    """Bad usage ends with 2 and how to write it, before anything is asked of AWS."""
    result = run(*arguments)

    assert result.exit_code == 2
    assert message in result.stderr

"""The options that choose a scan, and those that draw a sample, as a command of one's own gets them."""

import click
import pytest
from click.testing import CliRunner

from tools.lib.review.inputs import ScanChoice, scan_options
from tools.lib.review.sample import MAX_SAMPLE, SampleChoice, sample_options

SEED = 2**63 - 1


def run(add, *arguments):
    """Run a command that has these options and one of its own; return the exit code, its output, and what it got."""
    found = []

    @click.command
    @add
    @click.option("--other")
    def command(**given):
        found.append(given)

    done = CliRunner().invoke(command, arguments)
    return done.exit_code, done.output, found


@pytest.mark.parametrize(
    ("arguments", "choice"),
    [
        ([], ScanChoice(None, None, without_manifest=False)),
        (["--scan", "S"], ScanChoice("S", None, without_manifest=False)),
        (["--job", "J"], ScanChoice(None, "J", without_manifest=False)),
        (["--without-manifest"], ScanChoice(None, None, without_manifest=True)),
        (["--scan", "S", "--without-manifest"], ScanChoice("S", None, without_manifest=True)),
    ],
)
def test_scan(arguments, choice):
    """A scan is chosen by its id, by a job, or not at all; the command's own options are left to it."""
    assert (0, "", [{"choice": choice, "other": "x"}]) == run(scan_options, *arguments, "--other", "x")


def test_one_scan():
    """It is chosen in one way."""
    code, output, found = run(scan_options, "--scan", "S", "--job", "J")

    assert (2, []) == (code, found)
    assert "--scan and --job both choose the scan; pass one of them." in output


@pytest.mark.parametrize(
    ("arguments", "sample"),
    [
        ([], SampleChoice(0, None)),
        (["--sample-clean", "1"], SampleChoice(1, None)),
        (["--sample-clean", str(MAX_SAMPLE), "--seed", "0"], SampleChoice(MAX_SAMPLE, 0)),
        (["--sample-clean", "5", "--seed", str(SEED)], SampleChoice(5, SEED)),
    ],
)
def test_sample(arguments, sample):
    """A sample has a number of videos and perhaps a seed, none by default."""
    assert (0, "", [{"sample": sample, "other": "x"}]) == run(sample_options, *arguments, "--other", "x")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--sample-clean", "0"],
        ["--sample-clean", str(MAX_SAMPLE + 1)],
        ["--sample-clean", "5", "--seed", "-1"],
        ["--sample-clean", "5", "--seed", str(SEED + 1)],
        ["--seed", "1"],
        ["--seed", "0"],
    ],
)
def test_no_sample(arguments):
    """Anything else is bad usage."""
    code, _, found = run(sample_options, *arguments)

    assert (2, []) == (code, found)


@pytest.mark.parametrize(
    ("add", "shown"),
    [
        (scan_options, ["--scan ID", "--job ID", "--without-manifest"]),
        (sample_options, ["--sample-clean N", "--seed N"]),
    ],
)
def test_help(add, shown):
    """The help names each option with its value."""
    lines = [line.strip() for line in run(add, "--help")[1].splitlines()]

    assert [True] * len(shown) == [any(line.startswith(f"{option}  ") for line in lines) for option in shown]

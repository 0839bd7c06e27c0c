"""What `make deploy` and its siblings check before the CDK CLI starts."""

import os
import re
import subprocess
import sys

import pytest

from tools import preflight
from tools.lib.aws import connect
from tools.lib.cli import ROOT

OWN = ("-c", "source_buckets=my-videos")
# The line by which `make deploy` builds the layer.
PACKAGE = (
    "\t@! $(BIN)/python tools/preflight.py frames $(CDK_OPTIONS) || $(MAKE) package",
    "\t@! $(BIN)/python tools/preflight.py annotations $(CDK_OPTIONS) || $(MAKE) package-sdk",
)


def run(capsys, *arguments, connected=connect):
    """Run the check in this process; return its exit code and its message."""
    code = 0
    try:
        preflight.main(arguments, connected)
    except SystemExit as ended:
        code = ended.code
    out, err = capsys.readouterr()
    assert ("deploy" in arguments and code == 0) == out.startswith("-c batch_concurrency=")
    return code, err


@pytest.fixture(name="account")
def _account(account):
    """Return the account with the usual number of free invocations, and without a deployment that reserves any."""
    account.wire.answer("GetAccountSettings", lambda _: {"AccountLimit": {"UnreservedConcurrentExecutions": 1_000}})
    account.wire.answer("GetFunctionConcurrency", lambda _: {})
    return account


@pytest.mark.parametrize("target", ["bootstrap", "deploy", "destroy"])
def test_makefile(target):
    """Each target of make that changes AWS runs the check first, with the options for the CDK."""
    text = (ROOT / "Makefile").read_text("utf-8")

    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.MULTILINE)[1].splitlines()

    check, cdk = recipe[-2:]
    assert f"$(BIN)/python tools/preflight.py {target} $(CDK_OPTIONS)" in check
    assert f" {target} --app" in cdk
    assert list(PACKAGE) * (target == "deploy") == recipe[:-2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "made"),
    [
        ((), ""),
        (("-c", "frames=false"), ""),
        (("-c", "frames=true"), "package"),
        (("-c", "frames=false", "--context", "frames=true", "--require-approval", "never"), "package"),
        (("-c", "annotate_objects=true"), "package-sdk"),
    ],
)
def test_layers_are_built_where_they_are_needed(options, made):
    """`make deploy` builds the layer with PyAV only where the settings deploy frames, that with boto3 only for annotations."""
    lines = [line.strip("\t@").replace("$(BIN)/python", sys.executable).replace("$(MAKE)", "echo -n") for line in PACKAGE]
    script = " && ".join(f"({line})" for line in lines).replace("$(CDK_OPTIONS)", " ".join(options))

    done = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (0, made) == (done.returncode, done.stdout)


@pytest.mark.parametrize("target", ["bootstrap", "deploy", "destroy"])
def test_no_credentials(capsys, monkeypatch, no_aws, target):
    """Without credentials the cause and the cure are ours."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")

    code, message = run(capsys, target, *OWN)

    assert 1 == code
    assert message.startswith("Error: No usable AWS credentials were found")
    assert "aws sso login" in message


def test_no_region(capsys, no_aws):
    """Nor is a Region guessed, as the CDK CLI does; the cure is one for make, which has no option --region."""
    code, message = run(capsys, "deploy", *OWN)

    assert (1, "Error: No AWS Region is set.") == (code, message.splitlines()[0])
    assert "Set AWS_REGION" in message


def test_unknown_profile(capsys, no_aws):
    """The profile that the CDK CLI would take is looked for, however its options are mixed."""
    code, message = run(capsys, "deploy", "--require-approval", "never", "--profile", "missing", *OWN)

    assert 1 == code
    assert "missing" in message
    assert "aws configure list-profiles" in message


def test_refused_credentials(capsys, account, errors):
    """Credentials that AWS does not know, or that have expired, are named as such."""
    account.wire.answer("GetCallerIdentity", lambda _: errors.http("ExpiredToken", 403))

    code, message = run(capsys, "deploy", *OWN, connected=lambda *_: account.clients)

    assert 1 == code
    assert "the AWS credentials have expired" in message


@pytest.mark.parametrize(
    "options", [[], ["-c", "source_buckets=my-videos,amzn-s3-demo-bucket"], ["--context=source_buckets=amzn-s3-demo-x"]]
)
def test_example_bucket(capsys, account, options):
    """The bucket of the examples belongs to no one: not deployed, and named before that at the bootstrap."""
    deployed = run(capsys, "deploy", *options, connected=lambda *_: account.clients)
    bootstrapped = run(capsys, "bootstrap", *options, connected=lambda *_: account.clients)
    destroyed = run(capsys, "destroy", *options, connected=lambda *_: account.clients)

    assert (1, 0, 0) == (deployed[0], bootstrapped[0], destroyed[0])
    assert "source_buckets in cdk.json names amzn-s3-demo-" in deployed[1]
    assert "Cure:" in deployed[1]
    assert "Warning: source_buckets" in bootstrapped[1]
    assert "source_buckets" not in destroyed[1]


@pytest.mark.parametrize("options", [OWN, ("-csource_buckets=*",), ("--context", "source_buckets=my-videos", "-c", "slots=3")])
def test_own_buckets(capsys, account, options):
    """With a bucket of one's own it says for which account and Region it goes on."""
    code, message = run(capsys, "deploy", *options, connected=lambda *_: account.clients)

    assert (0, 2) == (code, len(message.splitlines()))
    assert message.startswith("Account 111122223333, us-east-1, as arn:aws:")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"context": {"source_buckets": 7}}', '{"context": 7}'])
def test_broken_settings(capsys, account, tmp_path, monkeypatch, text):
    """What else is wrong with cdk.json, app.py says."""
    (tmp_path / "cdk.json").write_text(text)
    monkeypatch.setattr(preflight, "ROOT", tmp_path)

    assert 0 == run(capsys, "deploy", connected=lambda *_: account.clients)[0]


@pytest.mark.slow
def test_program(tmp_path):
    """As make runs it: exit code 1, and the reason on stderr."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1"}

    done = subprocess.run(
        [sys.executable, "tools/preflight.py", "deploy", *OWN],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("Error: No usable AWS credentials were found")

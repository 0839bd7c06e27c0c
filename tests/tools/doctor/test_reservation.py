"""What `make deploy` reserves for S3 Batch, by what the account allows."""

import json
import subprocess
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from tests.harness.fixtures import assembly, refusing_line, session
from tests.harness.line import STACK
from tools import preflight
from tools.lib.aws import Clients

__all__ = ["assembly", "refusing_line", "session"]


class Account:
    """An account with some concurrency free, and perhaps a deployment that reserves some."""

    def __init__(self, free, reserved=None, error=None):
        self.functions = self
        self.cloudformation = self
        self.sts = self
        self.meta = SimpleNamespace(region_name="us-east-1")
        self._free, self._reserved, self._error = free, reserved, error

    def get_caller_identity(self):
        """Return who asks."""
        return {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/reviewer"}

    def get_account_settings(self):
        """Return the limits, or raise the planned error."""
        if self._error:
            raise self._error
        return {"AccountLimit": {"ConcurrentExecutions": 1_000, "UnreservedConcurrentExecutions": self._free}}

    def describe_stacks(self, StackName):  # noqa: N803
        """Say that there is no stack."""
        message = f"Stack with id {StackName} does not exist"
        raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks")


def deploy(capsys, clients, *options):
    """Run the check of `make deploy` for buckets of one's own; return the CDK's options on stdout, and what stderr says."""
    preflight.main(["deploy", "-c", "source_buckets=my-videos", *options], lambda *_: clients)
    return capsys.readouterr()


@pytest.mark.parametrize(
    ("free", "printed"), [(1_000, 10), (110, 10), (109, 9), (101, 1), (100, None), (99, None), (50, None), (10, None), (0, None)]
)
def test_as_many_as_the_account_allows(capsys, free, printed):
    """Ten are enough, a hundred must stay unreserved, and an account with fewer has none to reserve."""
    out, err = deploy(capsys, Account(free))

    assert ("" if printed is None else f"-c batch_concurrency={printed}\n") == out
    assert (f"Reserving {printed} of" if printed else f"{free} concurrent Lambda invocations to spare") in err


def test_what_is_reserved_already_counts_as_free(capsys, refusing_line):
    """A second deployment passes the same number, although the first one's is no longer free."""
    clients = Clients(refusing_line.session)
    other, ours = (refusing_line.function(module).name for module in ("sweeper", "batch_invoke"))
    clients.functions.put_function_concurrency(FunctionName=other, ReservedConcurrentExecutions=895)
    first, _ = deploy(capsys, clients, "-c", f"stack_name={STACK}")
    clients.functions.put_function_concurrency(FunctionName=ours, ReservedConcurrentExecutions=5)

    second, _ = deploy(capsys, clients, "-c", f"stack_name={STACK}")

    assert ["-c batch_concurrency=5\n"] * 2 == [first, second]


@pytest.mark.parametrize("number", [1, 50, "20"])
def test_cdk_json_decides(capsys, monkeypatch, tmp_path, number):
    """Where cdk.json has a number nothing is passed, and nothing is asked."""
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"batch_concurrency": number}}))
    monkeypatch.setattr(preflight, "ROOT", tmp_path)

    out, err = deploy(capsys, Account(0, error=AssertionError()))

    assert ("", 1) == (out, len(err.splitlines()))  # whose account it is


@pytest.mark.parametrize(
    "options",
    [
        ["-c", "batch_concurrency=20"],
        ["--context", "batch_concurrency=20"],
        ["--require-approval", "never", "--context=batch_concurrency=20", "--profile", "someone"],
    ],
)
def test_an_option_decides(capsys, options):
    """The same where CDK_OPTIONS has one."""
    out, err = deploy(capsys, Account(0, error=AssertionError()), *options)

    assert ("", 1) == (out, len(err.splitlines()))


@pytest.mark.slow
def test_make_deploy_passes_it():
    """The Makefile gives the program the options of the CDK, and the CDK what it prints, before them."""
    made = subprocess.run(
        ["make", "--dry-run", "deploy", "CDK_OPTIONS=-c slots=10"],
        cwd=preflight.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert "tools/preflight.py deploy -c slots=10)" in made
    assert "$found -c slots=10" in made


def test_the_account_may_not_be_asked(capsys):
    """Whoever deploys through the CDK's roles alone still deploys, and reads what follows."""
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetAccountSettings")

    out, err = deploy(capsys, Account(0, error=denied))

    assert ("", True) == (out, "No concurrency is reserved for S3 Batch" in err)

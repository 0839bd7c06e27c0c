"""What `make bootstrap`, `deploy` and `destroy` check first: credentials and a Region, and that the settings name your buckets.

Without this the CDK CLI answers, after half a minute and in words of its own; and it deploys the example bucket without a word.
For `deploy`, stdout has the CDK's options that depend on the account. `frames` and `annotations` check nothing: their exit code is
0 if the settings deploy these, whose layer must be built first, else 1.
"""

import sys
from pathlib import Path

if __name__ == "__main__":  # before anything is imported that only the project's environment has
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tools.environment import enter

    enter()

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from tools.lib.aws import DEFAULT_STACK, Clients, connect, explain
from tools.lib.cli import ROOT, Terminal, ending
from tools.lib.doctor import to_reserve
from tools.lib.errors import ToolError

# AWS keeps names that begin so for examples, so they are never anyone's buckets.
EXAMPLE = "amzn-s3-demo-"

# The setting that needs each layer.
_LAYERS = {"frames": "frames", "annotations": "annotate_objects"}


def main(arguments: Sequence[str], connected: Callable[[str | None, str | None], Clients] = connect) -> None:
    """Check what the target needs that is named first; the other arguments are those of the CDK CLI.

    Exits with 1, the cause and the cure, where something is missing.
    """
    given, _ = _parser().parse_known_args(arguments)
    terminal = Terminal(as_json=False, out=sys.stdout, err=sys.stderr, interactive=False)
    context = _context(given.context)
    if given.target in _LAYERS:
        sys.exit(0 if context.get(_LAYERS[given.target]) in (True, "true") else 1)
    with ending(terminal, debug=False):
        clients = connected(given.profile, None)
        identity = clients.sts.get_caller_identity()
        terminal.info(f"Account {identity['Account']}, {clients.sts.meta.region_name}, as {identity['Arn']}")
        fault = None if given.target == "destroy" else _fault_of(_buckets(context))
        if fault is not None and given.target == "deploy":
            raise fault
        if fault is not None:
            terminal.info(f"Warning: {fault} `make deploy` will refuse that. {fault.cure}")
        if given.target == "deploy" and context.get("batch_concurrency") in (None, ""):
            _reserve(clients, str(context.get("stack_name", DEFAULT_STACK)), terminal)


def _reserve(clients: Clients, stack_name: str, terminal: Terminal) -> None:
    """Write the option that reserves invocations for S3 Batch; none where the account has too few or does not say."""
    try:
        number, why = to_reserve(clients, stack_name)
    except ClientError as error:
        if fault_of(error) is not Fault.FORBIDDEN:
            raise
        number, why = (
            None,
            f'{explain(error)} No concurrency is reserved for S3 Batch; set "batch_concurrency" in cdk.json to do so.',
        )
    terminal.info(why)
    if number is not None:
        terminal.write(f"-c batch_concurrency={number}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tools/preflight.py", description="Check what the CDK CLI needs.", allow_abbrev=False)
    parser.add_argument("target", choices=["bootstrap", "deploy", "destroy", *_LAYERS], help="the target of make, or a layer")
    parser.add_argument("--profile", help="the AWS profile, as the CDK CLI takes it")
    parser.add_argument("-c", "--context", action="append", default=[], metavar="KEY=VALUE", help="as the CDK CLI takes it")
    return parser


def _context(passed: Sequence[str]) -> Mapping[str, Any]:
    """Return the context of cdk.json with that of the command line; where cdk.json is not valid, app.py says what is wrong."""
    try:
        written = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    except (OSError, ValueError, KeyError, TypeError):
        written = {}
    return {**(written if isinstance(written, dict) else {}), **dict(each.partition("=")[::2] for each in passed)}


def _buckets(context: Mapping[str, Any]) -> list[str]:
    """Return the source buckets; none where app.py will say what is wrong with them."""
    named = context.get("source_buckets", [])
    return [str(name) for name in named] if isinstance(named, list) else str(named).split(",")


def _fault_of(buckets: Sequence[str]) -> ToolError | None:
    examples = [name for name in buckets if name.startswith(EXAMPLE)]
    if not examples:
        return None
    return ToolError(
        f"source_buckets in cdk.json names {', '.join(examples)}: names that begin with {EXAMPLE} are AWS's examples.",
        cure='Name the buckets with your videos there, or for one run with CDK_OPTIONS="-c source_buckets=my-videos".',
    )


if __name__ == "__main__":
    main(sys.argv[1:])

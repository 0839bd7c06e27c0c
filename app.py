"""CDK entry: context to settings, settings to one stack. Needs no credentials, no Region, no CDK CLI, no Docker and no git."""

import sys
from pathlib import Path

if __name__ == "__main__":  # before imports that need the project's environment
    sys.path.insert(0, str(Path(__file__).resolve().parents[0]))
    from tools.environment import enter

    enter("infrastructure")

import json
import os

from stacks.node import use_bundled_node
from stacks.settings import ContextError

ROOT = Path(__file__).resolve().parent


def main() -> int:
    """Synthesise into `$CDK_OUTDIR` or `cdk.out`; return 0, or 2 if the context is invalid."""
    use_bundled_node()
    # Importing aws_cdk starts Node.
    from stacks.app import synthesise  # noqa: PLC0415  # Node must be chosen before

    outdir = Path(os.environ.get("CDK_OUTDIR") or ROOT / "cdk.out")
    try:
        warnings = synthesise(root=ROOT, context=_cdk_json_context(), outdir=outdir)
    except ContextError as error:
        print(error, file=sys.stderr)  # noqa: T201  # a program talks on stderr
        return 2
    for line in (*warnings, f"Synthesised into {outdir}"):
        print(line, file=sys.stderr)  # noqa: T201  # a program talks on stderr
    return 0


def _cdk_json_context() -> dict[str, object]:
    """Return the context of cdk.json, for `python app.py`; the CDK CLI passes it in CDK_CONTEXT_JSON, too."""
    try:
        content: dict[str, dict[str, object]] = json.loads((ROOT / "cdk.json").read_text("utf-8"))
    except ValueError as error:
        raise ContextError(f"cdk.json is not valid JSON: {error}; fix it there.") from error
    return content.get("context", {})


if __name__ == "__main__":
    sys.exit(main())

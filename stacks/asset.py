"""What is uploaded to Lambda: the package `handlers`, and nothing else of the repository."""

from pathlib import Path

from aws_cdk import IgnoreMode
from aws_cdk import aws_lambda as lambda_

# Read as a .gitignore, where the last match wins: the folders of `handlers` and the Python source in them, without byte code.
ONLY_HANDLERS = ["*", "!handlers/", "!handlers/**/", "!handlers/**/*.py", "__pycache__/"]


def handlers_code(root: Path) -> lambda_.Code:
    """Return the code of all functions: one upload whose modules bear the names they have in the repository.

    The asset's hash depends on the Python source in `root`/handlers alone, so that byte code, caches and anything outside it
    change no template.
    """
    return lambda_.Code.from_asset(str(root), exclude=ONLY_HANDLERS, ignore_mode=IgnoreMode.GIT)

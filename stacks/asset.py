"""The code asset of the functions: the package `handlers` alone."""

from pathlib import Path

from aws_cdk import IgnoreMode
from aws_cdk import aws_lambda as lambda_

# In the syntax of .gitignore, where the last match wins: the folders of `handlers` and their Python source, without byte code.
ONLY_HANDLERS = ["*", "!handlers/", "!handlers/**/", "!handlers/**/*.py", "__pycache__/"]


def handlers_code(root: Path) -> lambda_.Code:
    """Return the code of all functions: one asset, in which modules have the same dotted names as in the repository.

    Its hash depends on the Python source in `root`/handlers alone, so byte code, caches and other files do not change the template.
    """
    return lambda_.Code.from_asset(str(root), exclude=ONLY_HANDLERS, ignore_mode=IgnoreMode.GIT)

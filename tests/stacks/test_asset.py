"""What is uploaded to Lambda."""

import re

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_

from stacks.asset import handlers_code

SOURCE = {"handlers/__init__.py": "", "handlers/edge.py": "def handler(): ...", "handlers/domain/__init__.py": ""}
FOREIGN = {
    "handlers/__pycache__/edge.cpython-311.pyc": "byte code",
    "handlers/domain/__pycache__/x.py": "in the wrong place",
    "handlers/.DS_Store": "a file manager's",
    "handlers/edge.py.orig": "a merge's",
    "handlers.py": "not the package",
    "app.py": "the stack",
    "tools/handlers/x.py": "another folder of that name",
    "tests/handlers/test_edge.py": "tests",
    ".venv/lib/handlers/x.py": "a virtual environment",
    "cdk.out/asset.1/handlers/x.py": "an older assembly",
    ".git/config": "git",
}


def write(root, files):
    """Put files into a folder."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def staged(root, outdir):
    """Return the name (with the hash) and the files of the asset that is made of a repository."""
    app = App(outdir=str(outdir), analytics_reporting=False)
    lambda_.Function(Stack(app, "Stack"), "F", code=handlers_code(root), handler="x.y", runtime=lambda_.Runtime.PYTHON_3_14)
    app.synth()
    (folder,) = outdir.glob("asset.*")
    return folder.name, {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_foreign_files_change_nothing(tmp_path):
    """Byte code, caches, tests, environments and older assemblies neither get into the asset nor change its hash."""
    write(tmp_path / "clean", SOURCE)
    write(tmp_path / "littered", SOURCE | FOREIGN)

    clean = staged(tmp_path / "clean", tmp_path / "out1")
    littered = staged(tmp_path / "littered", tmp_path / "out2")

    assert clean[1] == set(SOURCE)
    assert littered == clean


@pytest.mark.parametrize("path", SOURCE)
def test_source_changes_the_hash(tmp_path, path):
    """A change of any module makes another asset, so that it is deployed."""
    write(tmp_path / "before", SOURCE)
    write(tmp_path / "after", SOURCE | {path: "changed"})

    assert staged(tmp_path / "before", tmp_path / "out1")[0] != staged(tmp_path / "after", tmp_path / "out2")[0]


def test_real_asset_is_the_package(synthesised, root):
    """The asset holds every module of `handlers`, under the names they have in the repository, and no empty folder of others."""
    (folder,) = synthesised().glob("asset.*")

    modules = {str(path.relative_to(root)) for path in (root / "handlers").rglob("*.py") if "__pycache__" not in path.parts}

    assert modules == {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert ["handlers"] == [path.name for path in folder.iterdir()]


def test_handlers_hold_source_only(root):
    """Nothing but Python lies in `handlers`: a data file would not be uploaded."""
    files = [path for path in (root / "handlers").rglob("*") if path.is_file() and "__pycache__" not in path.parts]

    assert [] == [path for path in files if path.suffix != ".py" and not path.name.startswith(".")]


def test_all_functions_share_one_upload(functions):
    """One asset serves all functions."""
    keys = {properties["Code"]["S3Key"] for properties in functions.values()}

    assert len(keys) == 1
    assert re.fullmatch(r"[0-9a-f]{64}\.zip", keys.pop())

"""A rehearsal deploys the snapshot if that was made from the same settings, otherwise what app.py makes."""

import json
import re
import shutil

import pytest

from tests.once import synthesised
from tools.lib.errors import ToolError
from tools.rehearsal import assembly

HASH = re.compile(r"[0-9a-f]{64}")


@pytest.fixture(name="project")
def _project(tmp_path, monkeypatch):
    """Return a copy of the project, in which settings may be changed."""
    project = tmp_path / "project"
    for folder in ("handlers", "stacks", "tools"):
        shutil.copytree(assembly.ROOT / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "cdk.json", "pyproject.toml"):
        shutil.copy(assembly.ROOT / name, project)
    monkeypatch.setattr(assembly, "ROOT", project)
    return project


def change(project, **settings):
    """Change settings in cdk.json."""
    path = project / "cdk.json"
    content = json.loads(path.read_text("utf-8"))
    content["context"] |= settings
    path.write_text(json.dumps(content), "utf-8")


def template(folder):
    """Return the template of an assembly, and the hashes of code in it."""
    text = (folder / "VideoModeration.template.json").read_text("utf-8")
    return json.loads(HASH.sub("", text)), set(HASH.findall(text))


def code(folder):
    """Return the files of the functions' asset."""
    [asset] = [each for each in folder.glob("asset.*") if (each / "handlers").is_dir()]
    return {path.relative_to(asset): path.read_bytes() for path in asset.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_the_snapshot_is_what_app_py_makes(tmp_path, tmp_path_factory):
    """Template and code are those of a synthesis, except for the hashes of code and layer."""
    assembly.from_snapshot(tmp_path)

    made = synthesised(tmp_path_factory, **assembly.CONTEXT)
    assert template(made)[0] == template(tmp_path)[0]
    assert code(made) == code(tmp_path)


def test_functions_run_the_code_that_was_uploaded(tmp_path):
    """The template names the archive that the asset manifest uploads."""
    assembly.from_snapshot(tmp_path)

    [(digest, asset)] = json.loads((tmp_path / "VideoModeration.assets.json").read_text("utf-8"))["files"].items()
    assert template(tmp_path)[1] == {digest}
    assert asset["destinations"]["current"]["objectKey"] == f"{digest}.zip"


def test_changed_code_is_another_asset(project, tmp_path):
    """The present source is deployed."""
    before, after = tmp_path / "before", tmp_path / "after"
    for folder in (before, after):
        folder.mkdir()
        assembly.from_snapshot(folder)
        (project / "handlers" / "wiring.py").write_text("changed", "utf-8")

    assert b"changed" in code(after).values()
    assert template(before)[1] != template(after)[1]


@pytest.mark.parametrize(
    ("settings", "fits"),
    [({}, True), ({"alert_email": "me@example.com", "source_buckets": ["mine"]}, True), ({"slots": 3}, False)],
)
def test_the_snapshot_fits_the_settings_it_was_made_of(project, settings, fits):
    """Another template is needed if a setting was changed that a rehearsal does not override."""
    change(project, **settings)

    assert assembly.snapshot_fits() is fits


@pytest.mark.parametrize("text", ["{", "{}"])
def test_settings_that_cannot_be_read_fit_nothing(project, text):
    """A broken cdk.json is left to app.py, which says what is wrong."""
    (project / "cdk.json").write_text(text)

    assert not assembly.snapshot_fits()


@pytest.mark.slow
def test_own_settings_are_synthesised(project, tmp_path):
    """The template has the settings of cdk.json, except those that a rehearsal overrides."""
    change(project, slots=3, alert_email="me@example.com")

    assembly.synthesise(tmp_path / "cdk.out")

    text = (tmp_path / "cdk.out" / "VideoModeration.template.json").read_text("utf-8")
    assert '"SLOTS": "3"' in text
    assert '"reviewer@example.com"' in text
    assert "me@example.com" not in text


@pytest.mark.parametrize(
    ("program", "message", "cure"),
    [
        ("sys.exit('Error: app.py needs aws-cdk-lib.\\nCure:  Run `make setup`.')", "make setup", "Follow that message"),
        ("sys.stderr.write('slots: at most 20'); sys.exit(2)", "slots: at most 20", "Fix cdk.json"),
    ],
)
def test_the_message_of_app_py_is_passed_on(project, tmp_path, program, message, cure):
    """If app.py fails, the error has its message, and a cure for a missing CDK or for bad settings."""
    (project / "app.py").write_text(f"import sys\n{program}\n")

    with pytest.raises(ToolError, match=re.escape(message)) as refused:
        assembly.synthesise(tmp_path / "cdk.out")

    assert refused.value.cure.startswith(cure)


@pytest.mark.slow
def test_layer():
    """The layer of frames is looked for where the stack takes it from, which is where make package builds it."""
    from stacks import app  # noqa: PLC0415 # starts Node: only for this test

    makefile = (assembly.ROOT / "Makefile").read_text("utf-8")

    assert assembly.LAYER == app.MEDIA
    assert f"--target {app.MEDIA}/python " in makefile

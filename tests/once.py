"""Expensive things that are the same for all tests, made once a run by the pytest-xdist worker that first asks for them."""

import fcntl
import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def made_once(factory, name, make):
    """Return a folder that `make(folder)` has filled; other workers wait for it, and if it raises, the next one tries again.

    `factory` is pytest's `tmp_path_factory`: the folder lasts as long as the run's others.
    """
    root = _shared(factory)
    folder, done = root / name, root / f"{name}.done"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def found_once(factory, name, find):
    """Return what `find()` returned to the first worker that called it; the value must be picklable."""
    folder = made_once(factory, name, lambda folder: (folder / "value").write_bytes(pickle.dumps(find())))
    return pickle.loads((folder / "value").read_bytes())


def shipped_context():
    """Return the context in cdk.json."""
    return json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]


def synthesised(factory, **changes):
    """Return the assembly of the shipped context with changes, synthesised in this process."""
    context = shipped_context() | changes

    def make(outdir):
        from stacks.app import synthesise  # noqa: PLC0415 # starts Node: only when a test asks for it

        # The layer for frames is not built for tests.
        media = outdir / "media"
        (media / "python").mkdir(parents=True)
        (media / "python" / "av.py").write_text("# in place of PyAV\n")
        sdk = outdir / "sdk"
        (sdk / "python").mkdir(parents=True)
        (sdk / "python" / "boto3.py").write_text("# in place of boto3\n")
        synthesise(root=ROOT, context=context, outdir=outdir, media=media, sdk=sdk)

    return made_once(factory, f"synthesised-{_digest(context)}", make)


def assembled(factory, **context):
    """Return the assembly that `python app.py` makes, with changes of the context."""
    return made_once(factory, f"assembled-{_digest(context)}", lambda outdir: assemble(outdir, **context))


def assemble(outdir, **context):
    """Have `python app.py` make an assembly, with changes of the context."""
    environment = {**os.environ, "CDK_OUTDIR": str(outdir), "CDK_CONTEXT_JSON": json.dumps(context)}
    done = subprocess.run([sys.executable, ROOT / "app.py"], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _shared(factory):
    """Return the folder of the run; each worker has a folder of its own in it."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def _digest(context):
    return hashlib.sha256(json.dumps(context, sort_keys=True).encode()).hexdigest()[:16]

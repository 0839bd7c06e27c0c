"""What a rehearsal deploys: the committed template, or if cdk.json was changed the one that `app.py` makes.

Thanks to the snapshot (`python -m tests.pins` renews it) a rehearsal needs neither the CDK nor Node, the largest parts of an
environment.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.lib.errors import ToolError

ROOT = Path(__file__).resolve().parents[2]
STACK = "VideoModeration"
BUCKET = "amzn-s3-demo-bucket"
REVIEWER = "reviewer@example.com"
# Overrides that of cdk.json; the concurrency is what `make deploy` passes.
CONTEXT = {
    "stack_name": STACK,
    "alert_email": REVIEWER,
    "source_buckets": [BUCKET],
    "batch_concurrency": 10,
    "watch": [{"bucket": BUCKET, "prefixes": ["uploads/"]}],
    "frames": True,
    "images_per_second": 50,
    "frames_workers": 2,  # each is a process of its own here, and a laptop has few processors
    "publish_events": True,
    "tag_objects": True,
}
SNAPSHOT = ROOT / "stacks" / "snapshot.json"
# The layer that `make package` builds for frames. The offline world uses this machine's FFmpeg, but a synthesis needs the folder.
LAYER = Path("build", "media-layer")
# In the snapshot in place of the assets' hashes, which change with every line of the functions. The layer gets their code, too.
HASH = "<hash of the asset>"
_CONTEXT_FAULT = 2  # the exit code of app.py for a bad context


def snapshot_fits() -> bool:
    """Tell whether the snapshot was made from the settings that cdk.json has now."""
    try:
        settings = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    except (ValueError, KeyError):
        return False  # app.py will say what is wrong
    return bool(_snapshot()["context"] == {**settings, **CONTEXT})


def from_snapshot(outdir: Path) -> None:
    """Write an assembly with the snapshot's template and the current code of the functions."""
    digest = _write_code(outdir)
    template = f"{STACK}.template.json"
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": template}}
    asset = {
        "source": {"path": f"asset.{digest}", "packaging": "zip"},
        "destinations": {
            "current": {
                "bucketName": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}",
                "objectKey": f"{digest}.zip",
            }
        },
    }
    contents = {
        "manifest.json": {"artifacts": {STACK: stack}},
        f"{STACK}.assets.json": {"files": {digest: asset}},
        template: _snapshot()["template"],
    }
    for name, content in contents.items():
        (outdir / name).write_text(json.dumps(content, indent=1).replace(HASH, digest), encoding="utf-8")


def synthesise(outdir: Path) -> None:
    """Have `app.py` write the assembly, with frames if their layer was built.

    Raises:
        ToolError: app.py failed: cdk.json is wrong, or the environment lacks the CDK.
    """
    context = {**CONTEXT, "frames": (ROOT / LAYER).is_dir()}
    environment = {**os.environ, "CDK_OUTDIR": str(outdir), "CDK_CONTEXT_JSON": json.dumps(context)}
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, ROOT / "app.py"], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        cure = "Fix cdk.json" if done.returncode == _CONTEXT_FAULT else "Follow that message"
        raise ToolError(f"python app.py ended with {done.returncode}: {done.stderr.strip()}", cure=f"{cure}, then rehearse again.")


def _snapshot() -> dict[str, Any]:
    snapshot: dict[str, Any] = json.loads(SNAPSHOT.read_text("utf-8"))
    return snapshot


def _write_code(outdir: Path) -> str:
    """Copy what `stacks/asset.py` uploads, and return its hash."""
    modules = sorted((ROOT / "handlers").rglob("*.py"))
    code = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in modules}
    digest = hashlib.sha256(repr(code).encode()).hexdigest()
    for name, body in code.items():
        path = outdir / f"asset.{digest}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return digest

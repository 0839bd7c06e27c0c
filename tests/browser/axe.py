"""axe-core, fetched from the npm registry once and checked against a pinned hash."""

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path

VERSION = "4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
_BUILD = Path(__file__).parent.parent.parent / "build" / "axe"
_STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def source():
    """Return axe-core's script."""
    script = _BUILD / f"axe-{VERSION}.min.js"
    if not script.exists():
        _fetch(script)
    text = script.read_bytes()
    found = hashlib.sha256(text).hexdigest()
    if found != SHA256:
        raise RuntimeError(f"{script} has the SHA-256 {found}, not that of axe-core {VERSION}")
    return text.decode()


def findings(page):
    """Return what axe finds on a page that matters, each as (rule, impact, the elements)."""
    page.evaluate(source())
    result = page.evaluate("(tags) => axe.run(document, { runOnly: tags })", _STANDARDS)
    return [
        (found["id"], found["impact"], [node["html"] for node in found["nodes"]])
        for found in result["violations"]
        if found["impact"] in ("serious", "critical")
    ]


def _fetch(script):
    _BUILD.mkdir(parents=True, exist_ok=True)
    npm = Path(sys.executable).with_name("npm")
    subprocess.run(
        [npm, "pack", "--silent", f"axe-core@{VERSION}", "--pack-destination", _BUILD], check=True, capture_output=True, timeout=120
    )
    with tarfile.open(_BUILD / f"axe-core-{VERSION}.tgz") as package:
        script.write_bytes(package.extractfile("package/axe.min.js").read())

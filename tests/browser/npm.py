"""Packages of the npm registry, fetched once by the bundled npm and checked against a pinned hash."""

import hashlib
import subprocess
import sys
import tarfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

_BUILD = Path(__file__).parent.parent.parent / "build" / "npm"


def package(name, version, sha256):
    """Return the folder of a package, whose tarball must have this SHA-256."""
    folder = _BUILD / f"{name}-{version}-{sha256[:16]}"
    if not folder.exists():
        _BUILD.mkdir(parents=True, exist_ok=True)
        npm = Path(sys.executable).with_name("npm")
        # One folder a process: two may fetch at once.
        with TemporaryDirectory(dir=_BUILD) as fetched:
            _fetch(npm, name, version, sha256, Path(fetched))
            with suppress(OSError):
                (Path(fetched) / "package").rename(folder)
    return folder


def _fetch(npm, name, version, sha256, folder):
    command = [npm, "pack", "--silent", f"{name}@{version}", "--pack-destination", folder]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    tarball = folder / f"{name}-{version}.tgz"
    found = hashlib.sha256(tarball.read_bytes()).hexdigest()
    if found != sha256:
        raise RuntimeError(f"{name} {version} of the npm registry has the SHA-256 {found}, not {sha256}")
    with tarfile.open(tarball) as opened:
        opened.extractall(folder, filter="data")

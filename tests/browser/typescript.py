"""Check the modules of the page with TypeScript: `python -m tests.browser.typescript`, a part of `make lint`."""

import os
import subprocess
import sys
from pathlib import Path

from tests.browser import npm

ROOT = Path(__file__).parent.parent.parent
VERSION = "6.0.3"
SHA256 = "33cd0ee1beaa8c9e9d15a9da836c62ddea4c34a42d7c2d349dbc80d94165d22a"


def check(project=ROOT / "tsconfig.json"):
    """Return how the compiler ends, and what it says, of the scripts that a configuration names."""
    compiler = npm.package("typescript", VERSION, SHA256) / "lib" / "tsc.js"
    node = Path(sys.executable).with_name("node")
    command = [node, compiler, "--project", project, "--pretty", "false"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False, env={**os.environ})
    return done.returncode, done.stdout + done.stderr


if __name__ == "__main__":
    code, output = check()
    sys.stderr.write(output)
    sys.exit(code)

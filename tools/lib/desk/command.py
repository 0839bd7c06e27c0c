"""One run of `review_report.py serve`: a desk on a port of this machine, until Ctrl-C."""

from __future__ import annotations

import tempfile
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from tools.lib.cli import Invocation, user_name
from tools.lib.review import SampleChoice
from tools.lib.scans import find
from tools.lib.text import counted


@dataclass(frozen=True, slots=True)
class Served:
    """The result of a session at the desk."""

    scan_ids: Sequence[str]
    decisions: int

    def sentences(self) -> list[str]:
        return [f"The desk is closed: {counted(self.decisions, 'decision')} about {', '.join(self.scan_ids)} written."]

    def as_json(self) -> dict[str, Any]:
        return {"scan_ids": [*self.scan_ids], "decisions": self.decisions}


def serve_desk(run: Invocation, scan_ids: Sequence[str], sample: SampleChoice, *, port: int, browser: bool) -> Served:
    """Serve the reviews of some scans, by default of the newest, to one browser of this machine until Ctrl-C."""
    from tools.lib.desk.server import DeskServer  # noqa: PLC0415 - takes a third of a second, and only this command needs it

    scans = [find(run.table.scans, scan_id) for scan_id in dict.fromkeys(scan_ids)] or [find(run.table.scans)]
    server = DeskServer(run, scans, sample, decided_by=user_name(), port=port)
    run.terminal.info(f"The desk is at {server.address}\nThe address works once. Press Ctrl-C to close the desk.")
    with _shown(server.address) if browser else nullcontext():
        server.run()
    return Served([scan.id for scan in scans], server.decisions)


@contextmanager
def _shown(address: str) -> Iterator[None]:
    """Open an address in the browser, by a private file: every user of a machine sees the arguments of its programs."""
    with tempfile.TemporaryDirectory(prefix="desk-") as folder:
        page = Path(folder) / "desk.html"
        refresh = escape(f"0; url={address}", quote=True)
        page.write_text(
            f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="{refresh}"><title>Desk</title>', "utf-8"
        )
        # Not waited for: a browser that runs in the foreground, as on a terminal, ends when its user leaves it.
        threading.Thread(target=webbrowser.open, args=(page.as_uri(),), daemon=True).start()
        yield

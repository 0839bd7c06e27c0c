"""The inventory of all `--json` output in `docs/json.md`, made of what the pins saw the programs print."""

import json

from tests.docs.helptexts import BEGIN, END, ROOT
from tests.pins.pinned import FIXTURES, merged

PAGE = ROOT / "docs" / "json.md"

# What is printed, by the command lines that print it: the file of pins, and the names in it (none: the whole file).
OUTPUTS = {
    ("submit_job.py --check", "control_scan.py doctor"): ("submit_job", "check"),
    ("submit_job.py --dry-run",): ("submit_job", "plan", "plan with an estimate"),
    ("submit_job.py",): ("submit_job", "submit", "submit to the express lane"),
    ("submit_job.py --wait", "review_report.py retry --wait"): ("submit_job_wait",),
    ("control_scan.py status",): ("control_scan", "status", "status of a scan"),
    ("control_scan.py list",): ("control_scan", "list"),
    ("control_scan.py pause", "control_scan.py resume"): ("control_scan", "pause", "resume"),
    ("control_scan.py pause SCAN", "control_scan.py resume SCAN"): ("control_scan", "pause a scan", "resume a scan"),
    ("control_scan.py slots",): ("control_scan", "slots"),
    ("control_scan.py cancel",): ("control_scan", "cancel"),
    ("control_scan.py redrive",): ("control_scan", "redrive"),
    ("control_scan.py republish SCAN",): ("control_scan", "republish a scan"),
    ("control_scan.py republish s3://bucket/key",): ("control_scan", "republish an object"),
    ("control_scan.py coverage",): ("control_scan", "coverage"),
    ("control_scan.py gate",): ("control_scan", "gate"),
    ("control_scan.py watch on", "control_scan.py watch off"): ("control_scan_watch", "watch on", "watch off"),
    ("control_scan.py watch status",): ("control_scan_watch", "watch status"),
    ("control_scan.py watch pause", "control_scan.py watch resume"): ("control_scan_watch", "watch pause", "watch resume"),
    ("control_scan.py watch release",): ("control_scan_watch", "watch release"),
    ("review_report.py show", "review_report.py page", "review_report.py export"): (
        *("review_report", "review", "review of a job", "review of a sample"),
        "review of a day",
    ),
    ("review_report.py apply",): ("review_report", "decisions applied", "decisions refused"),
    ("review_report.py retry --dry-run",): ("review_report", "retry, dry run", "retry of a day, dry run"),
    ("review_report.py retry",): ("review_report", "retry", "retry of a day"),
    ("review_report.py policy",): (
        *("review_report", "policy", "policy applied", "policy with lower thresholds"),
        "policy below what is reported",
    ),
    ("review_report.py serve",): ("review_report", "desk"),
    ("review_report.py video",): ("review_report", "history of a video"),
    ("review_report.py list",): ("review_report", "scans since"),
}


def shape(file, *names):
    """Return the shape of one output, merged of all that the pins saw of it."""
    pinned = json.loads((FIXTURES / "json" / f"{file}.json").read_text("utf-8"))
    return merged(*(pinned[name] for name in names)) if names else pinned


def rows():
    """Yield what prints a key, the path of the key, and what its value is."""
    for commands, where in OUTPUTS.items():
        for path, value in _paths("", shape(*where)):
            yield ", ".join(f"`{command}`" for command in commands), path, value


def written():
    """Return the text of the page with today's inventory between the marks."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = [f"| {commands} | `{path}` | {value} |" for commands, path, value in rows()]
    return "\n".join([f"{before}{BEGIN}\n", "| printed by | key | value |", "|---|---|---|", *lines, f"\n{END}{after}"])


def objects(value):
    """Yield every object in a shape."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(each)


def _paths(path, value):
    if isinstance(value, list):
        yield from _paths(f"{path}[]", value[0]) if value else [(f"{path}[]", "")]
        return
    if not isinstance(value, dict) or path == "plan":
        yield path, "what `--dry-run` prints" if path == "plan" else value or "null"
        return
    if not value:
        yield path, "object"
    for name, each in value.items():
        yield from _paths(f"{path}.{name}" if path else name, each)

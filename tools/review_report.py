"""Review a scan: completion report, manifest and table joined, so that every object is accounted for; and act on what was found."""

import sys
from pathlib import Path

if __name__ == "__main__":  # before anything is imported that only the project's environment has
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tools.environment import enter

    enter()


from datetime import datetime
from typing import Unpack

import click

from handlers.domain.identity import Video
from handlers.domain.languages import LANGUAGES
from tools.lib.cli.commands import DefaultGroup, Invocation, command
from tools.lib.cli.output import EXIT_CODES, CommandResult, ExitCode
from tools.lib.cli.params import Moment, ObjectUri
from tools.lib.cli.program import CONTEXT_SETTINGS, version_option
from tools.lib.rejudge.command import Rejudging
from tools.lib.rejudge.comparison import Comparison
from tools.lib.retry.command import RetryRun
from tools.lib.review import apply as decisions
from tools.lib.review import former_options
from tools.lib.review.apply import Applied
from tools.lib.review.command import Files, ReviewRun
from tools.lib.review.export import Form, Rows
from tools.lib.review.history import History, history_of
from tools.lib.review.inputs import ScanChoice, ScanOptions, scan_options
from tools.lib.review.summary import Review
from tools.lib.scans.status import past, progress_of, scan_list
from tools.lib.submit.options import SubmitOptions, submit_options

_NEW_FILE = click.Path(dir_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=DefaultGroup, default="show", former=former_options.answer, epilog=EXIT_CODES, context_settings=CONTEXT_SETTINGS)
@version_option
def main() -> None:
    """Report what became of every object of a scan, and act on it. Without a command: `show`.

    \b
    python tools/review_report.py
    python tools/review_report.py --scan 01JD8Z0Q4N6T9W2XK5C7R3VBHM
    python tools/review_report.py page review.html
    python tools/review_report.py retry --dry-run
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped


@main.command(epilog=EXIT_CODES)
@scan_options
@command
def show(run: Invocation, **which: Unpack[ScanOptions]) -> Review:
    """Count the objects of a scan in each state, and list what was flagged and what failed and why.

    \b
    python tools/review_report.py
    python tools/review_report.py show --scan 01JD8Z0Q4N6T9W2XK5C7R3VBHM
    python tools/review_report.py --json | jq -r '.flagged[].key'
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return _review(run, Files(), which)


@main.command(epilog=EXIT_CODES)
@click.argument("file", type=_NEW_FILE)
@click.option("--language", type=click.Choice(list(LANGUAGES)), help="Language of the page.  [default: the deployment's]")
@scan_options
@command
def page(run: Invocation, *, file: Path, language: str | None, **which: Unpack[ScanOptions]) -> Review:
    """Write to FILE a page to look through and decide on; it opens from disk. What `show` says is shown too.

    \b
    python tools/review_report.py page review.html
    python tools/review_report.py page review.html --scan 01JD8Z0Q4N6T9W2XK5C7R3VBHM
    python tools/review_report.py page revision.html --language es
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return _review(run, Files(html=file, language=language), which)


@main.command(epilog=EXIT_CODES)
@click.option("--csv", type=_NEW_FILE, metavar="FILE", help="Write CSV, for a spreadsheet.")
@click.option("--jsonl", type=_NEW_FILE, metavar="FILE", help="Write JSON Lines, for a program.")
@click.option(
    "--rows", type=click.Choice([rows.value for rows in Rows]), default=Rows.VIDEOS.value, show_default=True, help="What a row is."
)
@scan_options
@command
def export(run: Invocation, *, csv: Path | None, jsonl: Path | None, rows: str, **which: Unpack[ScanOptions]) -> Review:
    """Write a row for each video, or for each of its segments. What `show` says is shown too.

    \b
    python tools/review_report.py export --csv videos.csv
    python tools/review_report.py export --jsonl segments.jsonl --rows segments
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    exports = tuple((form, path) for form, path in ((Form.CSV, csv), (Form.JSONL, jsonl)) if path)
    if not exports:
        raise click.UsageError("Pass --csv FILE, --jsonl FILE, or both.")
    return _review(run, Files(exports=exports, rows=Rows(rows)), which)


@main.command(epilog=EXIT_CODES)
@click.argument("file", type=_FILE)
@click.option("--scan", metavar="ID", help="Refuse a file whose decisions are about another scan.")
@click.option("--decided-by", metavar="NAME", help="Who decided, where the file does not say.")
@command
def apply(run: Invocation, *, file: Path, scan: str | None, decided_by: str | None) -> Applied:
    """Write to the table the decisions in FILE, which the page exported.

    \b
    python tools/review_report.py apply decisions.json
    python tools/review_report.py apply decisions.json --decided-by 'Ada Lovelace'
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return decisions.apply(run, file, scan_id=scan, decided_by=decided_by)


@main.command(epilog=EXIT_CODES)
@click.option("--all-failed", is_flag=True, help="Retry everything that failed, whatever the reason.")
@scan_options
@submit_options("Show what would be retried and why, and change nothing.")
@command
def retry(run: Invocation, *, all_failed: bool, how: SubmitOptions, **which: Unpack[ScanOptions]) -> ExitCode:
    """Submit again, under the same scan, what failed for a retryable reason, is stuck, or was never attempted.

    \b
    python tools/review_report.py retry --dry-run
    python tools/review_report.py retry --wait
    python tools/review_report.py retry --all-failed --yes
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    run.require_agreement("pass --yes to retry, or --dry-run to see what would be retried", agreed=how.yes or how.dry_run)
    return RetryRun(run, ScanChoice.of(**which), how, all_failed=all_failed).run()


@main.command(epilog=EXIT_CODES)
@click.argument("file", type=_FILE)
@click.option("--apply", "applied", is_flag=True, help="Write the policy's verdicts to the records.")
@click.option("--mail-newly-flagged", "mail", is_flag=True, help="With --apply: mail the newly flagged videos, each once.")
@scan_options
@command
def policy(run: Invocation, *, file: Path, applied: bool, mail: bool, **which: Unpack[ScanOptions]) -> Comparison:
    """Show what the policy in FILE would make of a scan; nothing is analysed or paid again.

    \b
    python tools/review_report.py policy new.json
    python tools/review_report.py policy new.json --apply
    python tools/review_report.py policy new.json --apply --mail-newly-flagged
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    if mail and not applied:
        raise click.UsageError("--mail-newly-flagged mails what becomes flagged: it requires --apply.")
    scan = ScanChoice.of(**which).find(run)
    return Rejudging(run.table.records, run.table.scans, run.terminal).run(scan, file, apply=applied, mail=mail)


@main.command(epilog=EXIT_CODES)
@click.argument("uri", type=ObjectUri())
@command
def video(run: Invocation, *, uri: Video) -> History:
    """Show the history of one object over all scans; URI is s3://bucket/key[?versionId=...].

    \b
    python tools/review_report.py video 's3://amzn-s3-demo-bucket/2024/a b.mp4'
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return history_of(run, uri)


@main.command("list", epilog=EXIT_CODES)
@click.option("--since", type=Moment(), metavar="TIME", help="Only scans since then: 12h, 7d, 2w, or a date (UTC).")
@command
def list_scans(run: Invocation, *, since: datetime | None) -> CommandResult:
    """List scans in one line each, the newest first.

    \b
    python tools/review_report.py list
    python tools/review_report.py list --since 7d
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    after = since.timestamp() if since else None
    scans = progress_of(run, [scan for scan in run.table.scans.scans() if scan.created_at >= (after or 0)])
    return CommandResult(scan_list(scans, after), {"since": after, "scans": [past(each) for each in scans]})


def _review(run: Invocation, files: Files, which: ScanOptions) -> Review:
    return ReviewRun(run, ScanChoice.of(**which)).run(files)


if __name__ == "__main__":
    main()

"""Review a scan: completion report, manifest and table joined, so that every object is accounted for; and act on what was found."""

import sys
from pathlib import Path

if __name__ == "__main__":  # before anything is imported that only the project's environment has
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tools.environment import enter

    enter()


from datetime import datetime

import click

from handlers.domain import Video
from handlers.domain.languages import LANGUAGES
from tools.lib.cli import (
    CONTEXT_SETTINGS,
    EXISTING_FILE,
    EXIT_CODES,
    STANDARD_STREAM,
    CommandResult,
    DefaultGroup,
    ExitCode,
    Invocation,
    Moment,
    NewFile,
    ObjectUri,
    command,
    version_option,
)
from tools.lib.desk import Served, serve_desk
from tools.lib.json_keys import time_keys
from tools.lib.rejudge import Comparison, Rejudging
from tools.lib.retry import retry_scan
from tools.lib.review import (
    Applied,
    Files,
    Form,
    History,
    Review,
    Rows,
    SampleChoice,
    ScanChoice,
    answer_former_options,
    apply_decisions,
    collect_rarely,
    history_of,
    make_review,
    sample_options,
    scan_options,
)
from tools.lib.scans import newest, past, scan_list
from tools.lib.submit import SubmitOptions, submit_options


@click.group(cls=DefaultGroup, default="show", former=answer_former_options, epilog=EXIT_CODES, context_settings=CONTEXT_SETTINGS)
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
@sample_options
@scan_options
@command
def show(run: Invocation, *, choice: ScanChoice, sample: SampleChoice) -> Review:
    """Count the objects of a scan by status, and list what was flagged and what failed and why.

    \b
    python tools/review_report.py
    python tools/review_report.py show --scan 01JD8Z0Q4N6T9W2XK5C7R3VBHM
    python tools/review_report.py --sample-clean 50
    python tools/review_report.py --json | jq -r '.flagged[].key'
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return make_review(run, choice, Files(), sample)


@main.command(epilog=EXIT_CODES)
@click.argument("file", type=NewFile())
@click.option("--language", type=click.Choice(list(LANGUAGES)), help="Language of the page.  [default: the deployment's]")
@click.option("--evidence", is_flag=True, help="With frames of what was found, up to 12 of each flagged video, blurred.")
@click.option(
    "--evidence-mb", type=click.IntRange(2, 500), default=40, show_default=True, help="The most megabytes of a page with frames."
)
@sample_options
@scan_options
@command
def page(
    run: Invocation,
    *,
    file: Path,
    language: str | None,
    evidence: bool,
    evidence_mb: int,
    choice: ScanChoice,
    sample: SampleChoice,
) -> Review | ExitCode:
    """Write to FILE a page to look through and decide on; it opens from disk. Prints what `show` prints.

    \b
    python tools/review_report.py page review.html
    python tools/review_report.py page review.html --scan 01JD8Z0Q4N6T9W2XK5C7R3VBHM
    python tools/review_report.py page revision.html --language es
    python tools/review_report.py page review.html --sample-clean 50
    python tools/review_report.py page review.html --evidence
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return _reviewed(run, choice, Files(html=file, language=language, evidence_mb=evidence_mb if evidence else None), sample)


@main.command(epilog=EXIT_CODES)
@click.argument("scans", metavar="[SCAN]...", nargs=-1)
@click.option("--port", type=click.IntRange(1, 65_535), metavar="N", help="The port of 127.0.0.1; default: a free one.")
@click.option("--no-browser", is_flag=True, help="Print the address only, do not open it.")
@sample_options
@command
def serve(run: Invocation, *, scans: tuple[str, ...], port: int | None, no_browser: bool, sample: SampleChoice) -> Served:
    """Look through scans in a browser of this machine, with films and frames, and decide; until Ctrl-C. Default: the newest scan.

    \b
    python tools/review_report.py serve
    python tools/review_report.py serve 01JD8Z0Q4N6T9W2XK5C7R3VBHM --sample-clean 50
    python tools/review_report.py serve --no-browser --port 8765
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return serve_desk(run, scans, sample, port=port or 0, browser=not no_browser)


@main.command(epilog=EXIT_CODES)
@click.option("--csv", type=NewFile(), metavar="FILE", help="Write CSV, for a spreadsheet; - is stdout.")
@click.option("--jsonl", type=NewFile(), metavar="FILE", help="Write JSON Lines, for a program; - is stdout.")
@click.option(
    "--rows",
    type=click.Choice([Rows.VIDEOS.value, Rows.SEGMENTS.value]),
    default=Rows.VIDEOS.value,
    show_default=True,
    help="What a row is.",
)
@click.option("--decisions", is_flag=True, help="A row is a decision instead: each that was ever made, also withdrawn ones.")
@scan_options
@command
def export(
    run: Invocation, *, csv: Path | None, jsonl: Path | None, rows: str, decisions: bool, choice: ScanChoice
) -> Review | ExitCode:
    """Write a row for each video, for each of its segments, or for each decision about it. Prints what `show` prints.

    \b
    python tools/review_report.py export --csv videos.csv
    python tools/review_report.py export --jsonl segments.jsonl --rows segments
    python tools/review_report.py export --csv decisions.csv --decisions
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    exports = tuple((form, path) for form, path in ((Form.CSV, csv), (Form.JSONL, jsonl)) if path)
    if not exports:
        raise click.UsageError("Pass --csv FILE, --jsonl FILE, or both.")
    if decisions and rows != Rows.VIDEOS.value:
        raise click.UsageError("--decisions writes a row for each decision, --rows something else: omit one of them.")
    return _reviewed(run, choice, Files(exports=exports, rows=Rows.DECISIONS if decisions else Rows(rows)), SampleChoice())


def _reviewed(run: Invocation, choice: ScanChoice, files: Files, sample: SampleChoice) -> Review | ExitCode:
    """Write the files, and return the review; where one of them is stdout, the review goes to stderr."""
    to_stdout = [path for path in files.paths if str(path) == STANDARD_STREAM]
    if len(to_stdout) > 1:
        raise click.UsageError("Only one file can be - (stdout).")
    if to_stdout and run.terminal.as_json:
        raise click.UsageError("--json writes the result to stdout, where - writes the file: omit one of them, or name a file.")
    review = make_review(run, choice, files, sample)
    if not to_stdout:
        return review
    for line in review.sentences():
        run.terminal.info(line)
    return review.exit_code


@main.command(epilog=EXIT_CODES)
@click.argument("file", type=EXISTING_FILE)
@click.option("--scan", metavar="ID", help="Refuse a file with decisions about another scan.")
@click.option("--decided-by", metavar="NAME", help="Who decided, if the file does not say.")
@command
def apply(run: Invocation, *, file: Path, scan: str | None, decided_by: str | None) -> Applied:
    """Write to the table the decisions in FILE, which the page exported.

    \b
    python tools/review_report.py apply decisions.json
    python tools/review_report.py apply decisions.json --decided-by 'Ada Lovelace'
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return apply_decisions(run, file, scan_id=scan, decided_by=decided_by)


@main.command(epilog=EXIT_CODES)
@click.option("--all-failed", is_flag=True, help="Retry everything that failed, whatever the reason.")
@scan_options
@submit_options("Show what would be retried and why; change nothing.")
@command
def retry(run: Invocation, *, all_failed: bool, how: SubmitOptions, choice: ScanChoice) -> ExitCode:
    """Submit again, in the same scan, what failed for a retryable reason, is stuck, or was never attempted.

    \b
    python tools/review_report.py retry --dry-run
    python tools/review_report.py retry --wait
    python tools/review_report.py retry --all-failed --yes
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return retry_scan(run, choice, how, all_failed=all_failed)


@main.command(epilog=EXIT_CODES)
@click.argument("file", type=EXISTING_FILE)
@click.option("--apply", "applied", is_flag=True, help="Write the policy's verdicts to the records.")
@click.option("--mail-newly-flagged", "mail", is_flag=True, help="With --apply: mail each newly flagged video, once.")
@scan_options
@command
def policy(run: Invocation, *, file: Path, applied: bool, mail: bool, choice: ScanChoice) -> Comparison:
    """Show how the policy in FILE would judge the videos of a scan; nothing is analysed or paid for again.

    \b
    python tools/review_report.py policy new.json
    python tools/review_report.py policy new.json --apply
    python tools/review_report.py policy new.json --apply --mail-newly-flagged
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    if mail and not applied:
        raise click.UsageError("--mail-newly-flagged requires --apply: only then videos become flagged.")
    scan = choice.find(run)
    return Rejudging(run.table.records, run.table.scans, run.terminal).run(scan, file, apply=applied, mail=mail)


@main.command(epilog=EXIT_CODES)
@click.argument("uri", type=ObjectUri())
@command
def video(run: Invocation, *, uri: Video) -> History:
    """Show the history of one object in all scans; URI is s3://bucket/key[?versionId=...].

    \b
    python tools/review_report.py video 's3://amzn-s3-demo-bucket/2024/a b.mp4'
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return history_of(run, uri)


@main.command("list", epilog=EXIT_CODES)
@click.option("--since", type=Moment(), metavar="TIME", help="All scans since this time: 12h, 7d, 2w, or a date (UTC).")
@click.option("--all", "every", is_flag=True, help="Also those that are over and not among the newest 20.")
@command
def list_scans(run: Invocation, *, since: datetime | None, every: bool) -> CommandResult:
    """List the scans that are not over, and the newest 20, the newest first.

    \b
    python tools/review_report.py list
    python tools/review_report.py list --since 7d
    python tools/review_report.py list --all --json
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    after = since.timestamp() if since else None
    scans, more = newest(run, after, every=every)
    values = {**time_keys(since=after), "scans": [past(each) for each in scans], "more": more}
    return CommandResult(scan_list(scans, after, more=more), values)


if __name__ == "__main__":
    collect_rarely()
    main()

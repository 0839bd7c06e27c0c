"""Review a scan: completion report, manifest and table joined, so that every object is accounted for; and act on what was found."""

import sys
from pathlib import Path

if __name__ == "__main__":  # before anything is imported that only the project's environment has
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tools.environment import enter

    enter()

from dataclasses import dataclass
from typing import Any

import click

from handlers.domain.identity import Video
from tools.lib.cli.output import EXIT_CODES, ExitCode, Terminal
from tools.lib.cli.program import Surroundings, Target, ending, output_options, submitting_options, target_options
from tools.lib.rejudge.options import policy_options, policy_request
from tools.lib.retry.command import Request as RetryRequest
from tools.lib.retry.command import RetryRun
from tools.lib.review.apply import ApplyRun
from tools.lib.review.command import Files, ReviewRun
from tools.lib.review.export import Form, Rows
from tools.lib.review.history import HistoryRun, parse_uri
from tools.lib.review.scan_reading import Wanted
from tools.lib.scans.scan_list import ListRun, parse_since

FILE = click.Path(dir_okay=False, path_type=Path)


class ObjectUri(click.ParamType[Video]):
    """The s3 URI of an object, with its version or without."""

    name = "uri"

    def convert(self, value: str | Video, param: click.Parameter | None, ctx: click.Context | None) -> Video:
        """Return the video, or end with what is wrong with the URI."""
        try:
            return value if isinstance(value, Video) else parse_uri(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for on the command line, by the options' names."""

    scan: str | None
    job: str | None
    without_manifest: bool
    html: Path | None
    csv: Path | None
    jsonl: Path | None
    rows: str
    policy: Path | None
    apply_policy: bool
    mail_newly_flagged: bool
    apply_file: Path | None
    decided_by: str | None
    retry: bool
    retry_all_failed: bool
    dry_run: bool
    yes: bool
    wait: bool
    video: Video | None
    since: str | None
    poll_seconds: float
    manifests: Path

    @property
    def wanted(self) -> Wanted:
        """Return which scan is meant."""
        return Wanted(self.scan, self.job, self.without_manifest)

    @property
    def retries(self) -> bool:
        """Tell whether something is to be retried."""
        return self.retry or self.retry_all_failed

    @property
    def modes(self) -> list[str]:
        """Return the options that ask for something else than a review."""
        given = {
            "--apply": self.apply_file,
            "--retry": self.retries,
            "--policy": self.policy,
            "--video": self.video,
            "--since": self.since,
        }
        return [name for name, value in given.items() if value]

    @property
    def files(self) -> Files:
        """Return the files that the review goes to."""
        paths = ((Form.CSV, self.csv), (Form.JSONL, self.jsonl))
        return Files(html=self.html, exports=tuple((form, path) for form, path in paths if path), rows=Rows(self.rows))

    def retry_request(self, target: Target) -> RetryRequest:
        """Return the retry that is asked for."""
        return RetryRequest(
            target=target,
            wanted=self.wanted,
            all_failed=self.retry_all_failed,
            dry_run=self.dry_run,
            agreed=self.yes,
            wait=self.wait,
            poll_seconds=self.poll_seconds,
            manifests=self.manifests,
        )


@click.command(epilog=EXIT_CODES, context_settings={"max_content_width": 100})
@click.option("--scan", metavar="ID", help="The scan, as submit_job.py named it; default: the newest.")
@click.option("--job", metavar="ID", help="The scan that this S3 Batch Operations job belongs to.")
@click.option("--without-manifest", is_flag=True, help="Account for the objects of the completion report only.")
@click.option("--html", type=FILE, metavar="FILE", help="Write a page to look through and decide on; it opens from disk.")
@click.option("--csv", type=FILE, metavar="FILE", help="Write a row per video for a spreadsheet.")
@click.option("--jsonl", type=FILE, metavar="FILE", help="The same as JSON Lines, for a program.")
@click.option(
    "--rows",
    type=click.Choice([rows.value for rows in Rows]),
    default=Rows.VIDEOS.value,
    show_default=True,
    help="What a row of --csv and --jsonl is.",
)
@click.option(
    "--apply",
    "apply_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the decisions that the page exported to the table.",
)
@click.option("--decided-by", metavar="NAME", help="With --apply: who decided, where the file does not say.")
@click.option("--retry", is_flag=True, help="Submit again what failed for a curable reason, is stuck, or was never attempted.")
@click.option("--retry-all-failed", is_flag=True, help="The same with everything that failed, whatever the reason.")
@click.option("--dry-run", is_flag=True, help="With --retry: show what would be retried and why, and change nothing.")
@click.option("--yes", is_flag=True, help="With --retry: do not ask.")
@click.option("--wait", is_flag=True, help="With --retry: follow the scan to its end.")
@click.option(
    "--video", type=ObjectUri(), metavar="URI", help="The history of one object over all scans: s3://bucket/key[?versionId=...]."
)
@click.option("--since", metavar="TIME", help="The scans since then in one line each: 12h, 7d, 2w, or a date (UTC).")
@policy_options
@target_options
@output_options
@submitting_options
def main(
    *,
    stack: str,
    region: str | None,
    profile: str | None,
    as_json: bool,
    debug: bool,
    **options: Any,  # noqa: ANN401 - click's values for the fields of Asked
) -> None:
    """Tell what became of every object of a scan, and act on it.

    \b
    python tools/review_report.py
    python tools/review_report.py --scan 01JD8Z0Q4N6T9W2XK5C7R3VBHM
    python tools/review_report.py --json | jq -r '.flagged[].key'
    python tools/review_report.py --html review.html --csv flagged.csv
    python tools/review_report.py --apply decisions.json
    python tools/review_report.py --retry --dry-run
    python tools/review_report.py --policy new.json --apply-policy
    python tools/review_report.py --video 's3://amzn-s3-demo-bucket/2024/a b.mp4'
    python tools/review_report.py --since 7d
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    surroundings: Surroundings = click.get_current_context().obj or Surroundings()
    terminal = Terminal(as_json=as_json, out=sys.stdout, err=sys.stderr, interactive=surroundings.interactive)
    target = Target(stack=stack, region=region, profile=profile)
    asked = Asked(**options)
    _require_one_thing(asked)
    _require_belonging(asked, terminal)
    since = _since(asked.since, surroundings)
    with ending(terminal, debug=debug):
        sys.exit(_do(asked, since, surroundings, terminal, target))


def _do(asked: Asked, since: float | None, surroundings: Surroundings, terminal: Terminal, target: Target) -> ExitCode:
    """Do the one thing that was asked for and return what to tell the shell."""
    if asked.apply_file is not None:
        applying = ApplyRun(surroundings, terminal, target, scan_id=asked.scan, decided_by=asked.decided_by)
        applied = applying.run(asked.apply_file)
        terminal.tell(applied)
        return applied.exit_code
    if asked.retries:
        return RetryRun(surroundings, terminal, asked.retry_request(target)).run()
    if asked.video is not None:
        terminal.tell(HistoryRun(surroundings, target, asked.video).run())
        return ExitCode.DONE
    if since is not None:
        terminal.tell(ListRun(surroundings, target, since).run())
        return ExitCode.DONE
    judging = policy_request(asked.policy, apply_policy=asked.apply_policy, mail_newly_flagged=asked.mail_newly_flagged)
    run = ReviewRun(surroundings, terminal, target, asked.wanted)
    result = run.run(asked.files) if judging is None else run.judge_again(judging)
    terminal.tell(result)
    return result.exit_code


def _since(text: str | None, surroundings: Surroundings) -> float | None:
    try:
        return None if text is None else parse_since(text, surroundings.clock.now())
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--since") from error


def _require_one_thing(asked: Asked) -> None:
    """Make sure that one thing is asked for, of one scan.

    Raises:
        click.UsageError: It is not so.
    """
    if asked.scan and asked.job:
        raise click.UsageError("--scan and --job both say which scan is meant: pass one of them.")
    if len(asked.modes) > 1:
        raise click.UsageError(f"{' and '.join(asked.modes)} are different things: ask for one of them.")
    if (asked.job or asked.without_manifest) and asked.apply_file is not None:
        raise click.UsageError("--apply takes neither --job nor --without-manifest: the file says which scan it is about.")
    if (asked.scan or asked.job or asked.without_manifest) and (asked.video or asked.since):
        raise click.UsageError(
            f"{asked.modes[0]} takes neither --scan nor --job nor --without-manifest: it looks across all scans."
        )


def _require_belonging(asked: Asked, terminal: Terminal) -> None:
    """Make sure that each option belongs to what is asked for, and that a retry is agreed to.

    Raises:
        click.UsageError: It is not so.
    """
    if asked.modes and (asked.html or asked.csv or asked.jsonl):
        raise click.UsageError(f"--html, --csv and --jsonl are forms of the review itself, not of {asked.modes[0]}.")
    if not asked.retries and (asked.dry_run or asked.yes or asked.wait):
        raise click.UsageError("--dry-run, --yes and --wait belong to --retry.")
    if asked.decided_by and asked.apply_file is None:
        raise click.UsageError("--decided-by belongs to --apply.")
    if asked.retries and not (asked.dry_run or asked.yes or terminal.interactive):
        raise click.UsageError(
            "There is no terminal to ask at: pass --yes to retry, or --dry-run to look at what would be retried."
        )


if __name__ == "__main__":
    main()

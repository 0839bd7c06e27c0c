"""Retrying uploads of a day: they have no batch job; a message for each goes to the queue from which uploads are registered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws_errors import ThrottledError, fault_of
from handlers.domain import Record, Scan, ScanStatus, State, upload
from tools.lib.aws import Deployment, explain
from tools.lib.cli import Bar, CommandResult, ExitCode, Invocation
from tools.lib.doctor import require_bucket
from tools.lib.errors import ToolError
from tools.lib.retry.plan import Group, columns_of
from tools.lib.review import ObjectResult
from tools.lib.scans import ScanProgress, find, progress_of
from tools.lib.submit import PER_IMAGE, PER_MINUTE, SubmitOptions, column, held_error
from tools.lib.text import counted, printable
from tools.lib.videos import subject

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

# Messages of one SendMessageBatch (SQS API); ten of ours with the longest keys stay below its 256 KiB.
MAX_SENT = 10
# Records that are read at a time: as many as one BatchGetItem takes.
BATCH = 100
# How often messages that SQS refused for a fault of its own are sent again.
ATTEMPTS = 5

_WHAT_HAPPENS = (
    "A message for each of these uploads goes to the queue of uploads, which has the function look at it again.",
    "Failed videos get another attempt; videos that are running or final by then are left alone, and not paid for again.",
    "A video whose content was replaced meanwhile fails as superseded.",
    "All this runs in AWS: you may close the terminal. At any time, review_report.py shows the status of each upload.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadsPlan:
    """One retry of uploads as it will be made.

    Attributes:
        warnings: Sentences that the person should read before agreeing.
    """

    scan: Scan
    retried: tuple[Group, ...]
    left: tuple[Group, ...]
    deployment: Deployment
    queue_url: str
    warnings: tuple[str, ...] = ()

    @property
    def objects(self) -> int:
        return sum(group.count for group in self.retried)

    def sentences(self) -> list[str]:
        scan = self.scan
        opening = f"Retry of scan {scan.id} of {subject(scan)}"
        if not self.retried:
            return [f"{opening}: nothing to retry", *columns_of(self.retried, self.left)]
        return [
            opening,
            *columns_of(self.retried, self.left),
            *column("Lane", [scan.lane.value]),
            *column("Stack", [f"{self.deployment.stack_name}, {self.deployment.region}, account {self.deployment.account_id}"]),
            *column("Price", [PER_MINUTE, *([PER_IMAGE] if self.deployment.has_frames else [])]),
            *column("Then", _WHAT_HAPPENS),
            *column("Warning", self.warnings),
        ]

    def as_json(self) -> dict[str, Any]:
        scan = self.scan
        return {
            "scan_id": scan.id,
            "day": scan.day,
            "objects": self.objects,
            "retried": [group.as_json() for group in self.retried],
            "left": [group.as_json() for group in self.left],
            "lane": scan.lane.value,
            "stack": self.deployment.stack_name,
            "region": self.deployment.region,
            "account_id": self.deployment.account_id,
            "queue": self.queue_url,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class SentUploads:
    """A retry whose messages were sent."""

    plan: UploadsPlan
    next_command: str

    def sentences(self) -> list[str]:
        return [
            f"scan      {self.plan.scan.id}",
            f"messages  {self.plan.objects:,}",
            f"next      {self.next_command}",
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "scan_id": self.plan.scan.id,
            "messages": self.plan.objects,
            "next": [self.next_command],
            "plan": self.plan.as_json(),
        }


@dataclass(slots=True)
class Awaited:
    """The uploads that are retried: which attempt of each is awaited, and how many are in each final state."""

    attempts: dict[str, int]
    states: dict[State, int] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        if record.state.final and record.attempt >= self.attempts[record.video.id]:
            del self.attempts[record.video.id]
            self.states[record.state] = self.states.get(record.state, 0) + 1

    @property
    def exit_code(self) -> ExitCode:
        """Return 0 if each has a verdict now, 1 if some still wait because the scan is held, else 3."""
        if self.attempts:
            return ExitCode.FAILED
        return ExitCode.SOME_FAILED if self.states.keys() - {State.CLEAN, State.FLAGGED} else ExitCode.DONE

    def as_json(self, progress: ScanProgress) -> dict[str, Any]:
        return {
            "status": progress.scan.status.value,
            "held_reason": progress.scan.held_reason,
            "paused": progress.settings.paused,
            "videos": {state.value: self.states.get(state, 0) for state in sorted(State) if state.final},
            "not_final": len(self.attempts),
            "exit_code": int(self.exit_code),
        }

    def line(self) -> str:
        ended = ", ".join(f"{count:,} {state.value.lower()}" for state, count in sorted(self.states.items()))
        return f"{sum(self.states.values()):,} of the retried uploads are final{f' ({ended})' if ended else ''}"


class Messages:
    """The messages of a retry in a file, because there may be many, and what is awaited of them."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "messages.jsonl"
        self.attempts: dict[str, int] = {}

    def write(self, chosen: Iterable[ObjectResult]) -> None:
        """Write the message of each upload that was chosen."""
        with self._path.open("w", encoding="ascii") as file:
            for outcome in chosen:
                record = outcome.record
                if record is None:
                    continue
                file.write(f"{upload.retry_body(record, record.attempt + 1)}\n")
                # One that waits has its message sent again, as the attempt that it is.
                self.attempts[record.video.id] = record.attempt + record.state.final

    def send(self, sqs: SQSClient, url: str, total: int, bar: Bar) -> None:
        """Send what the file holds, ten messages in a request.

        Raises:
            ToolError: SQS refused some.
        """
        with self._path.open(encoding="ascii") as file:
            bodies, sent = (line.rstrip("\n") for line in file), 0
            while batch := list(islice(bodies, MAX_SENT)):
                bar.show("Sending", sent, total)
                _send(sqs, url, batch, sent, total)
                sent += len(batch)


def _send(sqs: SQSClient, url: str, bodies: Sequence[str], sent: int, total: int) -> None:
    entries: list[SendMessageBatchRequestEntryTypeDef] = [
        {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)
    ]
    reason = ""
    for _ in range(ATTEMPTS):
        answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
        refused = {each["Id"]: each.get("Message") or each["Code"] for each in answer.get("Failed", [])}
        entries = [entry for entry in entries if entry["Id"] in refused]
        if not entries:
            return
        reason = next(iter(refused.values()))
    raise ToolError(
        f"{url}: SQS refused {counted(len(entries), 'message')} after {sent + len(bodies) - len(entries):,} of {total:,}: {reason}",
        cure="Run the retry again: an upload whose message was sent twice is not analysed twice.",
    )


def queue_of(deployment: Deployment, bucket: str) -> str:
    """Return the URL of the queue of uploads.

    Raises:
        ToolError: The deployment has none, or does not watch the bucket.
    """
    watching = deployment.watching
    if watching is None or bucket not in watching.watches:
        what = "watches no bucket" if watching is None else f"does not watch {bucket}"
        raise ToolError(
            f"The stack {deployment.stack_name} {what}, so its uploads cannot be retried: no function takes their messages.",
            cure=f'Add "{bucket}" to "watch" in cdk.json and run `make deploy`, or submit the objects as a new scan.',
        )
    return watching.queue_url


def perform(run: Invocation, how: SubmitOptions, plan: UploadsPlan, messages: Messages) -> ExitCode:
    """Send the messages once the person agrees, and with --wait follow the uploads until all are final."""
    scan = plan.scan
    require_bucket(run.clients.s3, scan.bucket, plan.deployment)
    for line in plan.sentences():
        run.terminal.info(line)
    if not how.yes:
        run.agree(f"Retry {counted(plan.objects, 'upload')}?", "Nothing was sent.")
    with run.terminal.bar("messages") as bar:
        messages.send(run.clients.sqs, plan.queue_url, plan.objects, bar)
    sent = SentUploads(plan, run.target.command("review_report.py", "--scan", scan.id))
    if how.wait:
        return _wait(run, how.poll_seconds, sent, Awaited(messages.attempts))
    run.terminal.result(sent)
    return ExitCode.DONE


def _wait(run: Invocation, poll_seconds: float, sent: SentUploads, awaited: Awaited) -> ExitCode:
    for line in sent.sentences():
        run.terminal.info(line)
    progress: ScanProgress | None = None
    try:
        with run.terminal.bar("uploads") as bar:
            progress = _follow(run, poll_seconds, sent.plan.scan.id, awaited, bar)
    except KeyboardInterrupt:
        run.terminal.info(f"Stopped following the uploads, which continue. To see their results: {sent.next_command}")
        return ExitCode.INTERRUPTED
    except (BotoCoreError, ClientError) as error:
        cause = explain(error)
        raise ToolError(
            f"Following the uploads failed; the retry itself continues. {cause}",
            cure=f"{cause.cure} To see its results: {sent.next_command}",
        ) from error
    finally:
        result = {**sent.as_json(), "result": awaited.as_json(progress) if progress else None}
        run.terminal.result(CommandResult([awaited.line()] if progress else [], result))
    if progress is not None and awaited.attempts:
        run.terminal.error(held_error(run, progress))
    return awaited.exit_code


def _follow(run: Invocation, poll_seconds: float, scan_id: str, awaited: Awaited, bar: Bar) -> ScanProgress:
    """Show how many of the awaited uploads are final until all are, or the scan is held; return its last progress."""
    total = len(awaited.attempts)
    while True:
        try:
            for record in run.table.records.records((video_id, scan_id) for video_id in tuple(awaited.attempts)):
                awaited.take(record)
            progress = progress_of(run, [find(run.table.scans, scan_id)])[0]
        except (BotoCoreError, ClientError, ThrottledError) as error:
            if not fault_of(error).transient:
                raise
            bar.show(f"the progress could not be read, trying again: {printable(str(error))}", 0, None)
        else:
            bar.show(awaited.line(), total - len(awaited.attempts), total)
            if not awaited.attempts or progress.scan.status is ScanStatus.PAUSED or progress.settings.paused:
                return progress
        run.clock.sleep(poll_seconds)

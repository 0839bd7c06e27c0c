"""Redriving dead letters: each kind of queue holds bodies of its own, and each kind is processed in its own way.

- function: the event that completion failed on (Lambda guide, invocation-async-retain-records); completion is invoked with it;
- subscription: SNS's envelope of a notice that it could not deliver; completion is invoked with it as SNS would have done;
- lane: our message of a video; the sweeper sends the waiting videos of its scan again, because records decide, not messages;
- sweep: an invocation of the sweeper; nothing is to be done, because later sweeps did its work;
- outbox: a message about consequences; nothing is to be done, because the sweeper sends what is left in the outbox;
- upload: a message about a new upload, or the event that EventBridge could not deliver; it is sent to its queue again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from handlers.adapters.table import Scans
from handlers.domain import lane_message, outbox, upload
from tools.lib.aws import Deployment
from tools.lib.cli import Bar, ExitCode
from tools.lib.text import counted

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# How long a received letter stays hidden, so that one run sees a letter that it cannot process only once.
HIDDEN_SECONDS = 300


@dataclass(slots=True)
class Redriven:
    """How many dead letters of each kind were processed, and how many were left because they could not be understood."""

    done: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("function", "subscription", "lane", "sweep", "outbox", "upload"), 0)
    )
    left: int = 0

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.SOME_FAILED if self.left else ExitCode.DONE

    def sentences(self) -> list[str]:
        parts = [f"{count:,} {kind}" for kind, count in self.done.items() if count]
        done = f"Dead letters processed: {', '.join(parts)}." if parts else "There were no dead letters to process."
        left = f"{counted(self.left, 'dead letter')} could not be understood; look at what is left in the console, then delete it."
        return [done, *([left] if self.left else [])]

    def as_json(self) -> dict[str, Any]:
        return {"done": self.done, "left": self.left}


def _is_of_the_outbox(body: str) -> bool:
    return outbox.parse(body) is not None


class Redrive:
    """One run over all dead letters of a deployment."""

    def __init__(self, sqs: SQSClient, functions: LambdaClient, scans: Scans, found: Deployment) -> None:
        self._sqs = sqs
        self._functions = functions
        self._scans = scans
        self._deployment = found
        self._marked: set[str] = set()

    def run(self, bar: Bar) -> Redriven:
        """Process and delete every dead letter; one that cannot be understood stays."""
        redriven = Redriven()
        for kind, url, act in self._queues():
            for letter in self._letters(url):
                if act(letter.get("Body", "")):
                    # Deleted last: dying in between processes the letter twice, which is harmless.
                    self._sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
                    redriven.done[kind] += 1
                else:
                    redriven.left += 1
            bar.show(f"Dead letters: {kind}", sum(redriven.done.values()), None)
        return redriven

    def _queues(self) -> list[tuple[str, str, Callable[[str], bool]]]:
        found = self._deployment
        return [
            ("function", found.completion_dead_letters_url, self._invoke),
            ("subscription", found.undelivered_notices_url, self._deliver),
            *(("lane", url, self._send_again) for url in found.lane_dead_letters_urls),
            ("sweep", found.sweeper_dead_letters_url, lambda _: True),
            *([("outbox", found.outbox_dead_letters_url, _is_of_the_outbox)] if found.outbox_dead_letters_url else []),
            *([("upload", found.watching.dead_letters_url, self._register_again)] if found.watching else []),
        ]

    def _letters(self, url: str) -> Iterator[MessageTypeDef]:
        while True:
            answer = self._sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=HIDDEN_SECONDS, WaitTimeSeconds=1
            )
            letters = answer.get("Messages", [])
            if not letters:
                return
            yield from letters

    def _invoke(self, body: str) -> bool:
        """Invoke completion with the event that it failed on."""
        event = _object(body)
        if not isinstance(event.get("Records"), list):
            return False
        self._functions.invoke(
            FunctionName=self._deployment.completion_function_arn, InvocationType="Event", Payload=json.dumps(event).encode()
        )
        return True

    def _deliver(self, body: str) -> bool:
        """Invoke completion with a notice as SNS does; the body is SNS's envelope."""
        envelope = _object(body)
        if "TopicArn" not in envelope or "Message" not in envelope:
            return False
        return self._invoke(json.dumps({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": envelope}]}))

    def _send_again(self, body: str) -> bool:
        """Have the sweeper send the waiting videos of the letter's scan again; a run asks for this once for each scan."""
        message = lane_message.parse(body)
        if message is None:
            return False
        scan_id = message.analysis.scan_id
        if scan_id not in self._marked:
            self._scans.resend_soon(scan_id)
            self._marked.add(scan_id)
        return True

    def _register_again(self, body: str) -> bool:
        """Send a message about an upload to its queue again."""
        watching = self._deployment.watching
        if watching is None or isinstance(upload.parse(body), upload.Refused):
            return False
        self._sqs.send_message(QueueUrl=watching.queue_url, MessageBody=body)
        return True


def _object(body: str) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

"""The load: 32 threads register, four start, one finishes. Real flows and adapters over HTTP, in a process beside the servers.

`python -m tests.cross_check.load` takes an order (JSON) on stdin, reaches AWS by its environment, and says on stdout (JSON)
what came of it.
Each thread is a warm environment of a function: it has clients and a flow of its own.
"""

import json
import logging
import queue
import sys
import threading
import time
from collections import Counter
from dataclasses import replace

import boto3

from handlers import wiring
from handlers.adapters.objects import Look
from handlers.adapters.queue import LaneQueues
from handlers.adapters.table import open_table
from handlers.domain.record import ObjectFacts
from handlers.domain.states import Lane, State
from handlers.runtime.clients import CONFIGS
from handlers.runtime.logs import LOGGER
from handlers.settings import BatchInvokeSettings, StartAnalysisSettings, from_environment
from tests.harness.flows import Clients

REGISTRARS = 32
STARTERS = (Lane.NORMAL, Lane.NORMAL, Lane.EXPRESS, Lane.EXPRESS)
# How fast the flows' time runs: a starter may call Start once in a second of it.
SPEED = 20.0
FUNCTION_SECONDS = 900.0
REDRIVES = 3


class Clock:
    """Real time, but faster."""

    def __init__(self):
        self._wall, self._began = time.time(), time.monotonic()

    def now(self):
        """Return the time."""
        return self._wall + (time.monotonic() - self._began) * SPEED

    def sleep(self, seconds):
        """Wait."""
        time.sleep(seconds / SPEED)


class Objects:
    """A bucket full of videos. S3 is not contended for, and its answers take most of a processor's time."""

    def look(self, video, *_how):
        """Describe an object."""
        return Look(ObjectFacts(video.id, 1_678, None), None)


class FastLanes(LaneQueues):
    """The lanes, which hide messages in the flows' fast time; the servers' queues live in real time."""

    def hide(self, lane, receipt_handle, seconds):
        """Hide a message."""
        return super().hide(lane, receipt_handle, seconds / SPEED)


class FastAdapters(wiring.Adapters):
    """The product's adapters, with videos that need not be looked at and lanes in the flows' time."""

    def videos(self, *, images=False):
        """Reach the bucket full of videos."""
        return Objects()

    def lanes(self, urls, dead_letters=None):
        """Reach the lanes."""
        return FastLanes(self.clients.sqs, urls, dead_letters)


class Crew:
    """All workers of one order."""

    def __init__(self, order):
        self._order = order
        self._session = boto3.Session()
        self._making = threading.Lock()
        self._clock = Clock()
        self._tasks = queue.SimpleQueue()
        self._over = threading.Event()
        self.counts = Counter()
        self._registering = from_environment(BatchInvokeSettings, order["environments"]["batch_invoke"])
        self._starting = from_environment(StartAnalysisSettings, order["environments"]["start_analysis"])
        self._urls = {Lane.NORMAL: self._registering.normal_queue_url, Lane.EXPRESS: self._registering.express_queue_url}

    def work(self):
        """Do what was ordered, and return what was counted."""
        for event in self._order["events"]:
            self._tasks.put((event, 0))
        registrars = [threading.Thread(target=self._register) for _ in range(REGISTRARS)]
        others = [threading.Thread(target=self._start, args=(lane,)) for lane in STARTERS]
        others.append(threading.Thread(target=self._finish))
        began = time.monotonic()
        for thread in (*registrars, *others):
            thread.start()
        for thread in registrars:
            thread.join()
        self.counts["seconds of registering"] = round(time.monotonic() - began)
        self._wait_until_final(others)
        self._over.set()
        for thread in others:
            thread.join()
        return {**self.counts, "seconds": round(time.monotonic() - began, 1), "cpu": time.process_time()}

    def _wait_until_final(self, workers):
        if self.counts["registered Succeeded"] < len(self._order["events"]):
            return
        table = self._table(self._registering)
        end = time.monotonic() + self._order["deadline_seconds"]
        while time.monotonic() < end and all(worker.is_alive() for worker in workers):
            final = sum(table.scans.totals(scan).final for scan in self._order["scans"])
            if final >= self._order["videos"]:
                return
            time.sleep(0.5)
        self.counts["gave up"] = 1

    # --- registering -------------------------------------------------------------------------------------------------

    def _register(self):
        flow = wiring.register_flow(self._registering, FastAdapters(Clients(self._client), self._clock))
        while True:
            try:
                event, redrives = self._tasks.get_nowait()
            except queue.Empty:
                return
            (result,) = flow.respond(event)["results"]
            if result["resultCode"] == "TemporaryFailure" and redrives < REDRIVES:
                self.counts["redriven"] += 1
                self._tasks.put((event, redrives + 1))
            else:
                self.counts[f"registered {result['resultCode']}"] += 1

    # --- starting ----------------------------------------------------------------------------------------------------

    def _start(self, lane):
        sqs = self._client("sqs")
        flow = wiring.lane_events_flow(self._starting, FastAdapters(Clients(self._client), self._clock))
        url = self._urls[lane]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        while not self._over.is_set():
            for message in _received(sqs, url):
                self._hand_over(flow, sqs, url, _sqs_record(message, arn))

    def _hand_over(self, flow, sqs, url, record):
        """Do what the event source mapping does with a message."""
        answer = flow.respond({"Records": [record]}, deadline=self._clock.now() + FUNCTION_SECONDS)
        if answer["batchItemFailures"]:
            self.counts["messages returned"] += 1
        else:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=record["receiptHandle"])
            self.counts["messages done with"] += 1

    # --- finishing ---------------------------------------------------------------------------------------------------

    def _finish(self):
        """Finish running analyses when they should be over, so that their slots are free."""
        table = self._table(self._starting)
        while not self._over.is_set():
            before = self._clock.now() - self._order["analysis_seconds"]
            over = [(one.video_id, one.scan_id) for one in table.records.running() if one.since <= before]
            for record in table.records.records(over):
                table.records.finish(replace(record, state=State.CLEAN, finished_at=self._clock.now(), duration_ms=1_000))
            self._clock.sleep(2.0)

    # --- ports -------------------------------------------------------------------------------------------------------

    def _client(self, service):
        with self._making:  # a session may not be used by two threads at a time, a client may
            return self._session.client(service, config=CONFIGS[service])

    def _table(self, settings):
        return open_table(self._client("dynamodb"), settings.table_name, self._clock)


def _received(sqs, url):
    """Return what the event source mapping would hand over: one message, or none after a second."""
    attributes = ["ApproximateReceiveCount"]
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, WaitTimeSeconds=1, MessageSystemAttributeNames=attributes)
    return answer.get("Messages", [])


def _sqs_record(message, arn):
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
    }


class Alarms(logging.Handler):
    """Counts the errors that a flow logs."""

    def __init__(self, counts):
        super().__init__(logging.ERROR)
        self._counts = counts

    def emit(self, record):
        """Count an event."""
        self._counts[f"alarm: {record.getMessage()} ({getattr(record, 'reason', None)})"] += 1


def main():
    """Do the order on stdin."""
    crew = Crew(json.load(sys.stdin))
    LOGGER.addHandler(Alarms(crew.counts))
    LOGGER.propagate = False
    json.dump(crew.work(), sys.stdout)


if __name__ == "__main__":
    main()

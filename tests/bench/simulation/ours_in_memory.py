"""The product with the second set of ports: the same flows, for a million videos."""

from handlers.wiring import Adapters
from tests.bench.simulation import clients
from tests.bench.simulation import world as worlds
from tests.bench.simulation.lab import SCAN, Ground
from tests.bench.simulation.memory import memory_table
from tests.bench.simulation.ours import COMPLETIONS, LANE_VISIBILITY_SECONDS, LANES, STARTERS_PER_LANE, Clients, Ours
from tests.bench.simulation.queues import arn_of
from tests.bench.simulation.quick import MemoryHits, QuickLambda
from tests.bench.simulation.quick_lanes import MemoryQueues, QuickLane
from tests.bench.simulation.quick_rekognition import QuickRekognition
from tests.bench.simulation.records import Records
from tests.bench.simulation.rekognition import Videos
from tests.bench.simulation.tables import scan_table


class QuickLab(Ground):
    """A laboratory in memory; S3 Batch and the table's rare items stay with the emulator."""

    def __init__(self, world, parts):
        super().__init__(world, parts, scan_table, Videos(world))
        self.functions = QuickLambda(self.clock, self.runtime, self.specs)
        self.rekognition = QuickRekognition(world, self.book, self.clock, self.settings)
        self.rekognition.notify = self._notify
        self.records = Records(self.clock, SCAN, self.tables, world.setting.videos)
        self.lanes = {lane: self._lane(name) for lane, name in LANES.items()}
        self.topics = Mails()

    def _lane(self, name):
        return QuickLane(
            self.clock,
            self.runtime,
            self.specs["start_analysis"],
            arn=arn_of(name),
            visibility=LANE_VISIBILITY_SECONDS,
            most=STARTERS_PER_LANE,
            body=_body,
        )

    def call(self, function_arn, payload, done):
        """Invoke a function for S3 Batch."""
        self.functions.invoke(function_arn.rpartition(":")[2], payload, done)

    def _notify(self, job_id):
        sns = {"TopicArn": COMPLETIONS, "Message": f'{{"JobId": "{job_id}"}}'}
        self.functions.event("completion", {"Records": [{"EventSource": "aws:sns", "Sns": sns}]})


class Mails:
    """Counts mails."""

    def __init__(self):
        self.mails = 0

    def mail(self, given):  # mails are only counted
        """Take a mail."""
        self.mails += 1
        return {"MessageId": str(self.mails)}


class OursInMemory(Ours):
    """The product, with one scan of all videos submitted."""

    in_engine = False

    def _lab(self):
        return QuickLab(self.world, self._parts())

    def _wire(self):
        if self.world.setting.without != "sweeper":
            self.lab.functions.every(60.0, "sweeper")
        self._submit()

    def _adapters(self, environment):
        return MemoryAdapters(MemoryClients(self, environment), environment)


class MemoryClients(Clients):
    """The clients of one environment, of the services in memory."""

    def functions(self):
        """Return the client of Lambda."""
        return clients.quick_functions(self._environment, self._lab.functions)

    def rekognition(self):
        """Return the client of the analyses."""
        return self._lab.rekognition.client(self._environment, token=self._setting.without != "token")

    def records(self):
        """Return the records of the table in memory."""
        return self._lab.records

    def lanes(self):
        """Return the lanes in memory."""
        return self._lab.lanes


class MemoryAdapters(Adapters):
    """The adapters of one environment, in memory."""

    def table(self, _name):
        """Open the table."""
        return memory_table(self.clients.dynamodb(), self.clock, self.clients.records())

    def lanes(self, _urls, _dead_letters=None):
        """Reach the lanes."""
        return MemoryQueues(self.clock, self.clients.lanes(), {arn_of(name): lane for lane, name in LANES.items()})

    def hit_store(self, _bucket):
        """Reach what counts hits."""
        return MemoryHits(self.clock)


def _body(number, attempt):
    return (
        f'{{"bucket":"{worlds.BUCKET}","key":"{worlds.key_of(number)}","version_id":null,"scan_id":"{SCAN}","attempt":{attempt}}}'
    )

"""Queues of the emulator's engine, without a server, on the test's clock; their calls are kept and can be made to fail."""

from moto.sqs.models import Queue

from tests.handlers.doubles import ACCOUNT, REGION, Through
from tests.harness.direct import DirectClient, as_boto3_raises
from tools.emulator.services.sqs import Operations, SqsService
from tools.emulator.settings import EmulatorSettings

# As in the template.
LANE = {"VisibilityTimeout": "5400", "MessageRetentionPeriod": str(14 * 86_400)}


class Queues(SqsService):
    """An account's queues, which no other test sees."""

    def __init__(self, clock):
        super().__init__(clock=clock, settings=EmulatorSettings(account_id=ACCOUNT, region=REGION))
        self._made = {}
        self._messages = Operations(self)

    def queue(self, name):
        """Return a queue by its name."""
        return self._made[name] if name in self._made else super().queue(name)

    def answer(self, operation, parameters):
        """Answer an operation with its parameters."""
        match operation:
            case "CreateQueue":
                name, settings = parameters["QueueName"], parameters.get("Attributes", {})
                self._made.setdefault(name, Queue(name, REGION, ACCOUNT, **settings))
            case "GetQueueUrl":
                self.queue(parameters["QueueName"])
            case _:
                return self._messages.call(operation, parameters)
        return {"QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{parameters['QueueName']}"}


def sqs(clock):
    """Return a client of SQS in an account without queues."""
    answer = as_boto3_raises(Queues(clock).answer)
    return Through(DirectClient("sqs", answer, lambda _name, _parameters, carry_out: carry_out()))

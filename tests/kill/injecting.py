"""AWS faults at every site: at the first call of each site the world is forked, and in the fork the call meets a fault.

Each fault is injected where AWS may answer so: throttling at every call of the table's and of a queue's, and then at all further
calls of that operation of the invocation, so that no retries outlast it; a transaction conflict, once, at every write of the
table; and items that a batch leaves unprocessed, once.
"""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from tests.kill.final import Final, differences, faults_of
from tests.kill.forking import Forking

WRITES = frozenset(f"dynamodb.{name}Item" for name in ("Put", "Update", "Delete"))
TRANSACTION = "dynamodb.TransactWriteItems"
BATCHES = frozenset({"dynamodb.BatchGetItem", "dynamodb.BatchWriteItem", "sqs.SendMessageBatch"})
CODES = {"dynamodb": "ProvisionedThroughputExceededException", "sqs": "RequestThrottled"}


@dataclass(frozen=True)
class Strike:
    """One fault: its kind, the operation and invocation that it strikes, and from which call of that kind on."""

    kind: str
    operation: str
    process: object
    lasting: bool


class Injecting(Forking):
    """Injects faults into a line's calls."""

    def __init__(self, line, folder):
        super().__init__(line, folder)
        self.struck = {}
        """By fork: what was injected, and where."""
        self._seen = set()
        self._strike = None
        self._kept_back = None

    def run(self, scenario):
        """Run a scenario with a fork for each fault that may happen at each site; return the end and those of the forks."""
        undisturbed, ends = self.ends(scenario)
        return Injected(undisturbed, self.struck, ends)

    def before(self, name, process, parameters):
        """Let a call meet its fault, or fork the world in which it does."""
        if not self.is_fork:
            self._look(name, process)
        strike = self._strike
        if strike is None or (strike.operation, strike.process) != (name, process):
            return
        if not strike.lasting:
            self._strike = None
        if strike.kind != "unprocessed":
            raise _error(strike.kind, name, parameters)
        self._kept_back = _keep_back(name, parameters)

    def after(self, name, process, answer):
        """Add to a batch's answer what was kept back of it."""
        if self._kept_back is not None:
            answer.update(self._kept_back)
            self._kept_back = None

    def _look(self, name, process):
        site = (process.module, name, self.trail.sites())
        if site in self._seen:
            return
        self._seen.add(site)
        for kind in _kinds(name):
            if self.fork():
                self._strike = Strike(kind, name, process, lasting=kind == "throttled")
                return
            self.struck[self.forks] = f"{process.module} {name} {kind} at {', '.join(sorted(map(str, site[2])))}"


@dataclass
class Injected:
    """The outcome of the faults."""

    undisturbed: Final
    struck: dict[int, str]
    ends: dict[int, Final | str]

    def faults(self):
        """Return what is wrong, each with the injected fault."""
        found = [("undisturbed", fault) for fault in faults_of(self.undisturbed)]
        for fork, end in self.ends.items():
            wrong = [end] if isinstance(end, str) else differences(self.undisturbed, end)
            found += [(self.struck[fork], fault) for fault in wrong]
        return found


def _kinds(name):
    """Return the kinds of faults that may happen at a call."""
    if name.partition(".")[0] not in CODES:
        return []
    conflict = ["conflict"] if name in WRITES or name == TRANSACTION else []
    return ["throttled", *conflict, *(["unprocessed"] if name in BATCHES else [])]


def _error(kind, name, parameters):
    """Return the error with which AWS refuses: a transaction is cancelled, with a reason for each of its actions."""
    code, extra = ("TransactionConflictException" if kind == "conflict" else CODES[name.partition(".")[0]]), {}
    if name == TRANSACTION:
        reasons = [{"Code": "None"} for _ in parameters["TransactItems"]]
        reasons[-1] = {"Code": "TransactionConflict" if kind == "conflict" else "ThrottlingError", "Message": "Injected."}
        code, extra = "TransactionCanceledException", {"CancellationReasons": reasons}
    metadata = {"ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError({"Error": {"Code": code, "Message": "Injected."}, **metadata, **extra}, name.partition(".")[2])


def _keep_back(name, parameters):
    """Remove the last element of a batch from a request, and return what the answer must add for it."""
    if name == "sqs.SendMessageBatch":
        *sent, last = parameters["Entries"]
        parameters["Entries"] = sent
        return {"Failed": [{"Id": last["Id"], "SenderFault": False, "Code": "InternalError"}]}
    ((table, requested),) = parameters["RequestItems"].items()
    if name == "dynamodb.BatchWriteItem":
        parameters["RequestItems"] = {table: requested[:-1]} if requested[:-1] else {}
        return {"UnprocessedItems": {table: requested[-1:]}}
    keys = requested["Keys"]
    parameters["RequestItems"] = {table: requested | {"Keys": keys[:-1]}} if keys[:-1] else {}
    return {"UnprocessedKeys": {table: requested | {"Keys": keys[-1:]}}}

"""What goes wrong with one AWS call, after the SDK has given up repeating it, or because it repeated it."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

REFUSALS = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "sqs": "RequestThrottled",
    "s3": "SlowDown",
    "sns": "Throttled",
    "lambda": "TooManyRequestsException",
    "events": "ThrottlingException",
    "rekognition": "ThrottlingException",
}
KINDS = ("refused", "failed", "lost", "repeated")


@dataclass
class Trouble:
    """The next call of a service: refused, failed without being done, its answer lost, or done twice by the SDK."""

    service: str
    kind: str

    def strike(self, name, carry_out):
        """Make the call."""
        match self.kind:
            case "refused":
                raise _error(name, REFUSALS[self.service], 400)
            case "failed":
                raise _error(name, "InternalServerError", 500)
            case "lost":
                carry_out()
                raise _error(name, "InternalServerError", 500)
        # The SDK repeats no Start and no Get of Rekognition's (`handlers/runtime/clients.py`).
        if self.service != "rekognition":
            try:
                carry_out()
            except ClientError:
                return carry_out()
        return carry_out()


def _error(name, code, status):
    return ClientError({"Error": {"Code": code, "Message": "by the test"}, "ResponseMetadata": {"HTTPStatusCode": status}}, name)

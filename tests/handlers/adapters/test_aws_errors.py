"""The table of errors: each AWS code in its row, and answers of 500 never certain."""

import botocore.session
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, NoCredentialsError
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker

from handlers.adapters import aws_errors
from handlers.adapters.aws_errors import Fault, ThrottledError, fault_of
from handlers.domain.reasons import REASONS
from tests.handlers.doubles import client_error, time_out
from tools.lib.aws.clients import Clients

SERVICES = {"functions": "lambda", "quotas": "service-quotas"}

# Not in botocore's models: the query error of SQS when KMS throttles (from its Smithy model; S3 answers with it, too), and the
# codes with which DynamoDB cancels a transaction.
UNMODELLED = {"KMS.ThrottlingException", "ThrottlingError", "ProvisionedThroughputExceeded", "TransactionConflict"}


def modelled_throttles():
    """Yield the codes of every error that a service we call models and names after throttling."""
    session = botocore.session.Session()
    for client in (*Clients.__annotations__, "rekognition"):
        for shape in session.get_service_model(SERVICES.get(client, client)).error_shapes:
            if "throttl" in shape.name.lower():
                yield shape.error_code


THROTTLES = {*ThrottledRetryableChecker._THROTTLED_ERROR_CODES, *modelled_throttles(), *UNMODELLED}  # the SDK's list


@pytest.mark.parametrize("code", sorted(THROTTLES))
def test_throttles(code):
    """Whatever botocore or the model of a service takes for throttling was refused for certain, and passes by itself."""
    assert fault_of(client_error(code)) in {Fault.REFUSED, Fault.CONFLICT}


@pytest.mark.parametrize("code", sorted({*THROTTLES, *TransientRetryableChecker._TRANSIENT_ERROR_CODES}))
def test_transient_codes_are_retryable_reasons(code):
    """What passes by itself does so as the reason of a failure, too: the review has a sentence for it, and a retry takes it up."""
    assert fault_of(client_error(code)).transient
    assert REASONS[code].retryable


@pytest.mark.parametrize(
    ("code", "fault"), [("NeverHeardOf", Fault.REFUSED), ("429", Fault.REFUSED), ("AccessDeniedException", Fault.FORBIDDEN)]
)
def test_429(code, fault):
    """Status 429 is throttling, as for botocore, unless the code says something else."""
    assert fault is fault_of(client_error(code, 429))


@pytest.mark.parametrize("code", sorted(aws_errors.FAULTS))
def test_codes(code):
    """A refusal with a code of the table means what the table says."""
    assert aws_errors.FAULTS[code] is fault_of(client_error(code))


@pytest.mark.parametrize("code", ["ThrottlingException", "InvalidS3ObjectException", "Whatever"])
def test_5xx(code):
    """An answer of 500 and above is never certain."""
    assert fault_of(client_error(code, 503)) is Fault.UNKNOWN


@pytest.mark.parametrize(
    "error",
    [time_out(), ConnectTimeoutError(endpoint_url="x"), EndpointConnectionError(endpoint_url="x")],
)
def test_no_answer(error):
    """Where no answer came, it is unknown what was done."""
    assert fault_of(error) is Fault.UNKNOWN


@pytest.mark.parametrize("error", [client_error("NeverHeardOf"), NoCredentialsError(), ZeroDivisionError("x")])
def test_ours(error):
    """What the table does not know is taken for a fault of ours, and does not pass by itself."""
    assert (Fault.OURS, False) == (fault_of(error), fault_of(error).transient)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (client_error("SlowDown"), "SlowDown", "said SlowDown"),
        (ThrottledError("too long"), "ThrottledError", "too long"),
        (ZeroDivisionError(), "ZeroDivisionError", "ZeroDivisionError"),
    ],
)
def test_words(error, code, message):
    """A reason has AWS's code and words, without what the SDK puts before them."""
    assert (code, message) == (aws_errors.code_of(error), aws_errors.message_of(error))


@pytest.mark.parametrize(
    ("status", "fault"),
    [(428, Fault.OURS), (429, Fault.REFUSED), (430, Fault.OURS), (499, Fault.OURS), (500, Fault.UNKNOWN), (501, Fault.UNKNOWN)],
)
def test_status(status, fault):
    """Of a code that the table does not know the status decides."""
    assert fault is fault_of(client_error("NeverHeardOf", status))


def test_an_answer_without_words():
    """An answer that has neither code nor message is one of ours, with what the SDK makes of it."""
    error = ClientError({}, "GetItem")

    assert (Fault.OURS, "trouble") == (fault_of(error), aws_errors.code_of(error))
    assert str(error) == aws_errors.message_of(error)

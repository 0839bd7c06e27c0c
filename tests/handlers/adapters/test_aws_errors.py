"""The table of errors: each AWS code in its row, and answers of 500 never certain."""

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, NoCredentialsError

from handlers.adapters import aws_errors
from handlers.adapters.aws_errors import Fault, ThrottledError, fault_of
from tests.handlers.doubles import client_error, time_out


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

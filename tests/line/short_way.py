"""The short way of a table's call: what boto3 made of it goes to the engine, and the engine's answer back, without HTTP between.

Signing, the way through moto and HTTP's own forms take three quarters of a call's time. boto3's parameters, its request and its
parser are the real ones.
"""

from botocore.awsrequest import AWSResponse
from botocore.parsers import create_parser

from tools.emulator.dynamodb.engine import OPERATIONS

__all__ = ["OPERATIONS", "directly"]


def directly(tables, model, request):
    """Return what boto3 makes of the answer of the engine: the response, and its content."""
    status, headers, body = tables.answer(model.name, request["body"])
    response = {"headers": headers, "status_code": status, "body": body.encode(), "context": {"operation_name": model.name}}
    parser = create_parser(model.service_model.protocol)
    parsed = parser.parse(response, model.output_shape)
    if status >= 300:
        shape = model.service_model.shape_for_error_code(parsed["Error"]["Code"])
        if shape is not None:
            parsed.update(parser.parse(response, shape))
    return AWSResponse(request["url"], status, headers, None), parsed

"""How a call of S3 is refused."""

from botocore.exceptions import ClientError


def code(call, **request):
    """Return the code with which a call is refused; "" if it is not."""
    try:
        call(**request)
    except ClientError as refused:
        return refused.response["Error"]["Code"]
    return ""

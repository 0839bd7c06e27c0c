"""The same call to two servers, and the comparable part of their answers."""

from botocore.exceptions import ClientError

# What an error carries beside its code that our adapters read. Messages are for people, and may differ.
COMPARED_OF_ERRORS = ("Item", "CancellationReasons")


def answer(client, operation, **parameters):
    """Return the outcome of a call: the answer without its metadata, or the part of the error that programs read."""
    try:
        content = getattr(client, operation)(**parameters)
    except ClientError as error:
        response = error.response
        read = {name: response[name] for name in COMPARED_OF_ERRORS if name in response}
        reasons = [{"Code": reason.get("Code"), "Item": reason.get("Item")} for reason in read.get("CancellationReasons", [])]
        return {"error": response["Error"]["Code"], **read, **({"CancellationReasons": reasons} if reasons else {})}
    return {name: value for name, value in content.items() if name != "ResponseMetadata"}

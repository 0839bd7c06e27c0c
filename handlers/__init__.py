"""The code of the four Lambda functions. It needs only the standard library and boto3."""

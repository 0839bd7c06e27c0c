"""The code of the Lambda functions. It needs only the standard library and boto3; the decoder of frames also needs PyAV."""

"""What is uploaded to Lambda: four functions, their rules and their ports. Needs the standard library and boto3, no more."""

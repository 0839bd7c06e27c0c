"""What is uploaded to Lambda: four functions, the rules they follow and the ports they use. Needs the standard library and boto3."""

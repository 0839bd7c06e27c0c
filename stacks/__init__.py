"""The only room that knows aws_cdk."""

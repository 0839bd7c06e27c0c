"""The CDK stack: one construct for each part of a deployment. No other package imports aws_cdk."""

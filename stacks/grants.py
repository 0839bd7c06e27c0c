"""Permissions that the CDK's own grant methods give too broadly."""

from collections.abc import Iterable

from aws_cdk import aws_iam as iam


def grant(grantee: iam.IGrantable, service: str, operations: Iterable[str], arns: Iterable[str]) -> None:
    """Allow operations of a service, and no others, on these resources."""
    actions = [f"{service}:{operation}" for operation in operations]
    iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=[*arns]).assert_success()

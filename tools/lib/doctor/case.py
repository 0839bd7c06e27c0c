"""What the doctor checks: a deployment and the bucket to be scanned, with what they consist of, requested once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from handlers.adapters.table import Table
from handlers.runtime.clock import Clock, SystemClock
from tools.lib.aws import Clients, Deployment
from tools.lib.doctor import policies
from tools.lib.gate import READING, TAGGING, Roles, statements_of
from tools.lib.watch import Depths, Health, depths_of, health_of

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

FUNCTION = "AWS::Lambda::Function"
MAPPING = "AWS::Lambda::EventSourceMapping"
TOPIC = "AWS::SNS::Topic"
REDEPLOY = "Deploy it again with `make deploy`."


@dataclass(frozen=True)
class Case:
    """One examination.

    Attributes:
        bucket: The bucket to be scanned.
        unconfirmed_mail: Whether to scan although the mail subscription is not confirmed.
        prefixes: Every key to be scanned begins with one of them.
    """

    clients: Clients
    deployment: Deployment
    table: Table
    bucket: str
    unconfirmed_mail: bool = False
    prefixes: tuple[str, ...] = ("",)
    clock: Clock = field(default_factory=SystemClock)

    @cached_property
    def resources(self) -> Mapping[str, list[str]]:
        """Return the physical ids of the stack's resources, by type."""
        found: dict[str, list[str]] = {}
        pages = self.clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.deployment.stack_name)
        for page in pages:
            for each in page["StackResourceSummaries"]:
                found.setdefault(each["ResourceType"], []).append(each.get("PhysicalResourceId", ""))
        return found

    @cached_property
    def functions(self) -> Mapping[str, FunctionConfigurationResponseTypeDef | None]:
        """Return the configurations of the stack's functions by name; None for one that is missing."""
        client = self.clients.functions
        found: dict[str, FunctionConfigurationResponseTypeDef | None] = {}
        for name in self.resources.get(FUNCTION, []):
            try:
                found[name] = client.get_function_configuration(FunctionName=name)
            except client.exceptions.ResourceNotFoundException:
                found[name] = None
        return found

    @cached_property
    def depths(self) -> Depths | None:
        """Return what lies in the queues of new uploads; None where no bucket is watched."""
        watching = self.deployment.watching
        return depths_of(self.clients, watching) if watching else None

    @cached_property
    def health(self) -> Health | None:
        """Return how the bucket's new uploads arrive; None where it is not watched."""
        watching = self.deployment.watching
        return health_of(self.clients, watching, self.bucket) if watching and self.bucket in watching.watches else None

    @cached_property
    def _granted(self) -> Mapping[str, list[dict[str, Any]]]:
        """Return the statements of the roles of the stack's functions, by their ARNs."""
        return {role: self.statements(role) for role in sorted({each["Role"] for each in self.functions.values() if each})}

    def roles(self, bucket: str) -> Roles:
        """Return the roles of the stack's functions that may read the objects of a bucket, and those that may tag them."""
        resource = f"{self.deployment.bucket_arn(bucket)}/x"

        def allowed(actions: Iterable[str]) -> tuple[str, ...]:
            return tuple(
                role
                for role, statements in self._granted.items()
                if any(policies.allows(statements, action, resource) for action in actions)
            )

        return Roles(allowed(READING), allowed(TAGGING))

    def statements(self, role: str) -> list[dict[str, Any]]:
        """Return the statements of the inline policies of a role, given by name or ARN; the stack attaches no managed ones."""
        client, name = self.clients.iam, role.rpartition("/")[2]
        found: list[dict[str, Any]] = []
        for page in client.get_paginator("list_role_policies").paginate(RoleName=name):
            for policy in page["PolicyNames"]:
                document: Any = client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                found.extend(statements_of(document))
        return found

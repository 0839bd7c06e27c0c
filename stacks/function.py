"""A Lambda function of the package `handlers`."""

from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from handlers.settings import AnySettings, to_environment
from stacks.dead_letters import DeadLetters

# The newest of aws-cdk-lib, as a test checks; the source runs on 3.11 and later.
RUNTIME = lambda_.Runtime.PYTHON_3_14


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What all functions share: the code, the retention of their logs, and whether verdicts go into the outbox ("true" or "")."""

    code: lambda_.Code
    log_retention: logs.RetentionDays
    outbox: str = ""


class HandlerFunction(Construct):
    """A function with a role and a log group of its own.

    `module` is the module's name in `handlers`; `settings` become its environment. The role may write logs; the construct that
    makes the function grants the rest. `dead_letters` keeps the events on which an asynchronous invocation finally failed. The log
    group is deleted with the stack: what must be kept is in the table.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        common: Common,
        module: str,
        settings: AnySettings,
        timeout: Duration,
        memory_mb: int = 256,
        reserved_concurrency: int | None = None,
        dead_letters: DeadLetters | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(self, "Logs", retention=common.log_retention, removal_policy=RemovalPolicy.DESTROY)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            code=common.code,
            handler=f"handlers.{module}.handler",
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            environment=to_environment(settings),
            role=self.role,
            timeout=timeout,
            memory_size=memory_mb,
            reserved_concurrent_executions=reserved_concurrency,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            dead_letter_queue=dead_letters,
        )

    def allow(self, *actions: str, on: str) -> None:
        """Allow actions on a resource for which the CDK has no grant method."""
        self.role.add_to_principal_policy(iam.PolicyStatement(actions=list(actions), resources=[on]))

"""What all functions have in common."""

from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from handlers.settings import AnySettings, to_environment
from stacks.dead_letters import DeadLetters

# The newest that aws-cdk-lib knows (a test says when there is a newer one); the source itself runs on 3.11 and later.
RUNTIME = lambda_.Runtime.PYTHON_3_14


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What every function is given alike: the code, and for how long its logs are kept."""

    code: lambda_.Code
    log_retention: logs.RetentionDays


class HandlerFunction(Construct):
    """A function of the package `handlers` with a role and a log group of its own.

    `module` is the module's name in `handlers`; `settings` fill its environment; the role may write its logs, what else it may is
    granted by whoever makes the function. `dead_letters` takes the events that an asynchronously invoked function failed on for
    good. Its log group goes with the stack: what must be kept is in the table.
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
        """Let the function do this, where AWS's resources have no grant of their own."""
        self.role.add_to_principal_policy(iam.PolicyStatement(actions=list(actions), resources=[on]))

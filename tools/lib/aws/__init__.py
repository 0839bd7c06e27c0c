"""AWS for the tools: clients, the deployment, batch jobs, queues, objects and their keys."""

from tools.lib.aws.batch_jobs import ACTIVE_JOBS, POLL_SECONDS, JobView, describe, open_jobs
from tools.lib.aws.clients import REQUESTER_PAYS, Clients, connect, explain
from tools.lib.aws.deployment import DEFAULT_STACK, Deployment, Watching
from tools.lib.aws.objects import fetch, key_of, key_of_form, md5_of, path_of
from tools.lib.aws.queues import depth_of

__all__ = [
    "ACTIVE_JOBS",
    "DEFAULT_STACK",
    "POLL_SECONDS",
    "REQUESTER_PAYS",
    "Clients",
    "Deployment",
    "JobView",
    "Watching",
    "connect",
    "depth_of",
    "describe",
    "explain",
    "fetch",
    "key_of",
    "key_of_form",
    "md5_of",
    "open_jobs",
    "path_of",
]

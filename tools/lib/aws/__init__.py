"""AWS for the tools: clients, the deployment, batch jobs, objects and their keys."""

from tools.lib.aws.batch_jobs import JobView
from tools.lib.aws.clients import Clients, connect, explain
from tools.lib.aws.deployment import Deployment

__all__ = ["Clients", "Deployment", "JobView", "connect", "explain"]

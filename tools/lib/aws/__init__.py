"""AWS for the tools: clients, the deployment, batch jobs, objects and their keys."""

"""AWS as the tools see it: clients, the deployment, batch jobs."""

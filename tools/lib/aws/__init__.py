"""AWS as the tools use it: clients, the deployment, batch jobs, objects and their keys."""

"""AWS as the tools use it: clients, the deployment, batch jobs, objects and their keys; one list of codes for what is missing."""

"""What every flow needs to run: clients, clock, logs, the invocation, waiting."""

"""What every flow needs of its program_context: clients, clock, logs, the invocation, waiting."""

"""What every flow needs of its surroundings: clients, clock, logs, the invocation, waiting."""

"""What each function does with an event: registering, starting, completing, sweeping."""

"""The tasks of a sweep: each is independent of the others, stops in time, and runs again a minute later."""

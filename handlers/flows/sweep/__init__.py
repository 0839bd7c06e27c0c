"""The sweep and its tasks, each of which is independent of the others, stops in time, and runs again a minute later."""

"""The flow behind each function: register, start (by lane events), complete, sweep."""

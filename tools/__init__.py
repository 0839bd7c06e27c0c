"""Programs for people: submit a scan, control it, review it, rehearse it."""

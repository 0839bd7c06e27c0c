"""Scans under way: status, following, control, redrive."""

"""Submitting a scan: the plan, its file and text, and how it is performed."""

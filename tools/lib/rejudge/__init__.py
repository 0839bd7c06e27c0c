"""Judging a scan again by another policy."""

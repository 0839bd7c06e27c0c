"""Retrying what failed: which objects, why, and as which job."""

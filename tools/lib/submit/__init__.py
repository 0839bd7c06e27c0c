"""Submitting a scan: a plan is made, shown, kept in a file and performed; the same plan resumes whatever was interrupted."""

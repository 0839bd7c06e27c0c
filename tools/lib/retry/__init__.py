"""Retrying: which objects of a scan are worth another attempt, why, and the job that makes it."""

from tools.lib.retry.command import retry_scan

__all__ = ["retry_scan"]

"""The desk: the page of a review, served to one browser of this machine, with its videos, live verdicts and decisions.

Starlette and uvicorn are imported only where a desk is served.
"""

from tools.lib.desk.command import Served, serve_desk

__all__ = ["Served", "serve_desk"]

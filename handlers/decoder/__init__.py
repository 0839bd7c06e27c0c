"""FFmpeg in a process of its own, which decodes hostile media: `python -m handlers.decoder`.

Only its modules `film`, `packets` and `picture` need PyAV. `handlers.adapters.media` starts the process, reads the object for it,
and stops it, so a film that crashes FFmpeg, fills the memory or never ends does no harm to others.
"""

from handlers.decoder.wire import END, FRAME, OPENED, PROBLEM, READ, receive, send

__all__ = ["END", "FRAME", "OPENED", "PROBLEM", "READ", "receive", "send"]

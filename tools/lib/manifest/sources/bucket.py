"""Listings of the bucket itself as a source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tools.lib.aws import Clients
from tools.lib.errors import ToolError
from tools.lib.listing import Batch, Selection, UnselectedCounts, is_versioned, list_batches


def batches(
    clients: Clients, selection: Selection, progress: Callable[[int], None], directory: Path, unselected: UnselectedCounts
) -> Iterator[Batch]:
    """Yield the selected objects, with their versions if the bucket has any, and count those of other suffixes.

    Raises:
        ToolError: All versions are selected, but the bucket has none.
    """
    versioned = is_versioned(clients.s3, selection.bucket)
    if selection.all_versions and not versioned:
        raise ToolError(f"The bucket {selection.bucket} has no versions.", cure="Omit --all-versions.")
    return list_batches(clients, selection, versioned=versioned, progress=progress, directory=directory, unselected=unselected)

"""The store of batches that workers have listed ahead: a few in memory, the others on disk."""

import pytest

from tools.lib.listing import Batch, ListedObject
from tools.lib.listing.spool import Spool


@pytest.fixture(name="spool")
def _spool(tmp_path):
    spool = Spool(tmp_path / "new" / "folder", in_memory=2, on_disk=1)
    yield spool
    spool.close()


def batch(name):
    """Return a batch of one object."""
    return Batch.of([ListedObject(name, 1)])


def test_in_memory_first(spool):
    """As many batches as may be are kept in memory, and no file is made for them; a place that is taken from is free again."""
    kept = [spool.put(batch(name)) for name in "abc"]
    on_disk = [not isinstance(each, Batch) for each in kept]
    spool.take(kept[0])

    assert [False, False, True] == on_disk
    assert isinstance(spool.put(batch("d")), Batch)


def test_full(spool):
    """It is full while there is as much on disk as may be, and has room again once that was taken."""
    kept = [spool.put(batch(name)) for name in "ab"]
    before = spool.full
    spilled = spool.put(batch("c"))
    full = spool.full
    spool.take(spilled)

    assert (False, True, False) == (before, full, spool.full)
    assert ["a", "b"] == [key for each in kept for key in spool.take(each).keys]


def test_a_folder_that_exists(tmp_path):
    """The folder of the file may be there already, as that of the manifests mostly is."""
    spool = Spool(tmp_path, in_memory=0)

    kept = spool.put(batch("a"))

    assert ["a"] == list(spool.take(kept).keys)
    spool.close()


def test_what_is_on_disk_comes_back(spool):
    """Batches come back as they were, in whatever order they are taken, also after the file was emptied in between."""
    for _ in range(2):
        kept = [spool.put(batch(name)) for name in "abcde"]
        assert ["e", "c", "d", "a", "b"] == [key for at in (4, 2, 3, 0, 1) for key in spool.take(kept[at]).keys]

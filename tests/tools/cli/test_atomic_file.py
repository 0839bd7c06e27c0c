"""Files that are there wholly or not at all."""

import pytest

from tools.lib.cli import kept_if_done, replace_atomically


@pytest.mark.parametrize("before", [None, "old"])
def test_a_file_takes_its_place_at_the_end(tmp_path, before):
    """Until the block ends what stood there stays, if anything did; then the new file is there, and nothing beside it."""
    path = tmp_path / "file"
    if before:
        path.write_text(before)

    with replace_atomically(path) as part:
        part.write_text("new")
        seen = path.read_text() if path.exists() else None

    assert (before, "new", [path]) == (seen, path.read_text(), list(tmp_path.iterdir()))


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_half_a_file_is_none(tmp_path, error):
    """An error, or Ctrl-C, leaves what stood there before, and nothing beside it."""
    path = tmp_path / "file"
    path.write_text("old")

    def interrupted():
        with replace_atomically(path) as part:
            part.write_text("half")
            raise error

    with pytest.raises(error):
        interrupted()

    assert ("old", [path]) == (path.read_text(), list(tmp_path.iterdir()))


def test_nothing_written_is_no_file(tmp_path):
    """A block that leaves nothing under the name it was given makes no file."""
    with replace_atomically(tmp_path / "file") as part:
        part.write_text("not wanted after all")
        part.unlink()

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x" * 255, "\N{CLAPPER BOARD}" * 63])
def test_a_name_may_be_as_long_as_names_are(tmp_path, name):
    """The name beside it is no longer than a file system takes, in bytes."""
    path = tmp_path / name

    with replace_atomically(path) as part:
        part.write_text("new")

    assert "new" == path.read_text()


def test_files_go_with_the_failure(tmp_path):
    """All of them, those that are not there yet too, be it by Ctrl-C; and they stay where nothing fails."""
    first, second, third = paths = tuple(tmp_path / "new" / name for name in ("a", "b", "c"))

    def interrupted():
        with kept_if_done(*paths):
            second.write_text("half")
            raise KeyboardInterrupt

    with kept_if_done(*paths):
        first.write_text("whole")
    kept = first.exists()
    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert kept
    assert ([], third.parent) == (list((tmp_path / "new").iterdir()), tmp_path / "new")

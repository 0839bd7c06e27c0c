"""A rehearsal deletes what a rehearsal made and nothing else; only one uses a folder at a time."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.lib.errors import ToolError
from tools.rehearsal.output import FILES, FOLDERS, MARKER, SEAL, OutputFolder, require_apart

NAMES = [*FOLDERS, *FILES]


@pytest.fixture(name="output")
def _output(tmp_path):
    """Return the path of an output that does not exist."""
    return tmp_path / "output"


def rehearse(output):
    """Leave what a rehearsal leaves."""
    with OutputFolder(output) as folder:
        (output / "library" / "a").mkdir()
        (output / "library" / "a" / "1.mp4").write_bytes(b"made here")
        folder.note()
        (output / "world" / "log").write_text("made here")
        folder.add("review.txt", "made here")


KILLED = """
import os, sys
from pathlib import Path
from tools.rehearsal.output import OutputFolder
with OutputFolder(Path(sys.argv[1])) as folder:
    (folder.path / "library" / "1.mp4").write_bytes(b"made here")
    (folder.path / "world" / "log").write_text("grows")
    folder.note()
    (folder.path / "world" / "log").write_text("grows and grows")
    (folder.path / "world" / "other log").write_text("not listed any more")
    os.kill(os.getpid(), 9)
"""


def kill_during(output):
    """Leave what a rehearsal leaves if it is killed after its library was written."""
    killed = subprocess.run([sys.executable, "-c", KILLED, output], check=False)
    assert killed.returncode == -9


def tree(folder):
    """Return every file below a folder with its content, and every link with its target."""
    return {
        path.relative_to(folder): path.readlink() if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def assert_refused(output, culprit):
    """Check that a rehearsal refuses, names what is in its way, and changes nothing."""
    before = tree(output)

    with pytest.raises(ToolError) as refused, OutputFolder(output):
        pytest.fail("it began")

    assert str(culprit) in str(refused.value)
    assert "--output" in refused.value.cure
    assert before == tree(output)


@pytest.mark.slow
@pytest.mark.parametrize("leave", [rehearse, kill_during], ids=["ended", "killed"])
def test_what_a_rehearsal_made_is_cleared_away(output, leave):
    """The next rehearsal begins with empty folders, however the last one ended, and does not touch other files."""
    leave(output)
    (output / "notes.txt").write_text("mine")

    with OutputFolder(output):
        left = tree(output)

    assert {Path("notes.txt"), Path(MARKER)} == {path for path in left if path.name != SEAL}
    assert sorted([*FOLDERS]) == sorted(path.name for path in output.iterdir() if path.is_dir())


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_the_users_own_is_refused(output, name):
    """A file that no rehearsal made stays, even if it has one of our names."""
    output.mkdir()
    (output / name).write_text("mine")

    assert_refused(output, output / name)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_of_the_users_own_is_refused(output, name):
    """A folder that no rehearsal made stays, with all its files."""
    (output / name).mkdir(parents=True)
    (output / name / "film.mp4").write_text("mine")

    assert_refused(output, output / name)


@pytest.mark.parametrize("name", NAMES)
def test_a_link_is_refused(output, tmp_path, name):
    """A link is neither followed nor removed."""
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "film.mp4").write_text("mine")
    output.mkdir()
    (output / name).symlink_to(tmp_path / "videos")

    assert_refused(output, output / name)
    assert (tmp_path / "videos" / "film.mp4").exists()


@pytest.mark.slow
@pytest.mark.parametrize("leave", [rehearse, kill_during], ids=["ended", "killed"])
@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_put_in_place_of_ours_is_refused(output, tmp_path, leave, name):
    """A folder is not ours just because a rehearsal once made one of that name."""
    leave(output)
    shutil.move(output / name, tmp_path / "away")
    (output / name).mkdir()
    (output / name / "film.mp4").write_text("mine")

    assert_refused(output, output / name)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_file_added_to_ours_is_refused(output, name):
    """What someone put into a folder of ours afterwards stays."""
    rehearse(output)
    (output / name / "film.mp4").write_text("mine")

    assert_refused(output, output / name / "film.mp4")


@pytest.mark.slow
def test_a_film_added_to_the_library_of_a_killed_rehearsal_is_refused(output):
    """The library is listed before anything else begins, so its own videos are known even after a kill."""
    kill_during(output)
    (output / "library" / "film.mp4").write_text("mine")

    assert_refused(output, output / "library" / "film.mp4")


@pytest.mark.slow
def test_a_folder_that_got_the_inode_of_ours_is_refused(output):
    """A user's folder may get the inode of a deleted one of ours; without the seal it is the user's, after a kill too."""
    kill_during(output)
    shutil.rmtree(output / "world")
    (output / "world").mkdir()
    (output / "world" / "film.mp4").write_text("mine")
    marked = json.loads((output / MARKER).read_text("utf-8"))
    marked["folders"]["world"] = (output / "world").stat().st_ino
    (output / MARKER).write_text(json.dumps(marked))

    assert_refused(output, output / "world" / "film.mp4")


def test_a_link_added_to_ours_is_refused(output, tmp_path):
    """A link to a folder that was put into one of ours stays too."""
    rehearse(output)
    (output / "library" / "more").symlink_to(tmp_path)

    assert_refused(output, output / "library" / "more")


def test_a_file_of_ours_that_was_changed_is_refused(output):
    """A file of ours that someone changed stays."""
    rehearse(output)
    (output / "review.txt").write_text("made here, with my remarks")

    assert_refused(output, output / "review.txt")


def test_a_copy_of_an_output_is_refused(output, tmp_path):
    """A copy is not ours: its marker lists the folders of the original."""
    rehearse(output)
    shutil.copytree(output, tmp_path / "copy")

    assert_refused(tmp_path / "copy", tmp_path / "copy")


@pytest.mark.parametrize("text", ["", "[]", "{}", "mine", '{"folders": [], "files": {}, "complete": true}', "\udcff"])
def test_a_marker_that_is_not_ours_is_refused(output, text):
    """A file that only has the name of the marker is not overwritten."""
    output.mkdir()
    (output / MARKER).write_text(text, errors="surrogateescape")

    assert_refused(output, output / MARKER)


def test_what_file_managers_leave_is_ours_to_remove(output):
    """Files that file managers make when someone looks at a folder do not count as the user's."""
    rehearse(output)
    (output / "library" / ".DS_Store").touch()

    with OutputFolder(output):
        assert [SEAL] == [path.name for path in (output / "library").iterdir()]


def test_the_second_of_two_at_once_is_refused(output, tmp_path):
    """The first locks the folder against any path of the second, and unlocks it at its end."""
    (tmp_path / "link").symlink_to(output)
    with OutputFolder(output):
        assert_refused(tmp_path / "link", output)

    with OutputFolder(output):
        pass


@pytest.mark.slow
def test_the_lock_dies_with_its_process(output):
    """A rehearsal that was killed leaves no lock."""
    kill_during(output)

    with OutputFolder(output) as folder:
        folder.check()


def test_an_output_inside_anothers_is_refused(output):
    """An output inside another's is refused, because the next run of the outer rehearsal would delete it."""
    rehearse(output)

    with pytest.raises(ToolError, match="output of another rehearsal"), OutputFolder(output / "world" / "inner"):
        pytest.fail("it began")

    assert not (output / "world" / "inner").exists()


@pytest.mark.parametrize("name", ["", *FOLDERS])
def test_a_folder_that_is_removed_meanwhile_is_noticed(output, name):
    """Removing the output or a folder in it is an error at the next step, even if someone made it anew."""
    with OutputFolder(output) as folder:
        shutil.rmtree(output / name)
        (output / name).mkdir()

        with pytest.raises(ToolError, match="removed or replaced"):
            folder.check()


def test_the_marker_names_what_was_made(output):
    """At the end of a rehearsal the marker lists everything."""
    rehearse(output)

    marked = json.loads((output / MARKER).read_text("utf-8"))

    assert marked["complete"]
    assert {"library/a/1.mp4", "world/log", "review.txt"} == marked["files"].keys()
    assert set(FOLDERS) == marked["folders"].keys()


@pytest.fixture(name="videos")
def _videos(tmp_path):
    """Return a folder with a video."""
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "film.mp4").write_text("mine")
    return tmp_path / "videos"


@pytest.mark.parametrize("output", ["videos", "videos/out", ".", "videos/../videos", "link", "link/out", "other/../videos/new/out"])
def test_videos_and_output_in_each_other_are_refused(videos, tmp_path, monkeypatch, output):
    """Videos and output must not be the same folder or one in the other, by relative paths or links either."""
    (tmp_path / "link").symlink_to(videos)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)

    for directory in (videos, Path("videos"), Path("link")):
        with pytest.raises(ToolError, match="must not contain each other"):
            require_apart(directory, Path(output))


def test_the_library_of_an_earlier_rehearsal_is_refused_as_input(output):
    """An earlier library is refused as input for the same output, which would be deleted first."""
    rehearse(output)

    with pytest.raises(ToolError, match="must not contain each other"):
        require_apart(output / "library", output)


def test_a_video_that_is_a_link_into_the_output_is_refused(videos, output):
    """A video that is a link to a file in the output is refused."""
    rehearse(output)
    (videos / "linked.mp4").symlink_to(output / "library" / "a" / "1.mp4")

    with pytest.raises(ToolError, match="link into the output"):
        require_apart(videos, output)


@pytest.mark.parametrize("output", ["output", "videos-2", "other/videos"])
def test_videos_and_output_next_to_each_other_are_taken(videos, tmp_path, output):
    """Paths that only begin alike are not refused."""
    require_apart(videos, tmp_path / output)

"""`make demo`: the real programs, template and functions on real videos give every object the outcome it was made for."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from email import message_from_bytes, policy
from pathlib import Path

import av
import pytest
from click.testing import CliRunner

from tools import rehearse as rehearse_program
from tools.emulator.samples import Clip, demo_formats, demo_library, demo_upload, tiny_clip
from tools.rehearsal.output import SEAL

ROOT = Path(__file__).parents[2]
# The demo itself gives up when nothing goes on in it. This is for what hangs, on a machine that does ten other things.
DEMO_SECONDS = 880.0
pytestmark = pytest.mark.timeout(900)
SAMPLE_SECONDS = 0.5
"""Rekognition looks about twice a second: a card is seen up to one sample late, and no longer up to one sample early."""

LIBRARY = (*demo_library(), *demo_formats())
LISTED = [sample for sample in LIBRARY if sample.expected.state != "NOT_LISTED"]


def begin(home, output, *arguments):
    """Start the demo as a person would, with an empty home."""
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONUTF8": "1"}
    command = [sys.executable, str(ROOT / "tools" / "rehearse.py"), "--output", str(output), *map(str, arguments)]
    return subprocess.Popen(command, env=environment, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")


def rehearse(home, output, *arguments):
    """Run the demo to its end."""
    with begin(home, output, *arguments) as process:
        try:
            out, talk = process.communicate(timeout=DEMO_SECONDS)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, talk)


def rehearse_here(output, *arguments):
    """Run the demo in this process, which has loaded the offline world already."""
    return CliRunner().invoke(rehearse_program.main, ["--output", str(output), *map(str, arguments)])


def until_submitting(process):
    """Read a demo's output until it submits."""
    talk = ""
    while "submit_job.py" not in talk:
        line = process.stderr.readline()
        assert line, talk
        talk += line


@pytest.fixture(scope="module", name="demo")
def _demo(tmp_path_factory):
    """Run the demo and return its folder and what it wrote."""
    home, output = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("rehearsal")

    done = rehearse(home, output)

    assert done.returncode == 0, done.stderr
    return output, done


@pytest.fixture(scope="module", name="rehearsal")
def _rehearsal(demo):
    """Return the demo's folder."""
    return demo[0]


@pytest.fixture(scope="module", name="review")
def _review(rehearsal):
    """Return what `review_report.py --json` printed."""
    return json.loads((rehearsal / "review.json").read_text(encoding="utf-8"))


def keys(state):
    """Return the keys that were made to end in a state."""
    return {sample.key for sample in LISTED if sample.expected.state == state}


def test_every_object_is_in_its_state(review):
    """The truth table has the counts of the library, and they add up to the manifest."""
    expected = Counter(sample.expected.state.lower() for sample in LISTED)

    assert expected == Counter({state: count for state, count in review["states"].items() if count})
    assert (len(LISTED), True) == (review["objects"], review["adds_up"])


def test_flagged_failed_and_skipped_keys(review):
    """Keys come back as they were stored, whatever characters they contain."""
    assert keys("FLAGGED") == {video["key"] for video in review["flagged"]}
    assert keys("FAILED") == {video["key"] for video in review["failed"]}
    assert keys("INELIGIBLE") == {video["key"] for video in review["ineligible"]}
    assert keys("SKIPPED") == {video["key"] for video in review["skipped"]}


def test_the_transcript_in_the_readme(demo):
    """The plan, the last line of the progress and the review in README.md are those of the demo; ids and the way there differ."""
    _, _, shown = (ROOT / "README.md").read_text("utf-8").partition("$ python tools/submit_job.py --bucket amzn-s3-demo-bucket")
    submitted, _, reviewed = shown.partition("$ python tools/review_report.py\n")
    progress = [line for line in submitted.splitlines() if line.startswith("batch job ")]
    plan = [line for line in submitted.splitlines() if line.startswith("  ")]
    review = reviewed.partition("Sent 17 mails")[0].splitlines()

    _, done = demo
    printed = {*done.stderr.splitlines(), *done.stdout.splitlines()}

    assert plan
    assert progress
    assert review
    assert [] == [line for line in (*plan, progress[-1], *review) if line not in printed and not line.startswith("Rekognition ")]


def test_results_and_talk(demo):
    """The reviews, the bills, tags and events, and the mails are on stdout, and nothing else; each step is one line on stderr."""
    folder, done = demo

    shown = "\n".join((folder / name).read_text("utf-8") for name in ("review.txt", "day.txt", "frames.txt"))
    steps = [line for line in done.stderr.splitlines() if "Uploading the library" in line]
    bills, before, after, mails, *subjects = done.stdout.removeprefix(shown).strip().splitlines()
    assert done.stdout.startswith(f"{shown}\nRekognition would have charged $")
    assert " by the video API (" in bills
    assert before.startswith("Tag FLAGS_FOUND, event FLAGS_FOUND: ")
    assert after.startswith("Tag NO_FLAGS_FOUND, event NO_FLAGS_FOUND, by the decision false-alarm: ")
    assert mails.startswith("Sent 17 mails to ")
    assert 17 == len(subjects)
    assert 1 == len(steps)


def test_reasons_of_failures(review):
    """Each failed and each ineligible object has its reason."""
    expected = {sample.key: sample.expected.reason for sample in LISTED if sample.expected.reason}

    assert expected == {video["key"]: video["reason"] for video in review["failed"] + review["ineligible"]}


@pytest.mark.parametrize(
    "sample", [sample for sample in LISTED if sample.expected.state == "FLAGGED"], ids=lambda sample: sample.key
)
def test_cards_are_found_where_they_are(review, sample):
    """Each card is found at its second, to one sample, with its confidence, and nothing else is found."""
    [video] = [video for video in review["flagged"] if video["key"] == sample.key]
    parents = {segment["parent"] for segment in video["segments"]}
    found = {segment["label"]: segment for segment in video["segments"] if segment["label"] not in parents}

    assert {card.label for card in sample.expected.labels} == found.keys()
    for card in sample.expected.labels:
        segment = found[card.label]
        assert card.start_s <= segment["start_seconds"] <= card.start_s + SAMPLE_SECONDS
        assert card.end_s - SAMPLE_SECONDS <= segment["end_seconds"] + SAMPLE_SECONDS <= card.end_s + SAMPLE_SECONDS
        assert card.confidence == pytest.approx(segment["confidence"], abs=2)


def test_a_mail_for_each_flagged_video(rehearsal):
    """A flagged video has one mail for each of its scans: an ASCII subject of at most 99 characters, and its URI in the body."""
    mails = [
        message_from_bytes(path.read_bytes(), policy=policy.default) for path in (rehearsal / "world" / "outbox").glob("*.eml")
    ]
    bodies = [mail.get_content() for mail in mails if str(mail["Subject"]).startswith("Flagged")]

    by_frames = [sample for sample in LIBRARY if (sample.by_frames or sample.expected).state == "FLAGGED"]
    assert len(keys("FLAGGED")) + 1 + len(by_frames) + 1 == len(bodies)
    assert all(mail["Subject"].isascii() and len(mail["Subject"]) <= 99 for mail in mails)
    assert all(any(f"s3://amzn-s3-demo-bucket/{key}" in body for body in bodies) for key in (*keys("FLAGGED"), demo_upload().key))


def test_what_is_uploaded_meanwhile(rehearsal):
    """What is uploaded during the scan has a scan of its day, with one object, which is flagged."""
    day = (rehearsal / "day.txt").read_text(encoding="utf-8")

    assert "objects              1 of 1: every object is accounted for" in day
    assert f"s3://amzn-s3-demo-bucket/{demo_upload().key}" in day
    assert "Violence > Weapons" in day


def test_by_frames(demo):
    """The same library is scanned by frames as well, and Rekognition's own ledger says what each engine would have cost."""
    folder, done = demo
    review = (folder / "frames.txt").read_text(encoding="utf-8")

    bills = r"charged \$(.+) by the video API \((.+) min\) and \$(.+) by frames, every 1 s \((\d+) images\)"

    by_video, minutes, by_frames, images = map(float, re.search(bills, done.stdout).groups())
    assert "objects             19 of 19: every object is accounted for" in review
    assert by_video == pytest.approx(0.1 * minutes, abs=0.006)
    assert by_frames == pytest.approx(0.001 * images, abs=0.0006)
    # A second of film for each image, one more for each film, and two pictures.
    seconds = sum(sample.content.seconds for sample in LIBRARY if isinstance(sample.content, Clip))
    assert 0.9 * seconds <= images <= seconds + demo_upload().content.seconds + len(LIBRARY)


def test_a_digest_at_the_end(rehearsal, review):
    """A mail shows how the first scan ended, with the review's counts except for what was left out beforehand."""
    mails = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in sorted((rehearsal / "world" / "outbox").glob("*.eml"))
    ]
    counts = {state: count for state, count in review["states"].items() if state in ("clean", "flagged", "failed") and count}

    digest, _ = [mail.get_content() for mail in mails if str(mail["Subject"]).startswith("Scan finished")]

    assert all(f"  {state:<16}{count:>6,}\n" in digest for state, count in counts.items())
    assert f"  {'objects':<16}{len(LISTED) - review['states']['ineligible']:>6,}\n" in digest


def test_everything_is_left_in_the_folder(rehearsal):
    """Videos, manifest, plan, side list, review and logs remain in the folder."""
    videos = {path.relative_to(rehearsal / "library").as_posix() for path in (rehearsal / "library").rglob("*") if path.is_file()}

    assert {sample.key for sample in LIBRARY} == videos
    names = {path.name.partition("-")[2] or path.name.partition(".")[2] for path in (rehearsal / "manifests").iterdir()}
    assert names == {"csv", "plan.json", "ineligible.csv"}
    assert "every object is accounted for" in (rehearsal / "review.txt").read_text(encoding="utf-8")


def test_own_videos(tmp_path):
    """A folder of the user's is scanned as it is: without test cards everything comes out clean."""
    videos = tmp_path / "videos" / "2024"
    videos.mkdir(parents=True)
    (videos / "my holiday.mp4").write_bytes(tiny_clip())
    (videos / "list.txt").write_text("not a video")

    done = rehearse_here(tmp_path / "rehearsal", tmp_path / "videos")

    review = json.loads((tmp_path / "rehearsal" / "review.json").read_text(encoding="utf-8"))
    assert done.exit_code == 0, done.stderr
    assert (review["objects"], review["states"]["clean"]) == (1, 1)


def test_own_videos_that_cannot_be_analysed(tmp_path):
    """Where some of the user's videos get no verdict the exit code is that of the review, as the help says."""
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "good.mp4").write_bytes(tiny_clip())
    (videos / "empty.mp4").write_bytes(b"")

    done = rehearse_here(tmp_path / "rehearsal", videos)

    review = json.loads((tmp_path / "rehearsal" / "review.json").read_text(encoding="utf-8"))
    assert (3, 1, 1) == (done.exit_code, review["states"]["clean"], review["states"]["ineligible"])


def test_a_folder_without_files(tmp_path):
    """An empty folder is refused with the cure before anything is set up."""
    (tmp_path / "empty").mkdir()

    done = rehearse(tmp_path, tmp_path / "rehearsal", tmp_path / "empty")

    assert done.returncode == 1
    assert "contains no files" in done.stderr
    assert "Cure:" in done.stderr


@pytest.mark.parametrize("own", [False, True], ids=["samples", "own videos"])
def test_a_broken_world_fails(tmp_path, monkeypatch, own):
    """If the decoder cannot be called, as with another PyAV, the rehearsal ends at once and names what broke."""
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "film.mp4").write_bytes(tiny_clip())
    monkeypatch.setattr(av, "open", sabotaged(av.open))

    done = rehearse_here(tmp_path / "rehearsal", *([tmp_path / "videos"] if own else []))

    assert done.exit_code == 1
    assert "The offline world broke" in done.stderr
    assert "unexpected keyword argument" in done.stderr
    assert "Cure:" in done.stderr


def sabotaged(honest):
    """Return an `av.open` that cannot read."""

    def fail(file, mode="r", **options):
        if mode == "r":
            raise TypeError("open() got an unexpected keyword argument")
        return honest(file, mode, **options)

    return fail


def test_two_at_once_and_a_folder_removed_meanwhile(tmp_path):
    """A second run on the same output is refused and does no harm; the first fails when its folder is removed."""
    output = tmp_path / "rehearsal"
    with begin(tmp_path, output) as first:
        try:
            until_submitting(first)
            second = rehearse(tmp_path, output)
            library = [path for path in (output / "library").rglob("*") if path.is_file() and path.name != SEAL]
            shutil.rmtree(output, ignore_errors=True)
            _, rest = first.communicate(timeout=120)
        finally:
            first.kill()

    assert (second.returncode, len(library)) == (1, len(LIBRARY))
    assert "Another rehearsal is using" in second.stderr
    assert first.returncode == 1
    assert "removed or replaced" in rest
    assert "Traceback" not in rest


def test_the_users_own_library_is_not_deleted(tmp_path):
    """`rehearse.py X/library --output X` is refused with a cure, and X stays unchanged."""
    names = ("library", "manifests", "cdk.out", "world")
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "film.mp4").write_bytes(tiny_clip())

    done = rehearse(tmp_path, tmp_path, tmp_path / "library")

    assert done.returncode == 1
    assert "Cure:" in done.stderr
    assert all((tmp_path / name / "film.mp4").read_bytes() == tiny_clip() for name in names)

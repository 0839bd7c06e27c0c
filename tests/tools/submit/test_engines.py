"""What looks at a scan's objects: the options, the plan, and the request to S3."""

import json
from dataclasses import replace

import click
import pytest
from click.testing import CliRunner

from handlers.domain import Engine
from tests.tools.submit.runs import BUCKET, Runs
from tests.tools.submit.test_plan import plan, request
from tools.emulator.samples import Clip, Still, encode, encode_still
from tools.lib.cli import ProgramContext
from tools.lib.errors import ToolError
from tools.lib.estimate import EngineChoice, missed
from tools.lib.submit.engine_options import deployed, engine_from, engine_options
from tools.lib.submit.plan import from_json
from tools.lib.submit.plan_text import lines_of

FRAMES = EngineChoice(Engine.FRAMES, 2_500)
OTHERS = EngineChoice(others=Engine.FRAMES)
HINT = "pass --others frames to have those in other codecs and file formats looked at by frames"
OF_BUCKET = ("--bucket", BUCKET)
DEPLOYMENT = replace(plan().deployment, images_per_second=5.0)


@click.command()
@engine_options
def command(**chosen):
    """Say what was chosen."""
    choice = engine_from(**chosen)
    click.echo(json.dumps([choice.engine, choice.interval_ms, choice.others]))


def run(*arguments):
    """Run the command."""
    return CliRunner().invoke(command, arguments, obj=ProgramContext())


class TestOptions:
    @pytest.mark.parametrize(
        ("arguments", "chosen"),
        [
            ([], ["video", 5_000, None]),
            (["--frames", "5s"], ["frames", 5_000, None]),
            (["--frames", "1"], ["frames", 1_000, None]),
            (["--frames", "2.5s"], ["frames", 2_500, None]),
            (["--frames", "60s"], ["frames", 60_000, None]),
            (["--others", "frames"], ["video", 5_000, "frames"]),
        ],
    )
    def test_chosen(self, arguments, chosen):
        """Without an option the video API looks at everything; --frames has an interval, with or without its unit."""
        assert chosen == json.loads(run(*arguments).stdout)

    @pytest.mark.parametrize("text", ["0.9s", "61s", "60.001s", "5m", "-5s", "5 s", ""])
    def test_refused_intervals(self, text):
        """From 1 s to 60 s; anything else is a usage error that names the rule."""
        result = run("--frames", text)

        assert 2 == result.exit_code
        assert "use 1s to 60s, such as 5s or 2.5s" in result.stderr

    def test_frames_have_no_others(self):
        """By frames everything goes by frames."""
        result = run("--frames", "5s", "--others", "frames")

        assert 2 == result.exit_code
        assert "--others is for a scan by the video API" in result.stderr


class TestDeployed:
    """What a choice comes to in a deployment."""

    @pytest.mark.parametrize("choice", [EngineChoice(), FRAMES, OTHERS, EngineChoice(images=True)])
    def test_with_frames(self, choice):
        """Where frames are deployed images are analysed, whatever the engine of films, and the choice stands."""
        assert replace(choice, images=True) == deployed(choice, DEPLOYMENT)

    @pytest.mark.parametrize("images", [False, True])
    def test_without_frames(self, images):
        """Where they are not, the video API takes no images."""
        assert EngineChoice() == deployed(EngineChoice(images=images), replace(DEPLOYMENT, images_per_second=None))

    @pytest.mark.parametrize("choice", [FRAMES, OTHERS])
    def test_refused(self, choice):
        """What needs frames is refused there, with the cure."""
        with pytest.raises(ToolError, match="deployed without the engine of frames") as refused:
            deployed(choice, replace(DEPLOYMENT, images_per_second=None))

        assert "`make deploy`" in refused.value.cure


class TestPlan:
    @pytest.mark.parametrize(
        ("choice", "arguments"),
        [
            (EngineChoice(), {}),
            (FRAMES, {"engine": "frames", "interval_ms": "2500"}),
            (OTHERS, {"engine": "video", "interval_ms": "5000", "others": "frames"}),
        ],
    )
    def test_arguments(self, choice, arguments):
        """The job tells the function what looks at its objects; a scan by the video API alone says nothing, as before."""
        given = request(plan(choice=choice))["Operation"]["LambdaInvoke"]["UserArguments"]

        assert {"scan_id": plan().scan_id, "lane": "normal", **arguments} == given

    @pytest.mark.parametrize("choice", [EngineChoice(), FRAMES, OTHERS])
    def test_round_trip(self, choice):
        """The plan's file holds what was chosen."""
        planned = plan(choice=choice)

        again = from_json(json.loads(json.dumps(planned.as_json())), planned.deployment)

        assert planned == again

    def test_older_plans(self):
        """A plan of an earlier version is of a scan by the video API."""
        values = {name: value for name, value in plan().as_json().items() if name not in ("engine", "interval_ms", "others")}

        assert EngineChoice() == from_json(values, plan().deployment).choice

    @pytest.mark.parametrize(
        ("choice", "line"),
        [
            (EngineChoice(), "Engine    the video API"),
            (FRAMES, "Engine    by frames, every 2.5 s"),
            (OTHERS, "Engine    the video API; films in containers and codecs that it does not take by frames, every 5 s"),
        ],
    )
    def test_text(self, choice, line):
        """A person sees what will look at the objects."""
        assert line in [shown.strip() for shown in lines_of(plan(choice=choice))]


@pytest.fixture(name="runs")
def _runs(make_line):
    line = make_line({"frames": True, "images_per_second": 50})
    line.put("film.mp4", encode(Clip(12.0)))
    line.put("film.mkv", encode(Clip(12.0, codec="hevc", container="matroska")))
    line.put("hevc.mp4", encode(Clip(12.0, codec="hevc")))
    line.put("photo.jpg", encode_still(Still(label="Weapons")))
    return Runs(line, checks=())


def planned(runs, *arguments):
    """Return the plan of all objects, every header read, as JSON and as the lines that a person sees."""
    every = (*OF_BUCKET, "--measure", "all", "--suffix", "")
    result = runs.submit("--dry-run", "--json", *every, *arguments)
    assert 0 == result.exit_code, result.stderr
    given = json.loads(result.stdout)
    return given, runs.submit("--dry-run", *every, *arguments).stdout


class TestSideBySide:
    def test_video(self, runs):
        """By the video API: what it does not take is left out, images are counted, and frames stand beside it."""
        given, text = planned(runs)

        assert ("video", None, {"codec": 1, "container": 1}) == (given["engine"], given["interval_ms"], given["ineligible"])
        assert (2, 0.2) == (given["objects"], pytest.approx(given["estimate"]["minutes"]["best"], abs=0.01))
        assert 1 == given["estimate"]["images"]["best"]
        other = given["estimate"]["alternative"]
        assert ("frames", 5_000, 4) == (other["engine"], other["interval_ms"], other["objects"])
        assert other["sentences"][0].startswith("by frames, every 5 s: ")
        assert [missed(5_000), "pass --frames 5s to submit that"] == other["sentences"][1:]
        assert "Or        by frames, every 5 s: " in text
        assert HINT in text

    def test_frames(self, runs):
        """By frames: nothing is left out, and the video API stands beside it."""
        given, text = planned(runs, "--frames", "2.5s")

        assert ("frames", 2_500, {}, 4) == (given["engine"], given["interval_ms"], given["ineligible"], given["objects"])
        # Five of each film of 12 s, one image, and the guess at the film whose header is not read.
        assert 11 <= given["estimate"]["images"]["best"] < 12
        assert missed(2_500) in given["estimate"]["sentences"]
        assert "Rekognition looks at a frame of each film every 2.5 s, up to 50 images a second." in given["then"]
        other = given["estimate"]["alternative"]
        assert ("video", 2) == (other["engine"], other["objects"])
        assert "Or        by the video API: 0.2 min of video, and 1 image; " in text

    def test_others(self, runs):
        """With --others frames films in containers and codecs that the video API does not take stay, and are paid by the image."""
        given, text = planned(runs, "--others", "frames")

        assert ({}, "frames", 5_000) == (given["ineligible"], given["others"], given["interval_ms"])
        # One image, three of the HEVC film of 12 s, and the guess at the film whose header is not read.
        assert 4 < given["estimate"]["images"]["best"] < 5
        assert HINT not in text
        assert 0.2 == pytest.approx(given["estimate"]["minutes"]["best"], abs=0.01)

    def test_scan_item(self, runs):
        """The scan says by which engine, and so do the arguments of its job."""
        done = json.loads(runs.submit(*OF_BUCKET, "--suffix", ".mp4", "--frames", "2s", "--json", "--suspended").stdout)

        scan = runs.line.table.scans.scan(done["scan_id"])
        assert (Engine.FRAMES, 2_000) == (scan.engine, scan.interval_ms)

    @pytest.mark.parametrize("arguments", [["--frames", "5s"], ["--others", "frames"]])
    def test_refused_where_not_deployed(self, line, arguments):
        """Without frames in the deployment they are refused before anything is listed, with the cure."""
        result = Runs(line, checks=()).submit(*OF_BUCKET, *arguments)

        assert 1 == result.exit_code
        assert "was deployed without the engine of frames" in result.stderr
        assert 'Set "frames" to true in cdk.json and run `make deploy`' in result.stderr

    def test_a_plan_of_frames_needs_them(self, line):
        """A plan of a scan by frames is refused where the deployment has lost them."""
        line.put("film.mp4")
        runs = Runs(line, checks=())
        values = json.loads(runs.submit(*OF_BUCKET, "--dry-run", "--json").stdout)
        path = runs.folder / f"{values['scan_id']}.plan.json"
        path.write_text(json.dumps({**values, "engine": "frames"}))

        result = runs.submit("--run-plan", str(path))

        assert 1 == result.exit_code
        assert "was deployed without the engine of frames" in result.stderr

    def test_the_other_engine_without_frames(self, line):
        """Where frames are not deployed the plan shows them all the same, and what they need."""
        line.put("film.mp4", encode(Clip(12.0)))

        given = json.loads(Runs(line, checks=()).submit(*OF_BUCKET, "--dry-run", "--json", "--measure", "all").stdout)

        assert given["estimate"]["alternative"]["sentences"][-1] == (
            'pass --frames 5s to submit that, after "frames" was set to true in cdk.json and deployed'
        )

"""Both engines: what each leaves out, what is analysed and paid for, and when it is ready."""

from decimal import Decimal

import pytest

from handlers.domain import Engine
from handlers.domain.mp4 import Header, Unreadable
from handlers.domain.record import Scan, Totals
from handlers.domain.states import ScanStatus, State
from tests.tools.estimate.test_result import NOW, estimated, video
from tools.lib.errors import ToolError
from tools.lib.estimate.engine_choice import BY_VIDEO, EngineChoice, missed
from tools.lib.estimate.figure import Range
from tools.lib.estimate.pace import BEFORE_AND_AFTER, Pace, measured_pace, measured_speed
from tools.lib.estimate.prices import PriceTable
from tools.lib.estimate.sampling import Population

FRAMES = EngineChoice(Engine.FRAMES, 5_000, images=True)
OTHERS = EngineChoice(others=Engine.FRAMES, images=True)
WITH_IMAGES = EngineChoice(images=True)

IMAGE = Unreadable("not-a-video", "The object is not a video but a JPEG image.", image=True)
AVIF = Unreadable("no-header", "The file is an image.", image=True)
TEXT = Unreadable("not-a-video", "The object is not a video but text.")
MATROSKA = Unreadable("container", "The file is Matroska.")
AVI = Unreadable("other-container", "The file is AVI.")
CUT = Unreadable("no-header", "The file has no header.")
ANIMATION = Header(12.0, "av1", image=True)
HEVC, LONG, NO_PICTURE = video(60, "hevc"), video(7 * 3_600), Header(0.0, "")


class TestWhatIsLeftOut:
    @pytest.mark.parametrize(
        ("choice", "codes"),
        [
            (BY_VIDEO, ["codec", "too-long", "no-picture", "container", "no-header", "no-header"]),
            (WITH_IMAGES, ["codec", "too-long", "no-picture", "container", "no-header", None]),
            (OTHERS, [None, "too-long", "no-picture", None, "no-header", None]),
            (FRAMES, [None, None, "no-picture", None, "no-header", None]),
        ],
        ids=["video", "video and images", "others by frames", "frames"],
    )
    def test_by_choice(self, choice, codes):
        """Frames are taken of any codec, container and length, as others of any codec and container; nothing looks at the rest."""
        readings = [HEVC, LONG, NO_PICTURE, MATROSKA, CUT, AVIF]

        problems = [choice.problem(reading) for reading in readings]

        assert codes == [problem and problem.code for problem in problems]

    def test_what_nothing_is_known_of_stays(self):
        """An image, a text and an AVI file are in the manifest whatever the choice."""
        assert not any(choice.problem(reading) for choice in (BY_VIDEO, FRAMES, OTHERS) for reading in (IMAGE, TEXT, AVI))


class TestImages:
    def test_one_an_interval(self):
        """A film of 12 s has three frames at 5 s, one of 1 s has one; one more for each film may be paid for."""
        found = estimated([(1_000, video(12)), (1_000, video(1))], choice=FRAMES)

        assert Range(4, 4, 6) == found.images
        assert 13 / 60 == pytest.approx(found.minutes.best)

    def test_shorter_interval(self):
        """Half the interval, twice the images."""
        found = estimated([(1_000, video(100))], choice=EngineChoice(Engine.FRAMES, 2_500, images=True))

        assert 40 == found.images.best

    def test_any_codec_has_a_length(self):
        """A film in a codec that the video API leaves out counts with its length."""
        by_video, by_frames = (estimated([(1_000, video(60)), (1_000, HEVC)], choice=choice) for choice in (BY_VIDEO, FRAMES))

        assert (1.0, 2.0) == (by_video.minutes.best, by_frames.minutes.best)
        assert ({}, 24.0) == (by_frames.faults, by_frames.images.best)

    @pytest.mark.parametrize(("choice", "images", "unreadable"), [(BY_VIDEO, 0, 2), (WITH_IMAGES, 2, 0), (FRAMES, 2, 0)])
    def test_an_image_is_one(self, choice, images, unreadable):
        """An image is analysed by one call whatever the engine, where frames are deployed; nothing is uncertain about it."""
        found = estimated([(1_000, IMAGE), (900_000, IMAGE)], choice=choice)

        assert Range.exactly(images) == found.images
        assert unreadable == found.unreadable.get("not-a-video", 0)
        assert found.cost.rekognition.best == pytest.approx(0.001 * images)

    @pytest.mark.parametrize(("choice", "images", "code"), [(BY_VIDEO, 0, "codec"), (WITH_IMAGES, 3, None), (FRAMES, 3, None)])
    def test_animated_images(self, choice, images, code):
        """An animated image goes by the interval, whatever the engine, where frames are deployed."""
        found = estimated([(1_000, ANIMATION)], choice=choice)

        problem = choice.problem(ANIMATION)
        assert (images, code) == (found.images.best, problem and problem.code)

    def test_others(self):
        """With `--others frames` the video API has its minutes, and other containers and codecs are paid by the image."""
        found = estimated([(1_000, video(600)), (37_500_000, MATROSKA), (1_000, HEVC)], choice=OTHERS)

        assert 10.0 == found.minutes.best
        assert 12.0 + 12.0 == pytest.approx(found.images.best)
        assert 1.0 + 0.024 == pytest.approx(found.cost.rekognition.best)
        assert {"container": 1} == found.unreadable

    @pytest.mark.parametrize(("choice", "reading"), [(FRAMES, MATROSKA), (OTHERS, MATROSKA), (OTHERS, AVI), (FRAMES, AVI)])
    def test_unread_formats_are_guessed(self, choice, reading):
        """Of a film whose format is not read only the size tells the length: at 1 to 20 Mbit/s, which is said."""
        found = estimated([(6_250_000, reading)], choice=choice)

        assert (0.5, 2.0, 10.0 + 1) == pytest.approx((found.images.low, found.images.best, found.images.high))
        assert "the length of films in formats that only frames take is guessed from their size, at 5 Mbit/s" in found.assumptions

    def test_none_read(self):
        """Without any header the images are guessed, too, at least one of each film; by the video API there are none."""
        by_video, by_frames = (estimated([], unread=[6_250_000] * 4, choice=choice) for choice in (WITH_IMAGES, FRAMES))

        assert Range.exactly(0.0) == by_video.images
        assert (4.0, 8.0, 44.0) == pytest.approx((by_frames.images.low, by_frames.images.best, by_frames.images.high))

    def test_extrapolated(self):
        """The images of films that were not read follow from those that were."""
        found = estimated([(1_000 + n, video(50)) for n in range(10)], unread=[1_000] * 90, choice=FRAMES)

        assert 1_000 == pytest.approx(found.images.best, rel=0.02)
        assert found.images.low < found.images.best < found.images.high


class TestDollars:
    @pytest.mark.parametrize(
        ("images", "months", "dollars"),
        [
            (1_000, 1, 1.0),
            (1_000_000, 1, 1_000.0),
            (1_000_001, 1, 1_000.0008),
            (12_000_000, 1, 8_400.0),
            (12_000_000, 2, 2 * (1_000 + 3_200 + 600)),
            (40_000_000, 1, 1_000 + 3_200 + 18_000 + 1_250),
            (0, 3, 0.0),
        ],
    )
    def test_tiers(self, images, months, dollars):
        """The more images in a month, the cheaper; each month begins anew."""
        assert dollars == pytest.approx(PriceTable().images(images, months))

    def test_months_of_a_long_scan(self):
        """A scan that takes months has the tiers of each."""
        slow = Pace(Range.exactly(5.0), 0)

        found = estimated([(1_000, video(100_000_000))], choice=FRAMES, pace=slow)

        # 20 million images at 5 a second: 46 days from 15 January are in January, February and March.
        assert PriceTable().images(20_000_000, 3) == pytest.approx(found.cost.rekognition.best)

    def test_cheaper_than_the_video_api(self):
        """A frame every 5 s costs less than an eighth of the video API, with everything around it."""
        films = [(1_000, video(600))] * 1_000

        by_video, by_frames = (estimated(films, choice=choice) for choice in (BY_VIDEO, FRAMES))

        assert by_frames.dollars.best < by_video.dollars.best / 7.9

    def test_max_cost_is_that_of_the_choice(self):
        """A limit between the two engines refuses the video API and allows frames."""
        by_video, by_frames = (estimated([(1_000, video(6_000))], choice=choice) for choice in (BY_VIDEO, FRAMES))

        by_frames.require_affordable(Decimal(3))
        with pytest.raises(ToolError, match="more than the"):
            by_video.require_affordable(Decimal(3))

    def test_retrieval(self):
        """For frames a part of each object is read, in many requests."""
        stored = {"STANDARD_IA": Population(1, 1_000 * 10**9)}

        by_video, by_frames = (estimated([(1_000, video(600))], choice=choice, stored=stored) for choice in (BY_VIDEO, FRAMES))

        assert by_frames.cost.retrieval.best < by_video.cost.retrieval.best
        assert any("a tenth to all of each object is assumed to be read" in line for line in by_frames.sentences())


class Table:
    """A table with closed scans by an engine: (seconds that it took, images, minutes of video)."""

    def __init__(self, engine, *scans):
        self._engine = engine
        self._scans = scans

    def submitted(self):
        """Return the scans."""
        return [
            Scan(str(at), "b", created_at=0.0, closed_at=each[0], status=ScanStatus.CLOSED, engine=self._engine)
            for at, each in enumerate(self._scans)
        ]

    def totals(self, scan_id):
        """Return what a scan came to."""
        _, images, seconds = self._scans[int(scan_id)]
        return Totals({State.CLEAN: 1_000}, {State.CLEAN: seconds * 1_000}, images=images)


class TestPace:
    def test_as_set(self):
        """Without an earlier scan the pace that is set is nearly used."""
        pace = measured_pace(Table(Engine.FRAMES), 50.0)

        assert (Range(40.0, 47.5, 50.0), 0) == (pace.per_second, pace.scans)
        assert "as set by images_per_second" in pace.sentence

    def test_history(self):
        """Scans that kept the pace busy tell it; it is never faster than is set now."""
        took = 10_000 + BEFORE_AND_AFTER.best
        scans = [(took, 200_000, 1), (took, 300_000, 1), (took, 900_000, 1), (took, 20, 1)]

        pace = measured_pace(Table(Engine.FRAMES, *scans), 50.0)

        assert (Range(20.0, 30.0, 50.0), 3) == (pace.per_second, pace.scans)
        assert "3 earlier scans" in pace.sentence

    def test_each_engine_has_its_own(self):
        """A scan by frames says nothing of the video API, and the other way round."""
        scans = [(10_000, 400_000, 100_000)] * 3

        assert 0 == measured_speed(Table(Engine.FRAMES, *scans), slots=10).scans
        assert 0 == measured_pace(Table(Engine.VIDEO, *scans), 50.0).scans

    def test_ready(self):
        """A hundred thousand images at five a second take 20,000 seconds, whatever the slots."""
        found = estimated([(1_000, video(500_000))], choice=FRAMES, slots=1)

        assert BEFORE_AND_AFTER.best + 20_000 == pytest.approx(found.seconds.best)
        assert NOW + found.seconds.best == found.finished_at.best

    @pytest.mark.slow
    def test_the_slower_engine_decides(self):
        """Where both are used a scan is ready when the slower one is."""
        films, images = [(1_000, video(600))], [(1_000, IMAGE)] * 50_000

        alone, with_images = (estimated(readings, choice=WITH_IMAGES) for readings in (films, [*films, *images]))

        assert alone.seconds.best < with_images.seconds.best
        assert BEFORE_AND_AFTER.best + 50_001 * 10.0 / 10 <= with_images.seconds.best


class TestSentences:
    def test_frames(self):
        """A person reads images, dollars, when it is ready and what may be missed."""
        found = estimated([(1_000, video(6_000))], choice=FRAMES)

        lines = found.sentences()

        assert "1,200 (1,200 to 1,201) images of 100 min of video" == lines[0]
        assert missed(5_000) in lines
        assert found.in_short().startswith("by frames, every 5 s: 1,200 (1,200 to 1,201) images of 100 min of video; $1.")
        assert {"engine": "frames", "interval_ms": 5_000}.items() <= found.as_json().items()
        assert {"low": 1_200, "best": 1_200, "high": 1_201} == found.as_json()["images"]

    def test_video(self):
        """By the video API there is no interval, and nothing is missed for one."""
        found = estimated([(1_000, video(6_000))])

        assert found.in_short().startswith("by the video API: 100 min of video; $10.")
        assert {"engine": "video", "interval_ms": None}.items() <= found.as_json().items()
        assert not any("chance of seeing" in line for line in found.sentences())

    @pytest.mark.parametrize(
        ("interval_ms", "sentence"),
        [
            (5_000, "the chance of seeing a scene of 1 s is 20 %; one of 5.5 s or more is always seen"),
            (60_000, "the chance of seeing a scene of 1 s is 2 %; one of 66 s or more is always seen"),
            (1_000, "the chance of seeing a scene of 0.5 s is 50 %; one of 1.1 s or more is always seen"),
        ],
    )
    def test_missed(self, interval_ms, sentence):
        """What may be missed is said in figures, and that AWS recommends the video API."""
        assert f"{sentence}; AWS recommends the video API for accuracy" == missed(interval_ms)

    def test_the_alternative_is_the_other_engine(self):
        """Beside the video API stand frames, every 5 s, and beside frames the video API."""
        assert EngineChoice(Engine.FRAMES, 5_000, images=True) == BY_VIDEO.alternative == OTHERS.alternative
        assert EngineChoice(Engine.VIDEO, 2_000, images=True) == EngineChoice(Engine.FRAMES, 2_000, images=True).alternative

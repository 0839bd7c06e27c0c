"""The estimate as a whole: minutes, dollars, finishing time, and what it says of them."""

import json
import re
from dataclasses import replace
from decimal import Decimal

import pytest

from handlers.domain.mp4 import Header, Unreadable
from handlers.domain.record import Scan, Totals
from handlers.domain.states import ScanStatus, State
from tools.lib.errors import ToolError
from tools.lib.estimate.engine_choice import BY_VIDEO
from tools.lib.estimate.figure import Range
from tools.lib.estimate.measurements import Measurements
from tools.lib.estimate.pace import (
    BEFORE_AND_AFTER,
    SECONDS_PER_JOB,
    STARTS_PER_SECOND,
    UNMEASURED_SPEED,
    Pace,
    Speed,
    measured_speed,
    seconds_until_done,
)
from tools.lib.estimate.prices import PriceTable, load
from tools.lib.estimate.result import Circumstances, estimate
from tools.lib.estimate.retrieval import StoredBytes
from tools.lib.estimate.sampling import Population, Sampler
from tools.lib.listing import Batch, ListedObject

NOW = 1_800_000_000.0
ASSUMED = Speed(UNMEASURED_SPEED, 0)
STEADY = Speed(Range.exactly(1.0), 3)
AS_SET = Pace(Range.exactly(5.0), 0)


def estimated(readings, *, unread=(), choice=BY_VIDEO, objects=None, stored=None, **changed):
    """Return the estimate of objects of which some were read: pairs of bytes and reading, and bytes of the others.

    What was read and is at fault is not in the manifest.
    """
    sampler, measured = Sampler(0), Measurements(choice)
    for number, (size, reading) in enumerate(readings):
        found = ListedObject(str(number), size)
        sampler.offer_all([size], lambda _, found=found: found)
        measured.add(found, reading)
    sampler.offer_all(unread, lambda at: ListedObject("unread", unread[at]))
    given = {"now": NOW, "slots": 10, "speed": STEADY, "pace": AS_SET, "prices": PriceTable(), "region": "us-east-1"}
    left = len(readings) + len(unread) - measured.faults.total()
    return estimate(
        sampler.populations,
        measured,
        objects=left if objects is None else objects,
        stored=stored or {},
        circumstances=Circumstances(**{**given, **changed}),
    )


def video(seconds=600, codec="h264"):
    """Return the header of a video."""
    return Header(seconds, codec, 2, 50_000)


class TestMinutes:
    def test_all_read(self):
        """Where every header was read the minutes are exact; what cannot be analysed has none."""
        found = estimated(
            [(1_000, video()), (1_100, video(60)), (1_200, video(900, "hevc")), (1_300, Unreadable("not-a-video", "no"))]
        )

        assert Range.exactly(11.0) == found.minutes
        assert (3, {}) == (found.objects, found.faults)
        assert {"not-a-video": 1} == found.unreadable
        assert "1 object has no readable header: 1 not-a-video" in found.sentences()
        assert "every object was inspected (6 GETs)" in found.assumptions

    def test_extrapolated(self):
        """The rest is as long for its bytes as what was read."""
        found = estimated([(1_000 + n, video(10)) for n in range(10)], unread=[1_000] * 90)

        assert 100 * 10 / 60 == pytest.approx(found.minutes.best, rel=0.02)
        assert found.minutes.low < found.minutes.best < found.minutes.high
        assert "10 of 100 headers were read" in found.assumptions[0]

    def test_unreadable_is_unknown(self):
        """An object that may not be read counts as the others do, not as one without minutes."""
        readings = [(1_000, video(60))] * 10 + [(1_000, Unreadable("forbidden", "no"))] * 10

        found = estimated(readings)

        assert 20.0 == pytest.approx(found.minutes.best)
        assert (10, {"forbidden": 10}) == (found.measured, found.unreadable)
        assert "10 objects have no readable header: 10 forbidden" in found.sentences()

    def test_every_header_that_was_read_counts_once(self):
        """Where every header was read nothing is said of others: neither what they lack, nor that they were not read."""
        readings = [
            *[(1_000, video(60))] * 6,
            *[(1_000, video(60, "hevc"))] * 3,
            (1_000, Unreadable("container", "no")),
            (1_000, Unreadable("no-header", "no")),
            *[(1_000, Unreadable("unknown-beginning", "no"))] * 2,
        ]

        found = estimated(readings)

        assert (8, 11, {"unknown-beginning": 2}, {}) == (found.objects, found.measured, found.unreadable, found.faults)
        assert found.assumptions[0].startswith("every object was inspected (18 GETs); the length of 2 objects is not known")

    def test_headers_without_a_length_are_not_the_others(self):
        """What share of the others cannot be analysed is that of all headers that were read, for those that were not."""
        readings = [(1_000, video(60)), (1_000, video(60, "hevc")), *[(1_000, Unreadable("no-length", "no"))] * 2]

        found = estimated(readings, unread=[1_000] * 8)

        assert 2.0 == pytest.approx(found.faults["codec"].best)
        assert found.assumptions[0].startswith("4 of 12 headers were read")

    def test_other_sizes(self):
        """A class of size of which nothing was read is guessed from its neighbour."""
        found = estimated([(1_000, video(10))] * 5, unread=[100_000] * 2)

        assert (50 + 2_000) / 60 == pytest.approx(found.minutes.best)

    def test_none_read(self):
        """Without any header a wide range of bit rates is assumed, and the sentence says that the range is not reliable."""
        found = estimated([], unread=[10_000_000] * 6)

        assert found.minutes.high / found.minutes.low == pytest.approx(20)
        assert "not reliable" in found.assumptions[0]

    def test_share_of_faults(self):
        """What share of the others cannot be analysed is extrapolated, with a range in which the share of the sample lies."""
        readings = [(1_000, video(10, "h264" if number % 5 else "hevc")) for number in range(100)]

        found = estimated(readings, unread=[1_000] * 900)

        count = found.faults["codec"]
        assert (980, 180.0) == (found.objects, pytest.approx(count.best))
        assert 90 < count.low < 180 < count.high < 315
        assert any(line.endswith(" of the others cannot be analysed either: codec") for line in found.sentences())

    def test_the_others_are_no_better_than_the_sample(self):
        """Though what the sample showed at fault is left out: of the others as large a share has no minutes either."""
        readings = [(1_000, video(10, "h264" if number % 2 else "hevc")) for number in range(100)]

        found = estimated(readings, unread=[1_000] * 900)

        assert (50 * 10 + 450 * 10) / 60 == pytest.approx(found.minutes.best)
        assert (950, "100 of 1,000 headers were read") == (found.objects, found.assumptions[0][:30])
        assert 0.25 + 950 / 1e6 == pytest.approx(found.cost.batch.best)


class TestDollars:
    def test_sum(self):
        """Minutes at the price of a minute, the job and its objects, and a little for what is around."""
        found = estimated([(1_000, video(600))] * 100)

        assert Range.exactly(100.0) == found.cost.rekognition
        assert 0.2501 == pytest.approx(found.cost.batch.best)
        assert 0 < found.cost.around.low < found.cost.around.best < found.cost.around.high < 0.1
        assert found.dollars.best == pytest.approx(100.2501 + found.cost.around.best)

    def test_job(self):
        """The job costs, and each of its objects."""
        found = estimated([(1_000, video())])

        assert 0.25 + 0.000_001 == pytest.approx(found.cost.batch.best)

    def test_max_cost(self):
        """The upper end of the bar counts: a limit is meant to hold."""
        found = estimated([(1_000 + n, video(10 + n)) for n in range(10)], unread=[1_000] * 90)
        between = Decimal(str((found.dollars.best + found.dollars.high) / 2))

        found.require_affordable(None)
        found.require_affordable(Decimal(str(found.dollars.high)) + 1)
        with pytest.raises(ToolError, match="more than the") as refused:
            found.require_affordable(between)

        assert "--max-cost" in refused.value.cure

    def test_a_little_above_max_cost(self):
        """An amount that is refused looks like more than the limit, by however little it is."""
        found = estimated([(1_000, video())])
        high = Decimal(str(found.dollars.high))

        with pytest.raises(ToolError, match=r"may cost \$(.*), more than the \$(.*) of --max-cost") as refused:
            found.require_affordable(high - Decimal("0.00001"))

        shown = re.search(r"may cost \$(.*), more than the \$(.*) of --max-cost", str(refused.value)).groups()
        assert float(shown[0]) > float(shown[1])

    @pytest.mark.parametrize(
        ("storage_class", "dollars"),
        [("STANDARD_IA", 0.01), ("ONEZONE_IA", 0.01), ("GLACIER_IR", 0.03)],
    )
    def test_retrieval(self, storage_class, dollars):
        """S3 charges for each GB (of 10^9 bytes) that is read from these classes; Rekognition may read it twice."""
        plain = estimated([(1_000, video())])

        found = estimated([(1_000, video())], stored={storage_class: Population(1, 5_000 * 10**9)})

        assert 5_000 * dollars == pytest.approx(found.cost.retrieval.best, rel=1e-6)
        assert 5_000 * dollars == pytest.approx(found.dollars.best - plain.dollars.best, rel=1e-6)
        assert 10_000 * dollars == pytest.approx(found.cost.retrieval.high, rel=1e-6)
        assert any(f"reading 4.5 TiB of {storage_class}" in line for line in found.sentences())
        assert {"bytes": {storage_class: 5_000 * 10**9}, "complete": True} == found.as_json()["retrieval"]

    def test_requests_of_small_objects(self):
        """Of many small objects the requests cost more than the bytes: in Glacier Instant Retrieval a cent a thousand GETs."""
        found = estimated([(1_000, video())], stored={"GLACIER_IR": Population(1_000_000, 10**9)})

        assert 4_000 * (0.01 - 0.0004) + 0.03 == pytest.approx(found.cost.retrieval.best)

    def test_promotion(self):
        """Reading moves an object of Intelligent-Tiering back to a dearer tier for 30 days or more; S3 does not list the tier."""
        found = estimated([(1_000, video())], stored={"INTELLIGENT_TIERING": Population(10, 1_000 * 10**9)})

        retrieval = found.cost.retrieval
        assert (0.0, 10.5, 36.0) == pytest.approx((retrieval.low, retrieval.best, retrieval.high))
        assert any("Intelligent-Tiering" in line for line in found.sentences())

    def test_classes_without_retrieval(self):
        """Standard storage costs its requests only, and so does a restored copy, whose retrieval was paid for before."""
        stored = dict.fromkeys(("STANDARD", "REDUCED_REDUNDANCY", "GLACIER", "DEEP_ARCHIVE"), Population(9, 10**15))

        found = estimated([(1_000, video())], stored=stored)

        assert Range.exactly(0.0) == found.cost.retrieval
        assert not any("reading" in line for line in found.sentences())

    def test_retrieval_counts_for_max_cost(self):
        """A limit holds for what S3 charges, too."""
        found = estimated([(1_000, video(60))], stored={"STANDARD_IA": Population(1, 1_000 * 10**9)})

        with pytest.raises(ToolError, match=r"may cost \$20\.3"):
            found.require_affordable(Decimal(20))

    def test_unknown_price(self):
        """Where the price of a class is not known the estimate says so, and a limit is refused: it could not hold."""
        found = estimated([(1_000, video())], stored={"EXPRESS_ONEZONE": Population(1, 2**30)})

        assert "not included, because the price is not known: reading 1.0 GiB of EXPRESS_ONEZONE" in found.sentences()
        assert {"bytes": {"EXPRESS_ONEZONE": 2**30}, "complete": False} == found.as_json()["retrieval"]
        found.require_affordable(None)
        with pytest.raises(ToolError, match="EXPRESS_ONEZONE is not known") as refused:
            found.require_affordable(Decimal(1_000_000))
        assert "--storage-class" in refused.value.cure

    def test_unknown_class(self):
        """Where the source has no storage classes, as an inventory without that field, the upper end takes the dearest."""
        found = estimated([(1_000, video())], stored={"": Population(1, 1_000 * 10**9)})

        assert (0.0, 0.0, 60.0) == pytest.approx(
            (found.cost.retrieval.low, found.cost.retrieval.best, found.cost.retrieval.high), rel=1e-3
        )
        assert any("no storage classes" in line for line in found.sentences())

    def test_own_price(self):
        """A price file changes the price of reading, too."""
        prices = PriceTable(
            {**PriceTable().prices, "s3_gb_read_standard_ia": replace(PriceTable().prices["batch_job"], dollars=Decimal(0))}
        )

        found = estimated([(1_000, video())], stored={"STANDARD_IA": Population(1, 10**12)}, prices=prices)

        assert found.cost.retrieval.high < 0.01

    def test_other_region(self):
        """In another Region it is said that the price may be another, unless one was given."""
        own = replace(PriceTable(), changed=("rekognition_minute",))

        warned, quiet = (estimated([(1, video())], region="eu-west-1", prices=prices) for prices in (PriceTable(), own))

        assert any("may cost more" in each for each in warned.assumptions)
        assert not any("may cost more" in each for each in quiet.assumptions)


class TestStoredBytes:
    def test_by_class(self):
        """Objects and bytes are counted by class, whether a batch has one class or several; what is left out is subtracted."""
        stored = StoredBytes()
        one, other = ListedObject("a", 5, storage_class="GLACIER_IR"), ListedObject("b", 7)
        stored.add(Batch.of([one, one]))
        stored.add(Batch.of([one, other]))

        stored.remove(other)

        assert {"GLACIER_IR": Population(3, 15)} == stored.populations


class TestPrices:
    def test_each_has_a_source(self):
        """Every price says where it was read and on which page of AWS it can be looked up; those of reading say when."""
        dated = [name for name in PriceTable().prices if name.startswith("s3_gb_")]

        assert all(price.source and price.page.startswith("https://aws.amazon.com/") for price in PriceTable().prices.values())
        assert 6 == len([name for name in dated if PriceTable().prices[name].as_of])

    def test_own(self, tmp_path):
        """A file gives other prices, by name; the others stay."""
        path = tmp_path / "prices.json"
        path.write_text('{"rekognition_minute": {"dollars": 0.08, "source": "our agreement"}, "batch_job": 0}')

        table = load(path)

        assert (Decimal("0.08"), Decimal(0)) == (table["rekognition_minute"], table["batch_job"])
        assert "our agreement" == table.as_json()["rekognition_minute"]["source"]
        assert ("rekognition_minute", "batch_job") == table.changed
        assert PriceTable()["lambda_gb_second"] == table["lambda_gb_second"]

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("", "not JSON"),
            ('{"batch_job": 1, "batch_job": 2}', "'batch_job' is there twice"),
            ('{"batch_job": {"dollars": 1, "dollars": 2}}', "'dollars' is there twice"),
            ("[]", "not a JSON object"),
            ('{"minute": 1}', "minute, which is not a price"),
            ('{"batch_job": -1}', "-1"),
            ('{"batch_job": "1"}', '"1"'),
            ('{"batch_job": true}', "true"),
            ('{"batch_job": null}', "null"),
            ('{"batch_job": NaN}', "NaN"),
            ('{"batch_job": Infinity}', "Infinity"),
            ('{"batch_job": 1e99}', "1E"),
            ('{"batch_job": {"dollar": 1}}', "holds dollar"),
            ('{"batch_job": {}}', "null"),
            ("\udcff", "not JSON"),
        ],
    )
    def test_refused(self, tmp_path, text, part):
        """A file that holds anything else is refused: with the file, what is wrong, and what may stand there."""
        path = tmp_path / "prices.json"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))

        with pytest.raises(ToolError) as refused:
            load(path)

        assert str(path) in str(refused.value)
        assert part in str(refused.value)
        assert refused.value.cure

    def test_missing(self, tmp_path):
        """So is one that is not there."""
        with pytest.raises(ToolError, match="cannot be read"):
            load(tmp_path / "none.json")


class Table:
    """Scans that are over, as the table knows them: seconds from begin to end, videos, seconds of video."""

    def __init__(self, *scans):
        self._scans = scans

    def submitted(self):
        """Return the scans; None is one that is still open."""
        return [
            Scan(str(at), "b", created_at=0.0, closed_at=each and each[0], status=ScanStatus.CLOSED if each else ScanStatus.OPEN)
            for at, each in enumerate(self._scans)
        ]

    def totals(self, scan_id):
        """Return what a scan came to."""
        _, videos, seconds = self._scans[int(scan_id)]
        return Totals({State.CLEAN: videos}, {State.CLEAN: seconds * 1_000})


class TestPace:
    def test_history(self):
        """The speed is that of closed scans with enough videos: what each slot analysed a second, from slowest to fastest."""
        scans = [(200, 16_000), (300, 7_000), (400, 24_000)]
        table = Table(None, *((1_000, *each) for each in scans), (10, 3, 1_000))

        speed = measured_speed(table, slots=10)

        assert (Range(1.0, 2.0, 4.0), 3) == (speed.per_slot, speed.scans)
        assert "3 earlier scans" in speed.sentence

    def test_one_scan(self):
        """One scan alone leaves doubt."""
        speed = measured_speed(Table((1_000, 200, 16_000)), slots=10)

        assert (2.0 / 1.5, 2.0, 3.0) == pytest.approx((speed.per_slot.low, speed.per_slot.best, speed.per_slot.high))

    def test_none(self):
        """Without any the speed is assumed, which is said."""
        speed = measured_speed(Table(None, (10, 3, 1_000)), slots=10)

        assert ASSUMED == speed
        assert "assumed" in speed.sentence

    def test_agrees_with_itself(self):
        """A scan that took as long as was estimated does not change the estimate."""
        video = Range.exactly(500_000.0)
        estimated_seconds = seconds_until_done(video_seconds=video, objects=1_000, slots=10, speed=STEADY).best

        speed = measured_speed(Table((estimated_seconds - BEFORE_AND_AFTER.best, 1_000, 500_000)), slots=10)

        assert STEADY.per_slot.best == pytest.approx(speed.per_slot.best)

    def test_scan_kept_busy_by_its_starts(self):
        """A scan of short clips, which its starts delayed, says nothing about the speed of an analysis."""
        videos = int(1_000 * STARTS_PER_SECOND.best)

        assert ASSUMED == measured_speed(Table((1_000, videos, videos)), slots=1_000)

    def test_slots(self):
        """Twice the slots, half the time; slow analyses come to the upper end."""
        video_seconds = Range.exactly(1e6)

        ten, twenty = (
            seconds_until_done(video_seconds=video_seconds, objects=100, slots=slots, speed=STEADY) for slots in (10, 20)
        )

        assert (1e6 + 100 * SECONDS_PER_JOB.best) / 10 == ten.best - BEFORE_AND_AFTER.best
        assert (1e6 + 100 * SECONDS_PER_JOB.best) / 20 == twenty.best - BEFORE_AND_AFTER.best

    def test_many_short_videos(self):
        """Of very many very short videos the starts take longest: the two starters of a lane make fewer than two a second."""
        found = seconds_until_done(video_seconds=Range.exactly(1.0), objects=1_000_000, slots=200, speed=STEADY)

        assert 1_000_000 / 1.84 == pytest.approx(found.best - BEFORE_AND_AFTER.best)
        assert 1_000_000 / 2.0 == pytest.approx(found.low - BEFORE_AND_AFTER.low)
        assert found.high > found.best

    def test_short_videos_on_few_slots(self):
        """A job holds its slot for a while however short its video is."""
        found = seconds_until_done(video_seconds=Range.exactly(1.0), objects=10_000, slots=2, speed=STEADY)

        assert 10_000 * SECONDS_PER_JOB.best / 2 == pytest.approx(found.best - BEFORE_AND_AFTER.best, rel=0.001)


class TestRenderings:
    def test_sentences(self):
        """A person reads minutes, dollars and the time, each with its bar, then what they rest on."""
        found = estimated([(1_000 + n, video(100)) for n in range(50)], unread=[1_000] * 50, speed=ASSUMED)

        lines = found.sentences()

        assert lines[0].endswith(" of video")
        assert lines[1].startswith("$")
        assert lines[2].startswith("ready 2027-01-15")
        assert all(" to " in line for line in lines[:3])

    def test_json(self):
        """A program gets the same, with low, best and high of each."""
        values = json.loads(json.dumps(estimated([(1_000, video())] * 3).as_json()))

        assert {"low": 30.0, "best": 30.0, "high": 30.0} == values["minutes"]
        assert NOW + values["seconds"]["best"] == values["finished_at"]["best"]
        assert {"rekognition", "s3_batch", "s3_retrieval", "around", "total"} == set(values["cost"])
        assert (3, 3) == (values["objects"], values["measured"])

    def test_nothing(self):
        """An empty listing comes to nothing but the job."""
        found = estimated([], slots=1)

        assert 0 == found.minutes.high
        assert {} == Sampler(5).populations

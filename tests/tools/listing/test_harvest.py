"""Harvesting: a manifest of what can be analysed, a side list of what cannot, samples and limits."""

import csv
import hashlib
from collections import Counter
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.objects import MAX_BYTES, eligibility
from tools.lib.errors import ToolError
from tools.lib.listing import Batch, ListedObject, Sample, Selection, harvest
from tools.lib.listing.sampling import Reservoir

BUCKET = "amzn-s3-demo-bucket"
ALL = Selection(bucket=BUCKET)

keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)
sizes = st.sampled_from([0, 1, 5, MAX_BYTES, MAX_BYTES + 1])
classes = st.sampled_from(["STANDARD", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"])
plain = st.builds(ListedObject, keys, sizes, st.none(), classes, st.none(), st.none(), st.booleans())
versioned = st.builds(ListedObject, keys, sizes, st.sampled_from(["null", "v1", "v2"]), classes)
listings = st.lists(st.lists(plain, max_size=6), max_size=4) | st.lists(st.lists(versioned, max_size=6), max_size=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder for the files."""
    return tmp_path_factory.mktemp("harvests")


def numbered(count, size=1):
    """So many objects in batches of 100."""
    found = [ListedObject(f"{number:06}.mp4", size) for number in range(count)]
    return [Batch.of(found[begin : begin + 100]) for begin in range(0, count, 100)]


def rows(path):
    """The rows of a file, keys decoded."""
    with path.open(encoding="ascii", newline="") as file:
        return [[bucket, unquote(key, errors="strict"), *rest] for bucket, key, *rest in csv.reader(file)]


def reason(found):
    """Why an object cannot be analysed, in the domain's words."""
    problem = eligibility(found.size, found.storage_class, 'ongoing-request="false"' if found.restored else None)
    return problem.code if problem else None


@given(listings)
def test_every_object_is_in_one_of_the_files(folder, listing):
    """What the domain's rule takes stands in the manifest, all else in the side list with the rule's reason; the counts agree."""
    manifest, side = folder / "m.csv", folder / "m-ineligible.csv"
    side.unlink(missing_ok=True)
    found = [one for batch in listing for one in batch]

    got = harvest(map(Batch.of, listing), selection=ALL, manifest=manifest, ineligible=side)

    good, bad = [one for one in found if not reason(one)], [one for one in found if reason(one)]
    assert rows(manifest) == [[BUCKET, one.key, *([one.version_id] if one.version_id else [])] for one in good]
    assert (rows(side) if side.exists() else []) == [[BUCKET, one.key, one.version_id or "", reason(one)] for one in bad]
    assert side.exists() == bool(bad)
    assert got.ineligible == Counter(map(reason, bad))
    assert (got.rows, got.tally.objects, got.tally.bytes) == (len(good), len(good), sum(one.size for one in good))
    assert got.sha256 == hashlib.sha256(manifest.read_bytes()).hexdigest()
    assert got.sample == tuple(good)
    assert sum(got.tally.sizes.values()) == len(good)


def test_nothing_is_written_without_a_path():
    """A dry run counts and hashes the same, and writes nothing."""
    got = harvest(iter(numbered(250)), selection=ALL, manifest=None, ineligible=None)

    expected = "".join(f"{BUCKET},{number:06}.mp4\n" for number in range(250))
    assert (got.rows, got.sha256) == (250, hashlib.sha256(expected.encode()).hexdigest())


def test_half_a_manifest_has_no_name(tmp_path):
    """Neither an error nor Ctrl-C leaves a file that looks whole, nor half of one."""

    def breaking():
        yield from numbered(200)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        harvest(breaking(), selection=ALL, manifest=tmp_path / "new" / "m.csv", ineligible=tmp_path / "new" / "i.csv")

    assert list((tmp_path / "new").iterdir()) == []


def test_versions_all_or_none(tmp_path):
    """S3 Batch fails a job whose rows differ in their columns, so such a manifest is not made."""
    mixed = [Batch.of([ListedObject("a", 1, "v1")]), Batch.of([ListedObject("b", 1)])]

    with pytest.raises(ToolError, match="some have none"):
        harvest(mixed, selection=ALL, manifest=tmp_path / "m.csv", ineligible=None)


# --- limit and sample ---------------------------------------------------------------------------------------------------


def test_a_limit_reads_no_further_than_needed(tmp_path):
    """The first so many that can be analysed, and the listing is closed: no page more is asked for."""
    asked = []

    def listing():
        for number, batch in enumerate([Batch.of([ListedObject("0", 0)]), *numbered(1000)]):
            asked.append(number)
            yield batch

    batches = listing()
    got = harvest(batches, selection=Selection(bucket=BUCKET, limit=150), manifest=tmp_path / "m.csv", ineligible=None)

    assert [row[1] for row in rows(tmp_path / "m.csv")] == [f"{number:06}.mp4" for number in range(150)]
    assert (got.rows, asked) == (150, [0, 1, 2])
    assert next(batches, None) is None


@pytest.mark.parametrize("sample", [Sample(count=700, seed=3), Sample(percent=7, seed=3)])
def test_a_sample_hangs_on_the_seed_alone(tmp_path, sample):
    """The same seed draws the same objects, however they come in batches, in the order of the listing; another seed others."""
    whole = [one for batch in numbered(30_000) for one in batch]

    def drawn(batches, chosen):
        path = tmp_path / "m.csv"
        harvest(iter(batches), selection=Selection(bucket=BUCKET, sample=chosen), manifest=path, ineligible=None)
        return [row[1] for row in rows(path)]

    once = drawn(numbered(30_000), sample)
    again = drawn([Batch.of(whole[begin : begin + 777]) for begin in range(0, 30_000, 777)], sample)
    other = drawn(numbered(30_000), Sample(count=sample.count, percent=sample.percent, seed=4))

    assert once == again == sorted(once)
    assert len(set(once) & set(other)) < len(once) / 5
    assert len(once) == 700 if sample.count else abs(len(once) - 2_100) < 250


def test_a_count_beyond_all_takes_all():
    """Who asks for more than there are gets all of them."""
    got = harvest(iter(numbered(300)), selection=Selection(bucket=BUCKET, sample=Sample(count=301)), manifest=None, ineligible=None)

    assert got.rows == 300


def test_samples_are_uniform():
    """Over 400 seeds each tenth of the listing is drawn about as often as any other: by count, by percent, for the estimate."""
    batches = numbered(2_000)
    hits = {"count": Counter(), "percent": Counter(), "reservoir": Counter()}

    for seed in range(400):
        for name, sample in (("count", Sample(count=20, seed=seed)), ("percent", Sample(percent=1, seed=seed))):
            got = harvest(
                iter(batches), selection=Selection(bucket=BUCKET, sample=sample), manifest=None, ineligible=None, sample_size=2_000
            )
            hits[name].update(int(one.key[:6]) // 200 for one in got.sample)
        reservoir = Reservoir(20, seed)
        for batch in batches:
            reservoir.see(batch)
        assert len(reservoir.sample) == 20
        hits["reservoir"].update(int(one.key[:6]) // 200 for one in reservoir.sample)

    for counted in hits.values():
        # 8,000 draws over ten tenths: 800 each, with a standard deviation of 27.
        assert all(abs(counted[tenth] - 800) < 140 for tenth in range(10)), counted


@given(st.integers(0, 60), st.integers(1, 20), st.integers(1, 30))
def test_a_reservoir_holds_what_it_should(count, size, step):
    """As many as it may hold or as there are, each once, in order, whatever the batches."""
    reservoir = Reservoir(size, 1)

    for begin in range(0, count, step):
        reservoir.see(Batch.of([ListedObject(f"{number:03}", 1) for number in range(begin, min(count, begin + step))]))

    names = [one.key for one in reservoir.sample]
    assert len(names) == min(size, count)
    assert names == sorted(set(names))

"""Writing: a manifest of what can be analysed, a side list of what cannot, samples and limits."""

import csv
import hashlib
import io
from collections import Counter
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain import Problem
from handlers.domain.objects import MAX_BYTES, eligibility
from tools.lib.errors import ToolError
from tools.lib.listing import Batch, ListedObject, Sample, Selection
from tools.lib.manifest import manifest_rows, remove_rows, write_manifest

BUCKET = "amzn-s3-demo-bucket"
# What a header says, with what CSV must quote.
FOUND = 'The codec is "a,b"; it is h264.'
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
    return tmp_path_factory.mktemp("manifests")


def numbered(count, size=1):
    """This many objects in batches of 100."""
    found = [ListedObject(f"{number:06}.mp4", size) for number in range(count)]
    return [Batch.of(found[begin : begin + 100]) for begin in range(0, count, 100)]


def rows(path):
    """The rows of a file, keys decoded."""
    with path.open(encoding="ascii", newline="") as file:
        return [[bucket, unquote(key, errors="strict"), *rest] for bucket, key, *rest in csv.reader(file)]


def reason(found):
    """Why an object cannot be analysed, in the domain's words."""
    return eligibility(found.size, found.storage_class, 'ongoing-request="false"' if found.restored else None)


def aside(found):
    """The row of an object on the side list."""
    problem = reason(found)
    return [BUCKET, found.key, found.version_id or "", problem.code, problem.message, found.etag or "", str(found.size)]


@given(listings)
def test_every_object_is_in_one_of_the_files(folder, listing):
    """What the domain's rule takes is in the manifest, all else in the side list with the rule's reason; the counts agree."""
    manifest, side = folder / "m.csv", folder / "m-ineligible.csv"
    side.unlink(missing_ok=True)
    found = [one for batch in listing for one in batch]

    got = write_manifest(map(Batch.of, listing), selection=ALL, manifest=manifest, ineligible=side)

    good, bad = [one for one in found if not reason(one)], [one for one in found if reason(one)]
    assert rows(manifest) == [[BUCKET, one.key, *([one.version_id] if one.version_id else [])] for one in good]
    assert (rows(side) if side.exists() else []) == [aside(one) for one in bad]
    assert side.exists() == bool(bad)
    assert got.ineligible == Counter(reason(one).code for one in bad)
    assert (got.rows, got.sizes.objects, got.sizes.bytes) == (len(good), len(good), sum(one.size for one in good))
    assert got.sha256 == hashlib.sha256(manifest.read_bytes()).hexdigest()
    assert sum(got.sizes.by_class.values()) == len(good)


def test_half_a_manifest_has_no_name(tmp_path):
    """Neither an error nor Ctrl-C leaves a file that looks whole, nor half of one."""

    def breaking():
        yield from numbered(200)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_manifest(breaking(), selection=ALL, manifest=tmp_path / "new" / "m.csv", ineligible=tmp_path / "new" / "i.csv")

    assert list((tmp_path / "new").iterdir()) == []


def test_versions_all_or_none(tmp_path):
    """S3 Batch fails a job whose rows differ in their columns, so such a manifest is not made."""
    mixed = [Batch.of([ListedObject("a", 1, "v1")]), Batch.of([ListedObject("b", 1)])]

    with pytest.raises(ToolError, match="some have none"):
        write_manifest(mixed, selection=ALL, manifest=tmp_path / "m.csv", ineligible=tmp_path / "i.csv")


# --- limit and sample ---------------------------------------------------------------------------------------------------


def test_a_limit_reads_no_further_than_needed(tmp_path):
    """The first `limit` that can be analysed, and the listing is closed: no page more is asked for."""
    asked = []

    def listing():
        for number, batch in enumerate([Batch.of([ListedObject("0", 0)]), *numbered(1000)]):
            asked.append(number)
            yield batch

    batches = listing()
    got = write_manifest(
        batches, selection=Selection(bucket=BUCKET, limit=150), manifest=tmp_path / "m.csv", ineligible=tmp_path / "i.csv"
    )

    assert [row[1] for row in rows(tmp_path / "m.csv")] == [f"{number:06}.mp4" for number in range(150)]
    assert (got.rows, asked) == (150, [0, 1, 2])
    assert next(batches, None) is None


@pytest.mark.slow
@pytest.mark.parametrize("sample", [Sample(count=700, seed=3), Sample(percent=7, seed=3)])
def test_a_sample_hangs_on_the_seed_alone(tmp_path, sample):
    """The same seed draws the same objects, however they come in batches, in the order of the listing; another seed others."""
    whole = [one for batch in numbered(30_000) for one in batch]

    def drawn(batches, chosen):
        path = tmp_path / "m.csv"
        write_manifest(
            iter(batches), selection=Selection(bucket=BUCKET, sample=chosen), manifest=path, ineligible=tmp_path / "i.csv"
        )
        return [row[1] for row in rows(path)]

    once = drawn(numbered(30_000), sample)
    again = drawn([Batch.of(whole[begin : begin + 777]) for begin in range(0, 30_000, 777)], sample)
    other = drawn(numbered(30_000), Sample(count=sample.count, percent=sample.percent, seed=4))

    assert once == again == sorted(once)
    assert len(set(once) & set(other)) < len(once) / 5
    assert len(once) == 700 if sample.count else abs(len(once) - 2_100) < 250


def test_a_count_beyond_all_takes_all(tmp_path):
    """Who asks for more than there are gets all of them."""
    chosen = Selection(bucket=BUCKET, sample=Sample(count=301))

    got = write_manifest(iter(numbered(300)), selection=chosen, manifest=tmp_path / "m.csv", ineligible=tmp_path / "i.csv")

    assert got.rows == 300


@pytest.mark.slow
def test_samples_are_uniform(tmp_path):
    """Over 400 seeds each tenth of the listing is drawn about as often as any other: by count, and by percent."""
    batches, manifest = numbered(2_000), tmp_path / "m.csv"
    hits = {"count": Counter(), "percent": Counter()}

    for seed in range(400):
        for name, sample in (("count", Sample(count=20, seed=seed)), ("percent", Sample(percent=1, seed=seed))):
            chosen = Selection(bucket=BUCKET, sample=sample)
            write_manifest(iter(batches), selection=chosen, manifest=manifest, ineligible=tmp_path / "i.csv")
            hits[name].update(int(row[1][:6]) // 200 for row in rows(manifest))

    for counted in hits.values():
        # 8,000 draws over ten tenths: 800 each, with a standard deviation of 27.
        assert all(abs(counted[tenth] - 800) < 140 for tenth in range(10)), counted


# --- what is refused once all have come -----------------------------------------------------------------------------------


class Refusing:
    """An inspection that lets everything through, and refuses some of it at the end."""

    def __init__(self, refused):
        self._refused = refused
        self.heard = 0

    def judge(self, batch):
        """Let all of it through."""
        self.heard += len(batch)
        return [None] * len(batch)

    def conclude(self):
        """Refuse what was to be refused; Ctrl-C where that is to be raised."""
        for each in self._refused:
            if each is KeyboardInterrupt:
                raise each
            yield each, Problem(f"code-{each.size}", FOUND)


@pytest.mark.slow
@given(listings, st.integers(1, 80), st.data())
def test_what_is_refused_at_the_end_is_left_out_too(folder, listing, block, data):
    """Each row of it, however often it is there, is in the side list behind the others, in the manifest's order; all agrees."""
    manifest, side = folder / "m.csv", folder / "m-ineligible.csv"
    side.unlink(missing_ok=True)
    found = [one for batch in listing for one in batch]
    good = [one for one in found if not reason(one)]
    refused = data.draw(st.lists(st.sampled_from(good), unique_by=lambda one: (one.key, one.version_id)) if good else st.just([]))
    names = {(one.key, one.version_id): one for one in refused}
    inspection = Refusing(refused)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remove_rows, "_BLOCK", block)
        got = write_manifest(map(Batch.of, listing), selection=ALL, manifest=manifest, ineligible=side, inspection=inspection)

    kept = [one for one in good if (one.key, one.version_id) not in names]
    moved = [names[one.key, one.version_id] for one in good if (one.key, one.version_id) in names]
    before = [aside(one) for one in found if reason(one)]
    left_out = rows(side) if side.exists() else []
    assert manifest.read_bytes() == b"".join(manifest_rows(BUCKET, Batch.of([one])) for one in kept)
    assert left_out[: len(before)] == before
    assert Counter(map(tuple, left_out[len(before) :])) == Counter(
        (BUCKET, one.key, one.version_id or "", f"code-{one.size}", FOUND, one.etag or "", str(one.size)) for one in moved
    )
    assert list(dict.fromkeys(row[1] for row in left_out[len(before) :])) == list(dict.fromkeys(one.key for one in moved))
    assert got.ineligible == Counter(row[3] for row in left_out)
    assert (got.rows, got.sizes.objects, sum(got.sizes.by_class.values())) == (len(kept), len(kept), len(kept))
    assert got.sha256 == hashlib.sha256(manifest.read_bytes()).hexdigest()
    assert got.versioned == any(one.version_id for one in good)
    assert inspection.heard == len(good)


def test_ctrl_c_while_refusing_leaves_nothing(tmp_path):
    """The files have their names only when what is refused is out of them, too."""
    (batch,) = numbered(50)

    with pytest.raises(KeyboardInterrupt):
        write_manifest(
            [batch],
            selection=ALL,
            manifest=tmp_path / "m.csv",
            ineligible=tmp_path / "i.csv",
            inspection=Refusing([*batch[:3], KeyboardInterrupt]),
        )

    assert list(tmp_path.iterdir()) == []


def test_removing_rows_takes_no_more_memory_for_more_rows(tmp_path):
    """A manifest of a hundred blocks is gone through block by block, in its own file."""
    path, block = tmp_path / "m.csv", 4_096
    content = b"".join(b"%s,%06d.mp4\n" % (BUCKET.encode(), number) for number in range(20_000))
    path.write_bytes(content)
    asked = []

    class Watched(io.FileIO):
        def read(self, size=-1):
            asked.append(size)
            return super().read(size)

    kept = []
    with pytest.MonkeyPatch.context() as patch, Watched(path, "r+") as file:
        patch.setattr(remove_rows, "_BLOCK", block)
        taken = remove_rows.remove_rows(file, [f"{BUCKET},{number:06}.mp4".encode() for number in (0, 777, 19_999)], kept.append)

    assert taken.total() == 3
    assert (
        path.read_bytes()
        == b"".join(kept)
        == b"".join(line for line in content.splitlines(keepends=True) if line[20:26] not in (b"000000", b"000777", b"019999"))
    )
    assert max(asked) <= block
    assert max(map(len, kept)) <= block

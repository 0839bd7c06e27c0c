"""The files and keys in `build/bench`, which docs/benchmarks.md and comparisons by others name."""

import re

import pytest

from tests.pins import product
from tests.pins.conftest import ROOT
from tests.pins.pinned import check, keys


def test_files():
    """Each benchmark writes the file of its name."""
    files, others = product.bench_files()

    check("bench/files.json", {"files": files, "below": others})


@pytest.mark.parametrize("name", product.BENCHES)
def test_keys(name, tmp_path, monkeypatch):
    """A benchmark writes exactly these keys."""
    monkeypatch.chdir(tmp_path)

    found = product.bench_values(name)

    check(f"bench/{name}.json", keys(found))


def test_keys_of_the_page():
    """The benchmark of the page, which needs a browser, has its keys in its source."""
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests/bench").rglob("*.py"))

    assert re.search(r'\{"page_20k": \{"bytes": .*, "interactive_s": .*\}\}', source)

"""Where a range of keys is cut."""

from hypothesis import given
from hypothesis import strategies as st

from tools.lib.listing.ranges import Alphabet, Span, cut_of, remaining_pages

keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
endings = st.one_of(st.none(), keys)


@given(st.lists(keys, max_size=8), st.tuples(keys, keys).map(sorted), endings, st.integers(0, 3))
def test_a_cut_lies_within_the_range(seen, listed, end, misses):
    """Beyond the last key that was listed and before the end, whatever was seen of the bucket; or there is none."""
    span = Span("", *listed, end, misses)
    alphabet = Alphabet(sorted([*seen, *listed]))

    cut = cut_of(span, alphabet)

    assert cut is None or (span.last < cut and (end is None or cut < end))
    assert end is None or end < span.last or remaining_pages(span, alphabet) >= 0


def test_names_that_are_numbers_are_cut_at_digits():
    """Letters of the folder and of the suffix do not make it look for keys where only numbers are."""
    listed = [f"library/recording-{number:05}.mp4" for number in (1000, 1100, 1999)]

    cut = cut_of(Span("", listed[0], listed[-1], "library/recording-10000"), Alphabet(listed))

    assert cut == "library/recording-06"


def test_a_separator_stays_where_it_is():
    """Where nothing but a slash was seen nothing else is expected: half-way is among the days, not between slash and zero."""
    listed = [f"2024/05/{day:02}/{day % 7}.mp4" for day in range(1, 12)]

    cut = cut_of(Span("", listed[0], listed[-1], "2024/06"), Alphabet(listed))

    assert cut == "2024/05/5"


def test_a_range_at_the_end_of_the_alphabet_is_cut_too():
    """Beyond the highest characters that were seen the cut goes by what the page's keys have in common."""
    listed = [f"library-9/{number:02}" for number in range(10)]

    assert cut_of(Span("", listed[0], listed[-1], None), Alphabet(listed)) is not None

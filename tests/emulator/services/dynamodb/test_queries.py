"""Queries and scans: what they find, in which order, in which pages, and how little they look at."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.emulator.services.dynamodb.rows import EVERYTHING, Row, Rows, prefixed, span


def sort_keys(answer):
    """Return the sort keys of an answer's items."""
    return [item["sk"]["S"] for item in answer["Items"]]


@pytest.fixture(name="letters")
def _letters(table):
    """Return the table with the items a to e in one partition."""
    for letter in "caebd":
        table.put("p", letter, note=letter)
    table.put("other", "a")
    return table


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("pk = :p", {}, "abcde"),
        ("pk = :p AND sk = :s", {"s": "c"}, "c"),
        ("pk = :p AND sk < :s", {"s": "c"}, "ab"),
        ("pk = :p AND sk <= :s", {"s": "c"}, "abc"),
        ("pk = :p AND sk > :s", {"s": "c"}, "de"),
        ("sk >= :s AND pk = :p", {"s": "c"}, "cde"),
        ("pk = :p AND sk BETWEEN :s AND :t", {"s": "b", "t": "d"}, "bcd"),
        ("pk = :p AND begins_with(sk, :s)", {"s": "d"}, "d"),
    ],
)
def test_a_query_finds_its_span_in_order(letters, condition, values, expected):
    """Every key condition there is, forwards and backwards."""
    forwards = letters.query(condition, {"p": "p", **values})
    backwards = letters.query(condition, {"p": "p", **values}, ScanIndexForward=False)

    assert sort_keys(forwards) == list(expected)
    assert sort_keys(backwards) == list(reversed(expected))


def test_pages_follow_each_other_without_gap(letters):
    """LastEvaluatedKey continues after the last item, in both directions, and a full page always has one."""
    for forward in (True, False):
        found, start = [], {}
        for _ in range(3):
            answer = letters.query("pk = :p", {"p": "p"}, Limit=2, ScanIndexForward=forward, **start)
            found += sort_keys(answer)
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]} if "LastEvaluatedKey" in answer else {}

        assert found == sorted("abcde", reverse=not forward)
        assert start == {}
    assert "LastEvaluatedKey" in letters.query("pk = :p", {"p": "p"}, Limit=5)


def test_a_filter_counts_what_it_leaves_out(letters):
    """Limit is of items looked at, not of items kept."""
    answer = letters.query("pk = :p", {"p": "p", "n": "b"}, FilterExpression="note = :n", Limit=2)

    assert (answer["Count"], answer["ScannedCount"]) == (1, 2)
    assert sort_keys(answer) == ["b"]


def test_a_page_ends_after_a_megabyte(table):
    """Whatever the limit, 1 MB ends a page."""
    for number in range(4):
        table.put("p", str(number), note="x" * 390_000)

    answer = table.query("pk = :p", {"p": "p"})

    assert sort_keys(answer) == ["0", "1", "2"]
    assert answer["LastEvaluatedKey"]["sk"] == {"S": "2"}


def test_a_count_brings_no_items(letters):
    """Select=COUNT answers with the number alone."""
    answer = letters.query("pk = :p", {"p": "p"}, Select="COUNT")

    assert answer["Count"] == 5
    assert "Items" not in answer


def test_an_index_holds_only_items_with_its_key_and_what_it_projects(table):
    """A sparse index shows what was projected, no more."""
    table.put("a", work_pk="W", work_sk="1", note="kept", secret="left out")
    table.put("b", work_pk="W")

    (item,) = table.query("work_pk = :w", {"w": "W"}, IndexName="work")["Items"]

    assert set(item) == {"pk", "sk", "work_pk", "work_sk", "note"}


def test_an_index_follows_updates_and_deletions(table):
    """An item moves within an index and leaves it."""
    for pk in "abc":
        table.put(pk, work_pk="W", work_sk=pk)

    table.update("SET work_sk = :z", "a", values={"z": "z"})
    table.update("REMOVE work_pk", "b")
    table.put("c")

    found = table.query("work_pk = :w", {"w": "W"}, IndexName="work")["Items"]
    assert [item["work_sk"]["S"] for item in found] == ["z"]


def test_items_with_the_same_index_key_are_all_there_and_paged(table):
    """An index's key need not be unique; a page goes on between items that share it."""
    for number in range(5):
        table.put(f"p{number}", scan_pk="S", scan_sk="same", number=7)
    found, start = set(), {}

    while start is not None:
        answer = table.query("scan_pk = :s", {"s": "S"}, IndexName="by_scan", Limit=2, **start)
        found |= {item["pk"]["S"] for item in answer["Items"]}
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]} if "LastEvaluatedKey" in answer else None

    assert found == {f"p{number}" for number in range(5)}


def test_numbers_are_ordered_as_numbers(table):
    """A range key of type N is compared as a number, not as text."""
    for number in (10, 9, -1, 2.5):
        table.put(str(number), scan_pk="S", number=number)

    found = table.query("scan_pk = :s AND #n > :n", {"s": "S", "n": 0}, names={"#n": "number"}, IndexName="by_number")["Items"]

    assert [item["number"]["N"] for item in found] == ["2.5", "9", "10"]


def test_an_index_lags_by_the_clock_and_the_table_does_not(lagging):
    """A query of the index sees the state of two seconds ago, whatever happened since."""
    lagging.put("a", work_pk="W", work_sk="1")
    lagging.clock.advance(1.0)
    lagging.put("a", work_pk="W", work_sk="2")

    def seen():
        return [item["work_sk"]["S"] for item in lagging.query("work_pk = :w", {"w": "W"}, IndexName="work")["Items"]]

    states = []
    for _ in range(3):
        states.append(seen())
        lagging.clock.advance(1.0)

    assert states == [[], ["1"], ["2"]]
    assert lagging.get("a")["work_sk"] == {"S": "2"}


def test_ten_thousand_items_cost_a_query_nothing(table):
    """Neither a query of the index nor one of the table looks at items that it does not return."""
    for start in range(0, 10_000, 25):
        writes = [
            {
                "PutRequest": {
                    "Item": {"pk": {"S": f"p{n}"}, "sk": {"S": "s"}, "work_pk": {"S": f"W{n % 100}"}, "work_sk": {"S": f"{n:05}"}}
                }
            }
            for n in range(start, start + 25)
        ]
        table.client.batch_write_item(RequestItems={"table": writes})
    before = table.visited("work"), table.visited()

    first = table.query("work_pk = :w", {"w": "W7"}, IndexName="work", Limit=1)
    span_of_three = table.query("work_pk = :w AND work_sk > :s", {"w": "W7", "s": "09700"}, IndexName="work")
    one = table.query("pk = :p", {"p": "p77"})

    assert [answer["Count"] for answer in (first, span_of_three, one)] == [1, 3, 1]
    assert table.visited("work") - before[0] <= 1 + 3
    assert table.visited() - before[1] <= 1


def test_a_scan_meets_every_item_once_in_segments_and_pages(table):
    """Segments share the table between them; their pages continue."""
    for number in range(60):
        table.put(f"p{number % 20}", f"s{number}")
    found = []

    for segment in range(3):
        start = {}
        while start is not None:
            answer = table.client.scan(TableName="table", Segment=segment, TotalSegments=3, Limit=7, **start)
            found += [(item["pk"]["S"], item["sk"]["S"]) for item in answer["Items"]]
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]} if "LastEvaluatedKey" in answer else None

    assert len(found) == 60
    assert len(set(found)) == 60


@pytest.mark.parametrize(
    ("condition", "values", "more"),
    [
        ("sk = :s", {"s": "a"}, {}),
        ("pk > :p", {"p": "a"}, {}),
        ("pk = :p AND note = :n", {"p": "a", "n": "x"}, {}),
        ("pk = :p OR sk = :s", {"p": "a", "s": "b"}, {}),
        ("pk = :p AND sk <> :s", {"p": "a", "s": "b"}, {}),
        ("pk = :p", {"p": 1}, {}),
        ("work_pk = :w", {"w": "W"}, {"IndexName": "work", "ConsistentRead": True}),
        ("work_pk = :w", {"w": "W"}, {"IndexName": "nowhere"}),
        ("work_pk = :w", {"w": "W"}, {"IndexName": "work", "Select": "ALL_ATTRIBUTES"}),
        ("work_pk = :w", {"w": "W"}, {"IndexName": "work", "ProjectionExpression": "secret"}),
        ("pk = :p", {"p": "a", "n": "x"}, {"FilterExpression": "sk = :n"}),
        ("pk = :p", {"p": "a"}, {"ExclusiveStartKey": {"pk": {"S": "a"}}}),
    ],
)
def test_a_wrong_query_is_refused(table, refused, condition, values, more):
    """What DynamoDB refuses is refused, above all a consistent read of an index."""
    code = refused(table, table.query, condition, values, **more)

    assert code == "ValidationException"


KEYS = st.text("abc", max_size=3)


BOUNDS = st.one_of(st.none(), KEYS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    changes=st.lists(st.tuples(st.booleans(), KEYS), max_size=30),
    bounds=st.tuples(BOUNDS, BOUNDS, st.booleans(), st.booleans()),
    forward=st.booleans(),
    after=BOUNDS,
)
def test_spans_agree_with_a_list(changes, bounds, forward, after):
    """Whatever was put and removed, a span is what comparing every key would find."""
    rows, model = Rows(), set()
    for keep, key in changes:
        if keep:
            rows.put("h", (key,), Row({"k": {"S": key}}, 1))
            model.add(key)
        else:
            rows.remove("h", (key,))
            model.discard(key)
    low, high, include_low, include_high = bounds

    key_range = span(low, high, include_low=include_low, include_high=include_high)
    found = [row.item["k"]["S"] for row in rows.query("h", key_range, forward=forward, after=None if after is None else (after,))]

    def within(key):
        above = low is None or key > low or (include_low and key == low)
        below = high is None or key < high or (include_high and key == high)
        return above and below and (after is None or (key > after if forward else key < after))

    assert found == sorted((key for key in model if within(key)), reverse=not forward)
    assert rows.count() == len(model)


@given(st.sets(KEYS, max_size=20), KEYS)
def test_a_prefix_agrees_with_a_list(keys, prefix):
    """`begins_with` is a span too."""
    rows = Rows()
    for key in keys:
        rows.put("h", (key,), Row({"k": {"S": key}}, 1))

    found = [row.item["k"]["S"] for row in rows.query("h", prefixed(prefix), forward=True, after=None)]

    assert found == sorted(key for key in keys if key.startswith(prefix))
    assert len(list(rows.query("h", EVERYTHING, forward=True, after=None))) == len(keys)

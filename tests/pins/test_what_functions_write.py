"""What scans write to table, queues, work bucket and logs: every attribute, field and code, as stored today."""

import json
import re

from tests.pins.pinned import check, keys, merged, without_names


def test_items(seen):
    """Every kind of item has exactly the attributes, types and key forms of existing tables."""
    found = {}
    for kind, variants in sorted(seen.items.items()):
        always = set.intersection(*map(set, variants))
        shape = {}
        for name in sorted({name for variant in variants for name in variant}):
            forms = _forms([variant[name] for variant in variants if name in variant])
            shape[name if name in always else f"{name} (not always)"] = forms
        found[kind] = shape

    check("written/items.json", found)


def _forms(values):
    """Return the only form of an attribute, or all forms that were seen."""
    laid = [merged(*(_merged_list(value) for value in values))] if isinstance(values[0], dict | list) else values
    distinct = sorted({json.dumps(value) for value in laid})
    return json.loads(distinct[0]) if len(distinct) == 1 else [json.loads(value) for value in distinct]


def _merged_list(value):
    return [merged(*value)] if isinstance(value, list) and value else value


def test_lane_messages(seen):
    """The body of a lane's message keeps its form: the next deployment may receive it, up to 14 days later."""
    found = {re.sub(r'(?<="key":")[^"]+', "<key>", without_names(message)) for message in seen.messages}

    check("written/lane_messages.json", sorted(found))


def test_results_of_tasks(seen):
    """The result of a task is JSON with a state, or with a reason and a message, for the completion report."""
    found = {re.sub(r'(?<="message":")[^"]+', "<sentence>", without_names(text)) for text in seen.results}

    check("written/task_results.json", sorted(found))


def test_hits(seen):
    """Hits are stored under the partitions that Athena expects, one JSON object a line."""
    found = {
        key: sorted({re.sub(r'(?<="key":")[^"]+', "<key>", without_names(line)) for line in lines})
        for key, lines in sorted(seen.hits.items())
    }

    check("written/hits.json", found)


def test_events(seen):
    """Scans log these events with these fields, which log queries name."""
    check("written/log_events.json", dict(sorted(seen.events.items())))


def test_keys_of_messages(seen):
    """A message has only the pinned keys: a starter of an older deployment may read it."""
    shape = merged(*(keys(json.loads(message)) for message in seen.messages))

    assert ["bucket", "key", "version_id", "scan_id", "attempt"] == list(shape)


def test_wait_json(seen):
    """`submit_job.py --wait --json` prints these keys once the scan is over."""
    check("json/submit_job_wait.json", keys(seen.waited))

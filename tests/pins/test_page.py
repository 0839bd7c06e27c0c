"""What the page stores in browsers and exports as a file, run with its own script under Node."""

from tests.pins import product
from tests.pins.pinned import check, given

SCRIPT = """
const kept = new Map();
const storage = {
  get length() { return kept.size; },
  key: (index) => [...kept.keys()][index],
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
  removeItem: (name) => kept.delete(name),
};
const RealDate = Date;
globalThis.Date = class extends RealDate { constructor() { super("2025-10-09T06:08:20.250Z"); } };
const video = { id: "291d5b2ab765894c3e9cc4ec00b189bc", bucket: "amzn-s3-demo-bucket", key: "2024/flagged é +,%2B.mp4",
  version: null, etag: "e4", attempt: 0 };
"""


def test_storage_and_export():
    """Decisions are stored under scan, video and etag, and exported as the file that programs read."""
    found = product.decisions_of_the_page(
        SCRIPT
        + """
const decisions = new Decisions("01K742SG00000G40R40M30E209", storage);
decisions.write([{ video, decision: "false-alarm", note: "" }]);
decisions.annotate(video, "a toy");
console.log(JSON.stringify({ kept: Object.fromEntries(kept), exported: decisions.exported([video], "Ada") }));
"""
    )

    check("written/page_storage.json", found["kept"])
    assert given("decisions.json") == found["exported"]


def test_what_browsers_keep_is_read():
    """Decisions that an older page stored in a browser are read."""
    name, value = next(iter(given("written/page_storage.json").items()))

    found = product.decisions_of_the_page(
        SCRIPT
        + f"kept.set({name!r}, {value!r});"
        + 'console.log(JSON.stringify(new Decisions("01K742SG00000G40R40M30E209", storage).of(video)));'
    )

    assert {"decision": "false-alarm", "note": "a toy", "decided_at": "2025-10-09T06:08:20.250Z"} == found

"""Invariants of tags: none says clean of what was not found clean, and in the end each says what was found or decided last."""

from collections import Counter, defaultdict

from handlers.domain import outbox
from handlers.domain.consequence import TAG_KEY
from tests.harness.product import OUTBOX

CLEAN, FLAGGED = "NO_FLAGS_FOUND", "FLAGS_FOUND"
_VERDICTS = {"CLEAN": CLEAN, "FLAGGED": FLAGGED}
_DECIDED = {"false-alarm": CLEAN, "confirmed": FLAGGED}


class Marks:
    """What every version of every object is tagged with; an object is (bucket, key, version), without versions None.

    Attributes:
        tags: The tags of each object that is there.
        wrong: Objects whose tag says clean though their content was not found clean, of buckets without versions: S3 has no
            conditional write of tags, so whoever wrote such a tag must take it off.
        counts: How often tags were written, with versions and without, and how often such a tag was taken off.
    """

    def __init__(self, faults):
        self._faults = faults
        self.messages = None
        self.tags = {}
        self.wrong = set()
        self.counts = Counter()
        self._etags = {}  # object -> etag
        self._clean = set()  # (bucket, key, etag) that were ever found clean
        self._due = defaultdict(set)  # (bucket, key) -> items of the outbox
        self._keys = {}  # video id -> (bucket, key)
        self._decisions = defaultdict(list)  # (bucket, key, etag) -> (time, judgement)
        self._records = {}  # (video id, scan id) -> item

    # S3

    def put(self, object_, etag):
        """Note a new content."""
        self.tags[object_], self._etags[object_] = {}, etag
        self.wrong.discard(object_)

    def deleted(self, object_):
        """Note that an object is gone."""
        self.tags.pop(object_, None)
        self.wrong.discard(object_)

    def tagged(self, object_, tags):
        """Look at new tags."""
        self.tags[object_] = tags
        self.counts["written with versions" if object_[2] else "written without versions"] += 1
        bucket, key, version = object_
        if tags.get(TAG_KEY) != CLEAN or (bucket, key, self._etags[object_]) in self._clean:
            self.counts["corrected"] += object_ in self.wrong
            self.wrong.discard(object_)
        elif version is None:
            self.wrong.add(object_)
        else:
            self._faults.append(f"a version is tagged as clean and was not found clean: {object_}")

    # the table

    def written_to_table(self, old, new):
        """Look at a write of a record, a decision, or an item of the outbox."""
        item = new or old
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        if pk.startswith("OUTBOX#"):
            due = self._due[self._keys.get(sk.partition("#")[0])]
            (due.add if new else due.discard)(sk)
        elif new and sk.startswith("DECISION#"):
            self._decided(new)
        elif new and pk.startswith("VIDEO#") and sk.count("#") == 1:
            self._recorded(pk.removeprefix("VIDEO#"), sk.removeprefix("SCAN#"), new)

    def _decided(self, item):
        content, judgement = (*_name(item), item["etag"]["S"]), item["decision"]["S"]
        self._decisions[content].append((float(item["decided_at"]["N"]), judgement))
        self._found(content, _DECIDED.get(judgement))

    def _recorded(self, video_id, scan_id, item):
        self._keys[video_id] = _name(item)
        self._records[video_id, scan_id] = item
        self._found(_content(item), _VERDICTS.get(item["state"]["S"]))

    def _found(self, content, status):
        if status == CLEAN:
            self._clean.add(content)
            for object_ in [each for each in self.wrong if (*each[:2], self._etags[each]) == content]:
                self.wrong.discard(object_)

    # what must hold

    def look(self):
        """A wrong tag is there only while somebody is at it: what wrote it, or what is still to be carried out about its key."""
        for bucket, key, _ in self.wrong:
            if not self._due[bucket, key] and (bucket, key) not in self._hinted():
                self._faults.append(f"a tag says clean of what was not found clean, and stays: {bucket}/{key}")

    def _hinted(self):
        """Return the keys about which there are messages, those that are being worked on included."""
        dues = [outbox.parse(message.body) for name in (OUTBOX, f"{OUTBOX}-dead") for message in self.messages(name)]
        return {self._keys.get(due.video_id) for due in dues}

    def unfinished(self):
        """Return what is in the outbox."""
        return {key: due for key, due in self._due.items() if due}

    def check_end(self):
        """Each tag is that of the last verdict or decision about its content; a version that has one has a tag."""
        assert not self.wrong, f"tags say clean of what was not found clean: {self.wrong}"
        for object_, tags in self.tags.items():
            expected, tag = self._expected(object_), tags.get(TAG_KEY)
            # Without versions a content that was put again has no tag until it is scanned again.
            absent = tag is None and object_[2] is None
            assert not expected or absent or tag in expected, f"{object_} is tagged {tag}, not {expected}"

    def _expected(self, object_):
        """Return what an object's tag may say; more than one thing where two verdicts are of the same moment."""
        content = (*object_[:2], self._etags[object_])
        about = [item for item in self._records.values() if _content(item) == content and "superseded_at" not in item]
        own = [item for item in about if item.get("object_version_id", {"S": None})["S"] == object_[2]]
        decided = max(self._decisions[content], default=(0.0, ""))[1]
        if decided in _DECIDED:
            # A decision is carried out on the version of the record that was reviewed.
            return {_DECIDED[decided]} if own and own == about else set()
        verdicts = [(_time(item), _VERDICTS[item["state"]["S"]]) for item in own if item["state"]["S"] in _VERDICTS]
        return {status for at, status in verdicts if at == max(verdicts)[0]}


def _name(item):
    return item["bucket"]["S"], item["key"]["S"]


def _content(item):
    return (*_name(item), item.get("etag", {"S": None})["S"])


def _time(item):
    return float(item.get("judged_at", item["finished_at"])["N"])

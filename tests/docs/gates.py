"""The table in docs/gate.md: who may do what to an object under each policy of the gate, as a simulated policy decides it."""

import json
from itertools import groupby

from handlers.domain.consequence import TAG_KEY, ObjectStatus
from tests.docs.helptexts import BEGIN, END, ROOT
from tools.emulator.services.s3 import ANYBODY, Decision, Requester, access, parse_policy
from tools.lib.gate import GatePolicy
from tools.lib.gate.merge import merge
from tools.lib.gate.statements import statements

PAGE = ROOT / "docs" / "gate.md"

ACCOUNT, BUCKET = "111122223333", "amzn-s3-demo-bucket"
READER, TAGGER, REVIEWER, OTHER = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("reader", "tagger", "reviewer", "other"))
# Who asks, by the column of the table; the functions that tag read, too.
REQUESTERS = {
    "functions that read": (Requester.session(READER, "function"),),
    "the function that tags": (Requester.session(TAGGER, "function"),),
    "reviewers": (Requester.session(REVIEWER, "alice@example.com"),),
    "everybody else": (
        Requester.session(OTHER, "session"),
        Requester(f"arn:aws:iam::{ACCOUNT}:user/bob"),
        Requester.root(ACCOUNT),
        Requester.session("arn:aws:iam::444455556666:role/reader", "function"),
        ANYBODY,
    ),
}
EXEMPT = {True: [READER, REVIEWER, TAGGER], False: [TAGGER]}
# Without the tag, and with each of its values.
TAGS = (None, *ObjectStatus)

OURS, OTHER_CASE, OTHERS = ({name: "NO_FLAGS_FOUND"} for name in (TAG_KEY, TAG_KEY.lower(), "Project"))
# What is asked for: in words, the actions, and the tags that the request brings.
REQUESTS = (
    ("read", ("s3:GetObject", "s3:GetObjectVersion"), None),
    ("read the tags", ("s3:GetObjectTagging", "s3:GetObjectVersionTagging"), None),
    ("write with this tag", ("s3:PutObject",), OURS),
    ("write with this tag in another case", ("s3:PutObject",), OTHER_CASE),
    ("write with other tags", ("s3:PutObject",), OTHERS),
    ("write", ("s3:PutObject",), None),
    ("put this tag", ("s3:PutObjectTagging", "s3:PutObjectVersionTagging"), OURS),
    ("put this tag in another case", ("s3:PutObjectTagging", "s3:PutObjectVersionTagging"), OTHER_CASE),
    ("put other tags in its place", ("s3:PutObjectTagging", "s3:PutObjectVersionTagging"), OTHERS),
    ("delete the tags", ("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"), None),
    ("delete", ("s3:DeleteObject", "s3:DeleteObjectVersion"), None),
)


def policy(chosen):
    """Return the parsed policy of a bucket that has one policy of the gate."""
    document = merge({"Version": "2012-10-17"}, statements(chosen, f"arn:aws:s3:::{BUCKET}", EXEMPT[chosen.on_reading]))
    return parse_policy(json.dumps(document), BUCKET)


def denied(parsed, requester, action, request_tags):
    """Return with which values of the tag an object denies this."""
    return tuple(
        tag
        for tag in TAGS
        if parsed.decide(
            access(requester, action, BUCKET, "a", existing_tags={} if tag is None else {TAG_KEY: tag}, request_tags=request_tags)
        )
        is Decision.DENIED
    )


def cell(parsed, requesters, actions, request_tags):
    """Return who of a column may do something, which must be the same for all of them and for all forms of the action."""
    (closed,) = {denied(parsed, one, action, request_tags) for one in requesters for action in actions}
    opened = [tag for tag in TAGS if tag not in closed]
    if not closed or not opened:
        return "no" if closed else "yes"
    few, word = (closed, "not") if len(closed) < len(opened) else (opened, "only")
    return f"{word} {' or '.join('without the tag' if tag is None else f'if `{tag}`' for tag in few)}"


def rows():
    """Yield the rows of the table: what is answered alike under a policy is one row."""
    for chosen in GatePolicy:
        parsed = policy(chosen)
        asked = [
            (tuple(cell(parsed, requesters, actions, tags) for requesters in REQUESTERS.values()), words)
            for words, actions, tags in REQUESTS
        ]
        first = {cells: number for number, (cells, _) in reversed([*enumerate(asked)])}
        for cells, same in groupby(sorted(asked, key=lambda row: first[row[0]]), key=lambda row: row[0]):
            yield f"`{chosen}`", ", ".join(words for _, words in same), *cells


def written():
    """Return the text of the page with today's table between the marks."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    heads = ("policy", "what", *REQUESTERS)
    lines = [f"| {' | '.join(row)} |" for row in (heads, *rows())]
    return "\n".join([f"{before}{BEGIN}\n", lines[0], "|---" * len(heads) + "|", *lines[1:], f"\n{END}{after}"])

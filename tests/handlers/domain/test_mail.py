"""The mail about a flagged video."""

import re
import shlex
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.identity import Video
from handlers.domain.languages import LANGUAGES
from handlers.domain.mail import MAX_LISTED, flagged_mail, time_code, visible
from handlers.domain.record import LabelSummary, Record, Segment
from handlers.domain.states import State

SCAN = "01K9ZZ6Q3M4T5V6W7X8Y9Z0ABC"
WEAPON = LabelSummary("Weapon Violence", "Graphic Violence", 3, 97.25, 4500, 65_000)
VIOLENCE = LabelSummary("Violence", "", 1, 97.25, 6500, 63_000)
SEGMENTS = (
    Segment("Violence", "", 1, 63_000, 69_000, 97.25, 13),
    Segment("Weapon Violence", "Graphic Violence", 3, 65_000, 69_000, 97.25, 9),
    Segment("Alcohol", "", 1, 70_000, 70_000, 51.0, 1),
)
BODY = f"""\
A video was flagged. Found:
   97.2 %  Weapon Violence (Graphic Violence), first at 0:01:05, about 4.5 s in all
   97.2 %  Violence, first at 0:01:03, about 6.5 s in all

When (h:mm:ss):
  0:01:03 - 0:01:09   97.2 %  Violence
  0:01:05 - 0:01:09   97.2 %  Weapon Violence

Where:
  s3://amzn-s3-demo-bucket/films/first one.mp4
  duration 1:02:03

What to do next:
  look at it: https://console.aws.amazon.com/s3/object/amzn-s3-demo-bucket?region=eu-west-1&prefix=films/first%20one.mp4
  or fetch it: aws s3 cp 's3://amzn-s3-demo-bucket/films/first one.mp4' video.mp4
  the whole scan: python tools/review_report.py --scan {SCAN} --stack VideoModeration
"""
ANYTHING = st.text(st.characters())
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1024)
LABELS = st.builds(
    LabelSummary, ANYTHING, ANYTHING, st.integers(0, 3), st.floats(0, 100), st.integers(0, 10**8), st.integers(0, 10**8)
)


def mail_about(key="a.mp4", *, version=None, duration=3_723_900, counted=(WEAPON, VIOLENCE), segments=SEGMENTS):
    """Return the mail about a video with this key."""
    record = Record(Video("amzn-s3-demo-bucket", key, version), SCAN, State.FLAGGED, duration_ms=duration)
    return flagged_mail(record, counted, segments, SCAN, "VideoModeration", region="eu-west-1")


def test_mail():
    """What was found, how sure, when, where, and what to do next; labels that do not count are not named."""
    mail = mail_about("films/first one.mp4")

    assert mail.subject == "Flagged: Weapon Violence in films/first one.mp4"
    assert mail.body == BODY
    assert mail.attributes == {"verdict": "FLAGGED", "scan_id": SCAN, "bucket": "amzn-s3-demo-bucket", "labels": "Violence"}


@pytest.mark.parametrize(("language", "comma"), [("en", "."), ("es", ",")])
def test_only_what_counts(language, comma):
    """A segment below the rule is not listed, one that begins below it is from where it counts, and nothing is rounded up to it."""
    weapon = replace(WEAPON, confidence=99.0, first_ms=49_000, counts_from=80.0)
    segments = (
        Segment("Weapon Violence", "Graphic Violence", 3, 0, 1_000, 79.99, 2),
        Segment("Weapon Violence", "Graphic Violence", 3, 30_000, 50_000, 99.0, 9),
        Segment("Weapon Violence", "Graphic Violence", 3, 60_000, 60_000, 80.06, 1),
    )
    record = Record(Video("amzn-s3-demo-bucket", "a.mp4"), SCAN, State.FLAGGED)

    body = flagged_mail(record, [weapon], segments, SCAN, "VideoModeration", region="eu-west-1", language=LANGUAGES[language]).body

    assert "0:00:49, " in body
    times = [line.split("  ")[1:4] for line in body.splitlines() if " - " in line]
    assert [["0:00:49 - 0:00:50", " 99.0 %"], ["0:01:00 - 0:01:00", " 80.0 %"]] == [
        [when, percent.replace(comma, ".")] for when, percent, _ in times
    ]
    assert "0:00:00" not in body


SPANISH_BODY = f"""\
Se marcó un video. Hallazgos:
   97,2 %  Violencia con armas (Weapon Violence), dentro de Violencia gráfica, por primera vez en 0:01:05, unos 4,5 s en total
   97,2 %  Violencia (Violence), por primera vez en 0:01:03, unos 6,5 s en total

Cuándo (h:mm:ss):
  0:01:03 - 0:01:09   97,2 %  Violencia
  0:01:05 - 0:01:09   97,2 %  Violencia con armas

Dónde:
  s3://amzn-s3-demo-bucket/films/first one.mp4
  duración 1:02:03

Qué hacer ahora:
  verlo: https://console.aws.amazon.com/s3/object/amzn-s3-demo-bucket?region=eu-west-1&prefix=films/first%20one.mp4
  o descargarlo: aws s3 cp 's3://amzn-s3-demo-bucket/films/first one.mp4' video.mp4
  el escaneo completo: python tools/review_report.py --scan {SCAN} --stack VideoModeration
"""


def test_spanish():
    """The same in Spanish; AWS's names stand beside the translated ones, and the attributes for filters stay as they are."""
    record = Record(Video("amzn-s3-demo-bucket", "films/first one.mp4"), SCAN, State.FLAGGED, duration_ms=3_723_900)

    mail = flagged_mail(record, (WEAPON, VIOLENCE), SEGMENTS, SCAN, "VideoModeration", region="eu-west-1", language=LANGUAGES["es"])

    assert ("Marcado: Violencia con armas en films/first one.mp4", SPANISH_BODY) == (mail.subject, mail.body)
    assert mail.attributes == mail_about("films/first one.mp4").attributes


@given(KEYS, st.lists(LABELS, max_size=3))
def test_subject_is_accepted_by_sns(key, counted):
    """Whatever the key and the labels are: ASCII, at most 99 characters, nothing that does not print (seed's defect 16)."""
    subject = mail_about(key, counted=counted).subject

    assert len(subject) <= 99
    assert subject.isascii()
    assert subject.isprintable()
    assert subject == subject.strip()
    assert subject[0].isalpha()


def test_long_key_in_the_subject():
    """The end of a long key is kept: there stands the file's name."""
    subject = mail_about("a/very/long/way/" * 60 + "holiday in August.mp4").subject

    assert len(subject) == 99
    assert subject.startswith("Flagged: Weapon Violence in ...")
    assert subject.endswith("/holiday in August.mp4")


def test_key_that_just_fits_the_subject():
    """A key that fills the subject to its last character is not cut."""
    key = "k" * (99 - len("Flagged: Weapon Violence in "))

    assert mail_about(key).subject == f"Flagged: Weapon Violence in {key}"


def test_key_of_another_script_in_the_subject():
    """Letters lose their accents, and what has no ASCII form becomes a question mark; the body has the key as it is."""
    mail = mail_about("Über Größe/日本 😀.mp4")

    assert mail.subject == "Flagged: Weapon Violence in Uber Gro?e/?? ?.mp4"
    assert "s3://amzn-s3-demo-bucket/Über Größe/日本 😀.mp4\n" in mail.body


@given(
    KEYS,
    st.none() | KEYS,
    st.lists(LABELS, max_size=5),
    st.lists(
        st.builds(Segment, ANYTHING, ANYTHING, st.just(1), *[st.integers(0, 10**8)] * 2, st.floats(0, 100), st.just(1)), max_size=5
    ),
)
def test_nothing_hides_in_the_body(key, version, counted, segments):
    """Whatever key and labels are, each line of the body is printable: no control character, no turned writing, no extra line."""
    body = mail_about(key, version=version, counted=counted, segments=segments).body

    assert all(line.isprintable() for line in body.split("\n"))
    assert body.count("\n") <= 17 + len(counted) + len(segments)


def test_right_to_left_override():
    """A key that would read otherwise than it is, is shown as it is; the mail asks for no copying."""
    body = mail_about("harmless\u202e4pm.exe\n\nA video was deleted.mp4").body

    assert r"s3://amzn-s3-demo-bucket/harmless\u202e4pm.exe\n\nA video was deleted.mp4" in body
    assert "shown escaped" in body
    assert "aws s3 cp" not in body


@given(KEYS.filter(str.isprintable))
def test_command_can_be_pasted(key):
    """A shell reads the command to fetch the video as one word for the object, whatever the key tries."""
    (line,) = [line for line in mail_about(key).body.splitlines() if line.startswith("  or fetch it: ")]

    assert shlex.split(line.removeprefix("  or fetch it: ")) == ["aws", "s3", "cp", f"s3://amzn-s3-demo-bucket/{key}", "video.mp4"]


@given(KEYS, st.none() | KEYS)
def test_link_leads_to_the_object(key, version):
    """The console link names exactly the object, and its version where there is one."""
    (line,) = [line for line in mail_about(key, version=version).body.split("\n") if line.startswith("  look at it: ")]

    url = urlsplit(line.removeprefix("  look at it: "))
    expected = {"region": ["eu-west-1"], "prefix": [key]} | ({} if version is None else {"versionId": [version]})
    assert url.path == "/s3/object/amzn-s3-demo-bucket"
    assert parse_qs(url.query, keep_blank_values=True) == expected


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("ap-southeast-2", "console.aws.amazon.com"),
        ("cn-northwest-1", "console.amazonaws.cn"),
        ("us-gov-east-1", "console.amazonaws-us-gov.com"),
        ("eusc-de-east-1", "console.amazonaws-eusc.eu"),
        ("us-east-1", "console.aws.amazon.com"),
    ],
)
def test_link_leads_into_the_partition(region, host):
    """The console is that of the Region's partition: the commercial one shows nothing of the others."""
    record = Record(Video("amzn-s3-demo-bucket", "films/first one.mp4"), SCAN, State.FLAGGED)

    body = flagged_mail(record, (WEAPON,), SEGMENTS, SCAN, "VideoModeration", region=region).body

    assert f"  look at it: https://{host}/s3/object/amzn-s3-demo-bucket?region={region}&prefix=films/first%20one.mp4\n" in body


def test_versioned_object():
    """The version is named, and no command given that would fetch another one."""
    body = mail_about(version="3sL4kqtJlcpXroDTDmJ").body

    assert "  version 3sL4kqtJlcpXroDTDmJ\n" in body
    assert "&versionId=3sL4kqtJlcpXroDTDmJ\n" in body
    assert "aws s3 cp" not in body


def test_unknown_duration():
    """A video of which Rekognition said no duration has none in the mail."""
    assert "  duration unknown\n" in mail_about(duration=None).body


@pytest.mark.parametrize(("count", "more"), [(50, False), (51, True), (5000, True)])
def test_many_segments(count, more):
    """At most 50 segments are listed, and the rest counted; those of labels that do not count are not."""
    segments = [Segment("Violence", "", 1, second * 1000, second * 1000, 90.0, 1) for second in range(count)]
    others = [Segment("Alcohol", "", 1, 0, 0, 60.0, 1)] * 100

    body = mail_about(segments=iter(others + segments + others)).body

    assert body.count("  Violence\n") == min(count, MAX_LISTED)
    assert (re.search(rf"^  and {count - 50:,} more segments?$", body, re.MULTILINE) is not None) is more


def test_body_is_bounded():
    """The longest names, keys and lists there can be stay far below what SNS takes, attributes included."""
    long = "\U000e0001" * 5000
    counted = [LabelSummary(f"{number}{long}", long, 1, 99.0, 10**8, 10**8) for number in range(200)]
    segments = [Segment(label.name, long, 1, 10**8, 10**8, 99.0, 1) for label in counted] * 25

    mail = mail_about("\U000e0001" * 256, version="\U000e0001" * 256, counted=counted, segments=segments)

    assert len(mail.body.encode()) < 200_000
    assert sum(len(name) + len(value.encode()) for name, value in mail.attributes.items()) < 20_000
    assert "  and 150 more labels\n" in mail.body


@given(KEYS, st.lists(LABELS, max_size=3))
def test_attributes_are_accepted_by_sns(key, counted):
    """Every attribute is a text with something in it that prints."""
    attributes = mail_about(key, counted=counted).attributes

    assert attributes["verdict"] == "FLAGGED"
    assert all(value and value.isprintable() for value in attributes.values())


@pytest.mark.parametrize(
    ("counted", "labels"),
    [
        ([WEAPON], "Violence"),
        ([WEAPON, VIOLENCE, LabelSummary("Drinking", "Alcohol Use", 3, 90.0, 500, 0)], "Violence,Alcohol"),
        ([LabelSummary("Brand New", "", 0, 90.0, 500, 0)], "Brand New"),
        ([LabelSummary("Brand New", "Weapons", 3, 90.0, 500, 0)], "Violence"),
        ([LabelSummary("Brand New", "New Group", 2, 90.0, 500, 0)], "New Group"),
        ([LabelSummary("A", "B", 2, 90.0, 500, 0), LabelSummary("B", "A", 2, 90.0, 500, 0)], "A,B"),
    ],
)
def test_categories(counted, labels):
    """Subscriptions filter by top-level category: the taxonomy's, else the highest that Rekognition named."""
    assert mail_about(counted=counted).attributes["labels"] == labels


@pytest.mark.parametrize(
    ("milliseconds", "code"),
    [
        (0, "0:00:00"),
        (999, "0:00:00"),
        (1000, "0:00:01"),
        (59_999, "0:00:59"),
        (60_000, "0:01:00"),
        (3_599_999, "0:59:59"),
        (3_600_000, "1:00:00"),
        (21_600_000, "6:00:00"),
        (360_000_000, "100:00:00"),
        (-1, "0:00:00"),
    ],
)
def test_time_code(milliseconds, code):
    """A time is shown as h:mm:ss, as a player shows it."""
    assert time_code(milliseconds) == code


@given(ANYTHING)
def test_visible_text_can_be_read_back(text):
    """What was escaped is the text it came from, and nothing else was changed."""
    shown = visible(text)

    assert shown.isprintable()
    assert shown == text or shown.encode("latin-1", "backslashreplace").decode("unicode_escape") == text

"""The mails about scans as a whole."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain import scan_mail
from handlers.domain.engine import Engine
from handlers.domain.identity import Video
from handlers.domain.languages import LANGUAGES
from handlers.domain.record import BatchJob, LabelSummary, Record, Scan, Settings, Totals
from handlers.domain.states import ScanStatus, State
from tools.lib.estimate import prices

SCAN = "01K9ZZ6Q3M4T5V6W7X8Y9Z0ABC"
DIGEST = f"""\
The scan {SCAN} of amzn-s3-demo-bucket is finished.

  clean              520
  flagged              4
  failed               2
  ineligible           1
  without record       5
  ----------------------
  objects            532
Without record: not looked at, because they are not videos or their task failed or never ran; or rows that the manifest has twice.

Flagged, highest confidence first:
   99.5 %  Weapons at 0:01:23  s3://amzn-s3-demo-bucket/a b.mp4
  and 3 more videos

Failed, by reason:
       2  missing

Ineligible, by reason:
       1  archived

Analysed: 2,620.0 minutes of video, about $262.00 for Rekognition ($0.10 a minute in us-east-1, not checked with AWS).

What to do next:
  every object: python tools/review_report.py --scan {SCAN} --stack VideoModeration
"""
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1024)
TEXTS = st.text(max_size=400)


def flagged(key="a b.mp4", confidence=99.5):
    """Return the record of a flagged video; a label that did not count is surer."""
    labels = (
        LabelSummary("Weapons", "Violence", 2, confidence, 1_500, 83_000),
        LabelSummary("Alcohol", "", 1, 100.0, 500, 0),
    )
    return Record(Video("amzn-s3-demo-bucket", key), SCAN, State.FLAGGED, labels=labels, counted=("Weapons",))


def totals(**changed):
    """Return the totals of a scan."""
    videos = {State.CLEAN: 520, State.FLAGGED: 4, State.FAILED: 3, State.CANCELLED: 0}
    milliseconds = {State.CLEAN: 2_600 * 60_000, State.FLAGGED: 20 * 60_000}
    return Totals(videos, milliseconds, {"archived": 1, "missing": 2}, **changed)


def test_digest():
    """Counts that add up, the worst, failures by reason, minutes and money, and the command to review."""
    scan = Scan(SCAN, "amzn-s3-demo-bucket", objects=532, jobs=(BatchJob("one", "Complete"),))

    mail = scan_mail.digest_mail(scan, totals(), [flagged()], "VideoModeration", seen_all=True)

    assert ("Scan finished: 527 videos, 4 flagged, 2 failed, 1 ineligible, 5 without record", DIGEST) == (mail.subject, mail.body)
    assert {"kind": "DIGEST", "scan_id": SCAN} == mail.attributes


@pytest.mark.parametrize(("language", "shown"), [("en", " 79.9 %  Weapons at 0:01:23"), ("es", " 79,9 %  Armas en 0:01:23")])
def test_confidences_are_rounded_down(language, shown):
    """What counts under a rule of 79.9 is not shown as 80.0."""
    mail = scan_mail.digest_mail(
        Scan(SCAN, "b"), totals(), [flagged(confidence=79.99)], "V", seen_all=True, language=LANGUAGES[language]
    )

    assert shown in mail.body


def test_spanish_digest():
    """The digest in Spanish: states, numbers, money, reasons under their codes; its subject is one that SNS takes."""
    scan = Scan(SCAN, "amzn-s3-demo-bucket", objects=13_027, jobs=(BatchJob("one", "Failed"),))

    mail = scan_mail.digest_mail(scan, totals(), [flagged()], "VideoModeration", seen_all=True, language=LANGUAGES["es"])

    assert "Escaneo incompleto: 527 videos, 4 marcados, 2 fallidos, 1 no apto, 12.500 sin registro" == mail.subject
    for line in (
        "Su trabajo por lotes one terminó en estado fallido.",
        "  limpio             520",
        "  sin registro    12.500",
        "  objetos         13.027",
        "   99,5 %  Armas en 0:01:23  s3://amzn-s3-demo-bucket/a b.mp4",
        "No aptos, por motivo:\n       1  archived",
        "Analizados: 2620,0 minutos de video, unos 262,00 USD de Rekognition",
    ):
        assert f"\n{line}" in mail.body


def test_spanish_pause_names_the_job():
    """The stored reason is English; in another language it is made anew of the jobs that it names."""
    jobs = (BatchJob("one", "Failed", reasons=("JobFailed: Too many tasks failed.",)), BatchJob("two", "Complete"))
    scan = Scan(SCAN, "amzn-s3-demo-bucket", jobs=jobs, held_reason="its batch job one is failed")

    mail = scan_mail.job_broken_mail(scan, 1, "VideoModeration", counted_to=10, language=LANGUAGES["es"])

    assert "Escaneo en pausa: 1 video sigue en espera" == mail.subject
    assert "\nMotivo que da S3: JobFailed: Too many tasks failed.\n" in mail.body
    assert "está en pausa: su trabajo por lotes one está fallido.\n" in mail.body


def test_digest_counts_what_was_left_out():
    """Who compares the counts with the bucket finds the objects that never went into a job, by reason; and no such line else."""
    scan = Scan(SCAN, "amzn-s3-demo-bucket", objects=532, set_aside={"codec": 1_200, "archived": 3})

    body = scan_mail.digest_mail(scan, totals(), [flagged()], "VideoModeration", seen_all=True).body
    without = scan_mail.digest_mail(replace(scan, set_aside={}), totals(), [flagged()], "VideoModeration", seen_all=True).body

    assert "\nLeft out when it was submitted, because they cannot be analysed: 3 archived, 1,200 codec.\n" in body
    assert "Left out" not in without


def test_digest_names_other_suffixes():
    """What was not part of the scan because of its suffix is named where it was counted."""
    scan = Scan(SCAN, "amzn-s3-demo-bucket", not_selected={".mkv": 2})

    counted, none, unknown = (
        scan_mail.digest_mail(replace(scan, not_selected=each), totals(), [], "V", seen_all=True).body
        for each in (scan.not_selected, {}, None)
    )

    assert "because of their suffixes: 2 objects (2 .mkv).\n2 of them look like videos" in counted
    assert ("suffix" in none, "suffix" in unknown) == (False, False)


def test_digest_of_a_broken_end():
    """A cancelled scan says so, and how its job ended; where not all flagged videos were looked at it says that too."""
    scan = Scan(SCAN, "amzn-s3-demo-bucket", status=ScanStatus.CANCELLED, jobs=(BatchJob("one", "Failed"),))

    mail = scan_mail.digest_mail(scan, totals(), [flagged()], "VideoModeration", seen_all=False)

    assert mail.subject.startswith("Scan cancelled: ")
    assert "Its batch job one ended with the status failed." in mail.body
    assert "among those that were looked at" in mail.body


def test_confidence_is_that_of_the_surest():
    """Of several labels that flagged a video the surest ranks it, in whatever order they are."""
    weapons = LabelSummary("Weapons", "Violence", 2, 81.0, 1_500, 83_000)
    drugs = LabelSummary("Drugs", "", 1, 97.0, 1_500, 83_000)
    record = replace(flagged(), labels=(weapons, drugs, weapons), counted=("Weapons", "Drugs"))

    assert 97.0 == scan_mail.confidence(record)


def test_confidence_counts_what_counted():
    """How bad a video is follows from the labels that flagged it, not from what the policy lets pass."""
    assert 99.5 == scan_mail.confidence(flagged())


@given(st.lists(KEYS, max_size=10), st.dictionaries(TEXTS, st.integers(1, 10**6), max_size=60), TEXTS)
def test_digest_whatever_the_keys(keys, failures, bucket):
    """Whatever keys and reasons are: a subject that SNS takes, a bounded body, and no line that a key has broken."""
    worst = [flagged(key) for key in keys]
    counted = Totals({State.FLAGGED: len(keys), State.FAILED: sum(failures.values())}, {}, failures)

    mail = scan_mail.digest_mail(Scan(SCAN, bucket), counted, worst, "VideoModeration", seen_all=True)

    assert mail.subject.isascii()
    assert 0 < len(mail.subject) <= 99
    assert len(mail.body.encode()) < 200_000
    assert len(mail.body.splitlines()) <= 50


@pytest.mark.parametrize(
    ("waiting", "summary"),
    [(1, "1 video still waits"), (1_500, "1,500 videos still wait"), (100_001, "more than 100,000 videos still wait")],
)
def test_broken_job(waiting, summary):
    """How many wait, and both ways to go on, as commands to copy."""
    scan = Scan(SCAN, "amzn-s3-demo-bucket", held_reason="its batch job one is cancelled")

    mail = scan_mail.job_broken_mail(scan, waiting, "VideoModeration", counted_to=100_000)

    assert mail.subject == f"Scan paused: {summary}"
    assert f"is paused: its batch job one is cancelled.\nOf what it had registered, {summary}." in mail.body
    assert f"python tools/control_scan.py resume {SCAN} --stack VideoModeration" in mail.body
    assert f"python tools/control_scan.py cancel {SCAN} --stack VideoModeration" in mail.body


@given(TEXTS, TEXTS)
def test_pause(by, reason):
    """Whatever AWS said is one line of the mail, and its subject is one that SNS takes."""
    mail = scan_mail.pause_mail(Settings(paused=True, paused_by=by, paused_reason=reason), "VideoModeration")

    assert mail.subject.isascii()
    assert mail.subject.isprintable()
    assert len(mail.subject) <= 99
    assert len(mail.body.splitlines()) <= 12
    assert "control_scan.py resume --stack VideoModeration" in mail.body


def test_limit():
    """Where the rest will be is said."""
    mail = scan_mail.limit_mail(Scan(SCAN, "amzn-s3-demo-bucket"), 25, "VideoModeration")

    assert mail.body.startswith(f"25 flagged videos of the scan {SCAN} of amzn-s3-demo-bucket have been mailed.\n")
    assert "the digest comes when it closes" in mail.body


def test_price_is_the_tools():
    """Mails and plans name the same prices."""
    assert scan_mail.DOLLARS_A_MINUTE == float(prices.REKOGNITION_MINUTE.dollars)
    assert scan_mail.DOLLARS_AN_IMAGE == float(prices.REKOGNITION_IMAGE.dollars)


@pytest.mark.parametrize(("engine", "minutes"), [(Engine.VIDEO, True), (Engine.FRAMES, False)])
def test_price_of_images(engine, minutes):
    """A scan by frames costs its images and not its minutes; one by the video API costs its images besides."""
    scan = Scan(SCAN, "amzn-s3-demo-bucket", engine=engine, status=ScanStatus.CLOSED)

    body = scan_mail.digest_mail(scan, totals(images=1_500), [], "VideoModeration", seen_all=True).body

    assert "Analysed: 1,500 images, about $1.50 for Rekognition ($0.001 an image in us-east-1, not checked with AWS)." in body
    assert minutes == ("minutes of video, about" in body)


def test_kinds():
    """A filter of a subscription distinguishes the mails by kind and by scan; a pause of all starting names no scan."""
    scan = Scan(SCAN, "amzn-s3-demo-bucket", held_reason="it broke")
    limit = scan_mail.limit_mail(scan, 25, "VideoModeration")
    broken = scan_mail.job_broken_mail(scan, 2, "VideoModeration", counted_to=10)
    paused = scan_mail.pause_mail(Settings(paused=True), "VideoModeration")

    assert {"kind": "LIMIT", "scan_id": SCAN} == limit.attributes
    assert {"kind": "PAUSED", "scan_id": SCAN} == broken.attributes
    assert {"kind": "PAUSED"} == paused.attributes


def test_who_paused_and_why():
    """The operator reads who stopped the starting, for which reason, and that nothing is lost."""
    mail = scan_mail.pause_mail(Settings(paused=True, paused_by="circuit breaker", paused_reason="AccessDenied: no"), "My Stack")

    assert "paused by circuit breaker." in mail.body
    assert "Reason: AccessDenied: no\n" in mail.body
    assert "Nothing is lost" in mail.body
    assert "--stack 'My Stack'" in mail.body
    assert mail.subject == "Starting is paused: AccessDenied: no"


def test_a_pause_without_a_word():
    """Who pauses may leave name and reason out; the mail says that they did."""
    mail = scan_mail.pause_mail(Settings(paused=True), "VideoModeration")

    assert "paused by someone." in mail.body
    assert "Reason: no reason was given\n" in mail.body


def test_the_command_to_look_before_the_digest():
    """The mail about the limit has the command for its scan and its stack."""
    mail = scan_mail.limit_mail(Scan(SCAN, "amzn-s3-demo-bucket"), 25, "My Stack")

    assert f"python tools/review_report.py --scan {SCAN} --stack 'My Stack'" in mail.body
    assert "mails_per_scan" in mail.body


def test_exactly_as_many_as_were_counted():
    """Only where counting stopped before the end are there more than that."""
    mail = scan_mail.job_broken_mail(Scan(SCAN, "amzn-s3-demo-bucket"), 10, "VideoModeration", counted_to=10)

    assert mail.subject == "Scan paused: 10 videos still wait"
    assert "its batch job ended early" in mail.body


def test_a_digest_of_nothing():
    """A scan of which nothing came is counted as such: no state is invented, no line is left out that says 0."""
    mail = scan_mail.digest_mail(Scan(SCAN, "amzn-s3-demo-bucket", objects=0), Totals(), [], "VideoModeration", seen_all=True)

    assert mail.subject == "Scan finished: 0 videos, 0 flagged, 0 failed"
    assert "  clean                0\n  flagged              0\n  failed               0\n  ---" in mail.body
    assert "  objects              0\n" in mail.body
    assert "without record" not in mail.body


def test_jobs_that_need_no_word():
    """A complete job, and one that S3 has forgotten after 90 days, are not worth a mention."""
    jobs = (BatchJob("one", "Complete"), BatchJob("two", "NotFound"))

    mail = scan_mail.digest_mail(Scan(SCAN, "amzn-s3-demo-bucket", jobs=jobs), totals(), [], "VideoModeration", seen_all=True)

    assert "batch job" not in mail.body


def test_nothing_counted_is_not_sure_at_all():
    """A video for which no label counts has no confidence to be ranked by."""
    assert scan_mail.confidence(Record(Video("amzn-s3-demo-bucket", "a.mp4"), SCAN, State.FLAGGED)) == 0.0

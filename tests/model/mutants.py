"""The product with one guard removed, which the model must see."""

import sys
from dataclasses import fields, replace
from functools import partial

from handlers.adapters import ObjectMarks
from handlers.adapters.rekognition import AnalysisStarter
from handlers.adapters.table import Records, Samplings, expressions, items
from handlers.adapters.table.expressions import Condition
from handlers.adapters.table.outcome import Outcome
from handlers.flows.complete import CompleteFlow
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.resend import ResendMessages
from tests.harness.flows import WIRINGS, flow_of
from tests.harness.media import Adapters
from tests.harness.product import HOUR
from tests.model.tags import analysis_of


class UnconditionalRecords(Records):
    """Enters RUNNING whatever the state of the record."""

    def _record_update(self, record, *, when, sets=None, removes=()):
        entering = sets is not None and sets.get("state") == "RUNNING"
        return super()._record_update(record, when=Condition() if entering else when, sets=sets, removes=removes)


class TotalsAfterwardsRecords(Records):
    """Counts a transition in a separate write."""

    def _transition(self, actions, before):
        counts = [action for action in actions if "TOTALS#" in str(action)]
        outcome = super()._transition([action for action in actions if action not in counts], before)
        if outcome is Outcome.DONE:
            for count in counts:
                self._table.update(count["Update"])
        return outcome


class BlindRecords(Records):
    """Hides running analyses from the closing of scans."""

    def running(self):
        """Return the running analyses."""
        return [] if sys._getframe(1).f_code.co_name == "_under_way" else super().running()


class Tokenless:
    """Rekognition's client, whose Starts carry no token."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        """Return an operation."""
        return getattr(self._client, name)

    def start_content_moderation(self, **parameters):
        """Start without a token."""
        del parameters["ClientRequestToken"]
        return self._client.start_content_moderation(**parameters)


class TokenlessAdapters(Adapters):
    """Adapters without tokens."""

    def starter(self):
        """Reach Rekognition for starting analyses."""
        return AnalysisStarter(Tokenless(self.clients.rekognition))


class TagCompleteFlow(CompleteFlow):
    """Accepts a job whose tag names a record, as long as the record knows of no other job."""

    def _record_of(self, job_id):
        return super()._record_of(job_id) or self._tagged(job_id)

    def _tagged(self, job_id):
        tag = self._reader._client.get_content_moderation(JobId=job_id, MaxResults=1).get("JobTag")
        analysis = analysis_of(tag) if tag else None
        record = self._records.record(analysis.video_id, analysis.scan_id) if tag else None
        if record is None or record.state.final or record.analysis != analysis or record.rekognition_job_id not in (None, job_id):
            return None
        return replace(record, rekognition_job_id=job_id)


def tag_complete_flow(settings, adapters):
    """Return the flow of `completion` that believes tags."""
    flow = WIRINGS["completion"](settings, adapters)
    return TagCompleteFlow(*(getattr(flow, field.name) for field in fields(flow)))


class HastyClock:
    """An hour ahead of the others."""

    def __init__(self, clock):
        self._clock = clock

    def now(self):
        """Return the time in an hour."""
        return self._clock.now() + HOUR


class GreedySamplings(Samplings):
    """Takes over the lease of whoever has it."""

    def take_over(self, record, lease):
        """Take a lease over, as if it were over."""
        return Samplings(self._table, HastyClock(self._clock)).take_over(record, lease)


class HitsAfterwardsSamplings(Samplings):
    """Writes how far a film has got, and in a separate write what was found up to there."""

    def _write_frames(self, record, hits, lease):
        written = super()._write_frames(record, (), lease)
        if written and hits:
            found = items.hits_item(record.analysis, record.position_ms, tuple(hits))
            self._table.put(expressions.put(found))
        return written


class BlindSamplings(Samplings):
    """Hides films under way from the closing of scans."""

    def all(self):
        """Return the films under way."""
        return [] if sys._getframe(1).f_code.co_name == "_under_way" else super().all()


def adapters_with(**parts):
    """Return adapters with other parts of the table."""

    class MutatedAdapters(Adapters):
        def table(self, name, **options):
            table = super().table(name, **options)
            return replace(table, **{part: make(table.records._table, self.clock) for part, make in parts.items()})

    return MutatedAdapters


class OnceLookingMarks(ObjectMarks):
    """Does not look again at what it has tagged."""

    def tag(self, video, facts, status, status_of):
        """Look, and tag."""
        if facts is None or facts.version_id is not None:
            super().tag(video, facts, status, status_of)
            return
        named = self._still_the_same({"Bucket": video.bucket, "Key": video.key}, facts, status_of)
        self._set(named, status, read_back=True)


class CurrentMarks(ObjectMarks):
    """Tags whatever version is the current one."""

    def tag(self, video, facts, status, status_of):
        """Tag the current version."""
        if facts is None or facts.version_id is None:
            super().tag(video, facts, status, status_of)
            return
        self._set({"Bucket": video.bucket, "Key": video.key}, status, read_back=True)


def marked_by(kind):
    """Return adapters with other marks."""

    class MutatedAdapters(Adapters):
        def marks(self):
            return kind(self.clients.s3)

    return MutatedAdapters


# Each mutant: how its flows are made, and the message of the invariant that it breaks.
MUTANTS = {
    "no condition at RUNNING": (
        partial(flow_of, adapters=adapters_with(records=partial(UnconditionalRecords, has_outbox=True))),
        "no transition|no retry|RUNNING items|paid",
    ),
    "no token": (partial(flow_of, adapters=TokenlessAdapters), "paid twice"),
    "totals outside the transaction": (
        partial(flow_of, adapters=adapters_with(records=partial(TotalsAfterwardsRecords, has_outbox=True))),
        "totals",
    ),
    "a job known by its tag": (
        partial(flow_of, wirings=WIRINGS | {"completion": tag_complete_flow}),
        "the verdict of another job|no transition",
    ),
    "closing without a look at RUNNING": (
        partial(flow_of, adapters=adapters_with(records=partial(BlindRecords, has_outbox=True))),
        "closed too early",
    ),
    "closing without a look at SAMPLING": (partial(flow_of, adapters=adapters_with(samplings=BlindSamplings)), "closed too early"),
    "a lease that others take": (
        partial(flow_of, adapters=adapters_with(samplings=GreedySamplings)),
        "an image is sent without a lease",
    ),
    "a tag without a second look": (partial(flow_of, adapters=marked_by(OnceLookingMarks)), "and stays|tags say clean"),
    "a tag of the current version": (
        partial(flow_of, adapters=marked_by(CurrentMarks)),
        "a version is tagged as clean and was not found clean",
    ),
    "position before hits": (partial(flow_of, adapters=adapters_with(samplings=HitsAfterwardsSamplings)), "hits of"),
}


class FirstScanContext(SweepContext):
    """Knows one open scan, as if there were never two."""

    def open_scans(self):
        """Return the oldest open scan."""
        return super().open_scans()[:1]


def resend_first_only(task, context, until):
    """Send again for the first open scan only."""
    RESEND(task, FirstScanContext(context._scans, context._control), until)


def resend_in_purge(scans, scan_id):
    """Mark a scan without regard to a mark that is still to come."""

    def marked(scan):
        return replace(scan, resend_due=False, resend_before=scans._clock.now()) if scan.resend_due else scan

    return scans._change_scan(scan_id, marked)


RESEND = ResendMessages.run

# Each mutant that people's commands have in them too: what is replaced, by what, and the message.
PATCHES = {
    "sending again for one scan only": ("handlers.flows.sweep.resend.ResendMessages.run", resend_first_only, "not sent again"),
    "resuming forgets a purge": (
        "handlers.adapters.table.scans.Scans.resend_now",
        resend_in_purge,
        "a purged message is not sent again",
    ),
    "an item of a newer verdict is deleted": (
        "handlers.adapters.table.outbox._same",
        lambda _due: Condition(),
        "is tagged|and stays|tags say",
    ),
}

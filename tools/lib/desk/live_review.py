"""The review of a scan that goes on: what changes is numbered, so that a browser fetches what is new since it looked."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import islice
from typing import Any, TypeAlias

from handlers.adapters.table.decisions import Logged
from handlers.domain import Decision, Record, Scan, Segment, State, Totals
from handlers.domain.decision import unless_withdrawn
from handlers.domain.languages import ENGLISH, LANGUAGES, phrase
from tools.lib.cli import Invocation
from tools.lib.desk.refusal import LOAD_AGAIN, RefusedError
from tools.lib.review import (
    Files,
    FlaggedVideo,
    ObjectResult,
    ObjectStatus,
    Review,
    SampleChoice,
    ScanChoice,
    TruthTable,
    make_review,
    not_closed,
    surest_first,
)
from tools.lib.review.join import result_of
from tools.lib.review.page import PageData, page_data
from tools.lib.review.page.data import describer_for, summary_values
from tools.lib.review.page.videos import Describer, recorded_json

# Seconds after which a browser asks again; however many ask, the table is read once in that time.
POLL_SECONDS = 5.0
# The most records that are read between two answers: of a fast scan the rest follows with the next ones.
MOST_RECORDS = 500
# Videos that are looked up between two answers, in turn. One BatchGetItem reads the decisions about them: the index does not have
# those that programs of versions before 0.3 write. Another one reads their records: neither the index nor a total changes where
# another upload supersedes one, or it comes back, or where another policy finds other labels.
LOOKED_UP = 100
# Seconds before the last look in which a decision may have been written that it did not find. AWS takes a request within 5 minutes
# of its time (Signature Version 4), so the clocks of two desks differ by up to 10; the rest is for the lag of the index.
OVERLAP_SECONDS = 900.0

# The lists of the page, by status.
_LISTS = {
    ObjectStatus.FLAGGED: "flagged",
    ObjectStatus.CLEAN: "clean",
    ObjectStatus.FAILED: "failed",
    ObjectStatus.INELIGIBLE: "ineligible",
    ObjectStatus.SUPERSEDED: "superseded",
}
# States that are listed anew when their total changes. A clean video is listed only if it was drawn.
_FOLLOWED = (State.FLAGGED, State.FAILED)
# States of uploads that no total counts.
_UNDER_WAY = {State.RUNNING: ObjectStatus.RUNNING, State.WAITING: ObjectStatus.WAITING}
# Where an object was before it became final, in the order in which they are counted down.
_BEFORE = (ObjectStatus.RUNNING, ObjectStatus.WAITING, ObjectStatus.NEVER_ATTEMPTED, ObjectStatus.LOST)

# What makes a page another one: the number of the last change, the totals, the scan, and how many uploads are under way.
_AsOf: TypeAlias = tuple[int, Totals, Scan, tuple[int, ...]]


@dataclass(slots=True)
class _Shown:
    """A video on the page: in which list, and the numbers of the changes that brought it and its decision."""

    listed: str
    outcome: ObjectResult
    segments: Sequence[Segment]
    number: int
    decided: int


@dataclass(slots=True)
class _Changes:
    """What a browser has not seen yet is what has a number above its own; of the clean videos only those `drawn` are shown."""

    number: int
    videos: dict[str, _Shown]
    drawn: frozenset[str]
    gone: dict[str, int] = field(default_factory=dict)

    def put(self, outcome: ObjectResult, segments: Sequence[Segment]) -> None:
        """Put a video into its list; where it is in none, it is gone."""
        listed, video_id = _LISTS.get(ObjectStatus.SUPERSEDED if outcome.superseded else outcome.status), outcome.video.id
        before = self.videos.pop(video_id, None)
        if listed is not None and (listed != "clean" or video_id in self.drawn):
            self.number += 1
            self.gone.pop(video_id, None)
            self.videos[video_id] = _Shown(listed, outcome, segments, self.number, self.number)
        elif before is not None:
            self.number += 1
            self.gone[video_id] = self.number

    def decide(self, video_id: str, decision: Decision | None) -> None:
        """Note what is decided about a video now."""
        shown = self.videos[video_id]
        if shown.outcome.decision != decision:
            self.number += 1
            shown.outcome, shown.decided = replace(shown.outcome, decision=decision), self.number


@dataclass(frozen=True, slots=True)
class _Describer(Describer):
    """Describes a flagged video again only where it has changed: 20,000 take two seconds, which no one is to wait for twice."""

    described: dict[str, tuple[ObjectResult, dict[str, Any]]] = field(default_factory=dict)

    def flagged(self, video: FlaggedVideo) -> dict[str, Any]:
        known = self.described.get(video.outcome.video.id)
        if known is None or known[0] is not video.outcome:
            known = self.described[video.outcome.video.id] = video.outcome, Describer.flagged(self, video)
        return known[1]


class LiveReview:
    """One scan's review for several browsers and threads. The whole of it is read once, when it is made."""

    def __init__(self, run: Invocation, scan_id: str, sample: SampleChoice) -> None:
        self._run = run
        self._table = run.table
        self._language = LANGUAGES.get(run.deployment.language, ENGLISH)
        self._lock = threading.RLock()  # of what follows; not held while anything is read
        self._reading = threading.Lock()
        self._read_at = run.clock.now()
        # Before the review: what changes while it is made is read again.
        self._totals = self._table.scans.totals(scan_id)
        self._logged: set[Logged] = set()
        self._logged_at = self._read_at
        self._count_from(make_review(run, ScanChoice(scan_id), Files(), sample), self._totals)
        # No earlier desk has had these numbers: a page of one is told so, and never takes numbers of other labels.
        self._first = max(1, int(1000 * self._read_at))
        drawn = self._review.sample.videos if self._review.sample else ()
        self._changes = _Changes(self._first, _shown(self._review, self._first), frozenset(each.video.id for each in drawn))
        new = describer_for(len(self._review.flagged))
        self._describer = _Describer(new.labels, new.max_segments)
        self._turns: deque[str] = deque(self._changes.videos)
        self._page: tuple[_AsOf, PageData] | None = None
        self._summary: tuple[_AsOf, dict[str, Any]] | None = None

    def _count_from(self, review: Review, totals: Totals) -> None:
        """Take a review, and the totals before it, as that from which changes are counted."""
        self._review, self._counted = review, totals
        self._under_way = {status: review.truth.statuses[status] for status in _UNDER_WAY.values()}
        # Counted by what the reports say, until they have a record, which the totals count.
        self._unrecorded = _without_record(review)
        self._recorded_since: Counter[ObjectStatus] = Counter()
        self._known = {state: _in_state(review, state) for state in _FOLLOWED}
        self._behind = dict.fromkeys(_FOLLOWED, False)
        self._warnings = [each for each in review.warnings if each not in not_closed(review.scan)]

    @property
    def scan(self) -> Scan:
        return self._review.scan

    def find(self, video_id: str) -> ObjectResult | None:
        """Return a video that the page shows, with what was last read of it."""
        with self._lock:
            shown = self._changes.videos.get(video_id)
            return shown.outcome if shown is not None else None

    def counted_segments(self, video_id: str) -> Sequence[Segment]:
        """Return the segments for which a video that the page shows was flagged, in time order."""
        with self._lock:
            shown = self._changes.videos.get(video_id)
            return FlaggedVideo(shown.outcome, shown.segments).counted_segments if shown is not None else ()

    def page(self) -> tuple[PageData, int]:
        """Return what the page holds now, and the number of the last change that it has; the same object where nothing changed."""
        with self._lock:
            state = self._as_of()
            if self._page is not None and self._page[0] == state:
                return self._page[1], self._changes.number
            data = page_data(
                self._current(),
                totals=self._totals,
                target=self._run.target,
                region=self._run.deployment.region,
                made_at=self._run.clock.now(),
                language=self._language,
                describer=self._describer,
            )
            self._page = state, data
            return data, self._changes.number

    def changes(self, after: int) -> dict[str, Any]:
        """Return, as JSON values, the videos and decisions that are new since a number; first look whether there are any.

        A video is in one list only; `gone` names those that are in none any more.

        Raises:
            RefusedError: No answer of this desk has had the number.
        """
        with self._lock:
            if after and not self._first <= after <= self._changes.number:
                raise RefusedError(HTTPStatus.CONFLICT, phrase("This page is of a desk that was closed since."), LOAD_AGAIN)
        self._follow()
        with self._lock:
            changed = self._changes
            lists: dict[str, list[dict[str, Any]]] = {name: [] for name in _LISTS.values()}
            for each in changed.videos.values():
                if each.number > after:
                    lists[each.listed].append(self._described(each))
            recorded = {
                video_id: recorded_json(each.outcome.decision) if each.outcome.decision else None
                for video_id, each in changed.videos.items()
                if each.decided > after
            }
            return {
                "number": changed.number,
                "labels": list(self._describer.labels.as_json()),
                **lists,
                "gone": [video_id for video_id, number in changed.gone.items() if number > after],
                "recorded": recorded,
                "status": self.scan.status.value,
                **self._summarised(),
            }

    def note_decision(self, video_id: str, decision: Decision | None) -> None:
        """Note what the table has about a video; a withdrawn decision counts as none."""
        with self._lock:
            if video_id in self._changes.videos:
                self._changes.decide(video_id, unless_withdrawn(decision))

    def read_again(self, video_id: str) -> ObjectResult | None:
        """Read the record of a video and the decision about it, and return what it is now; None for one that is not shown."""
        outcome = self.find(video_id)
        if outcome is None:
            return None
        records = list(self._table.records.records([(outcome.video.id, self.scan.id)]))
        if not records:
            self._look_up([video_id])
            return self.find(video_id)
        self._take(records)
        return self.find(video_id) or result_of(outcome.video, None, records[0])

    # --- following the table ------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Read what has changed, unless that was done a moment ago or is being done."""
        if not self._reading.acquire(blocking=False):
            return
        try:
            now = self._run.clock.now()
            if abs(now - self._read_at) < POLL_SECONDS / 2:  # a clock may be set back
                return
            self._read_at = now
            self._follow_scan()
            self._follow_log(now)
            turn = self._next_turns()
            self._follow_records(turn)
            self._look_up(turn)
        finally:
            self._reading.release()

    def _follow_scan(self) -> None:
        scan = self._table.scans.scan(self.scan.id)
        if scan is not None and self.scan.live and not scan.live:
            self._review_again()
        totals = self._table.scans.totals(self.scan.id)
        is_live = self.scan.live or (scan is not None and scan.live)
        under_way = self._read_under_way() if is_live and self.scan.day is not None else self._under_way
        for state in _FOLLOWED:
            self._behind[state] |= totals.videos[state] != self._totals.videos[state]
        with self._lock:
            self._totals, self._under_way = totals, under_way
            if scan is not None and scan != self._review.scan:
                self._review.scan = scan
        moved = {state: self._moved(state) for state in _FOLLOWED if self._behind[state]}
        if video_ids := set[str]().union(*moved.values()):
            self._take(self._table.records.records((video_id, self.scan.id) for video_id in video_ids))
        # Only now: what AWS refused is read again by the next look.
        for state, video_ids in moved.items():
            self._known[state] ^= video_ids
            self._behind[state] = len(self._known[state]) != totals.videos[state]

    def _review_again(self) -> None:
        """Review the scan, which is over, once more: only now its reports tell of what has no record."""
        totals = self._table.scans.totals(self.scan.id)
        review = make_review(self._run, ScanChoice(self.scan.id), Files(), SampleChoice())
        with self._lock:
            self._count_from(replace(review, sample=self._current().sample), totals)
            for video_id, each in _shown(review, self._first).items():
                if video_id not in self._changes.videos:
                    self._changes.put(each.outcome, each.segments)
                    self._turns.append(video_id)

    def _read_under_way(self) -> dict[ObjectStatus, int]:
        """Return how many uploads have no verdict yet: others come in all day, and no total counts these."""
        found = {status: self._table.records.in_state(self.scan.id, state) for state, status in _UNDER_WAY.items()}
        return {status: sum(1 for _ in video_ids) for status, video_ids in found.items()}

    def _moved(self, state: State) -> set[str]:
        """Return the ids that entered or left a state, as far as there is room; the index lags, so it is read until it agrees."""
        found = set(self._table.records.in_state(self.scan.id, state))
        return set(islice(found ^ self._known[state], MOST_RECORDS))

    def _follow_log(self, now: float) -> None:
        """Read the decisions about what is shown that were written since the last look."""
        logged = self._table.decisions.logged_since(self._logged_at - OVERLAP_SECONDS)
        if new := {entry.content for entry in logged - self._logged}:
            with self._lock:
                decided = [video_id for video_id, each in self._changes.videos.items() if each.outcome.content in new]
            self._look_up(decided)
        self._logged, self._logged_at = logged, now

    def _follow_records(self, video_ids: Sequence[str]) -> None:
        """Take the videos whose records are others now, as of what was superseded, judged anew or analysed again."""
        records = list(self._table.records.records((video_id, self.scan.id) for video_id in video_ids))
        with self._lock:
            changed = [each for each in records if (shown := self.find(each.video.id)) is not None and shown.record != each]
        self._take(changed)
        for state in _FOLLOWED:
            # Where as many entered a state as left it, its total does not tell.
            self._behind[state] |= any((each.state is state) != (each.video.id in self._known[state]) for each in changed)

    def _next_turns(self) -> list[str]:
        with self._lock:
            turn = [self._turns.popleft() for _ in range(min(LOOKED_UP, len(self._turns)))]
            kept = [video_id for video_id in turn if video_id in self._changes.videos]
            self._turns.extend(kept)
            return kept

    def _take(self, records: Iterable[Record]) -> None:
        """Put videos on the page as their records are now, with their segments and decisions."""
        outcomes = [result_of(record.video, None, record) for record in records]
        with self._lock:
            before = {each.video.id: self._decision_shown(each.video.id) for each in outcomes}
        decided = self._decisions(outcomes)
        for outcome in outcomes:
            record = outcome.record
            flagged = outcome.status is ObjectStatus.FLAGGED and not outcome.superseded
            segments = (
                list(self._table.records.segments(record.video.id, self.scan.id, record.attempt)) if record and flagged else []
            )
            decision = decided.get(outcome.content) if outcome.content else None
            with self._lock:
                # What this desk itself wrote meanwhile is newer than what was read.
                if (now := self._decision_shown(outcome.video.id)) != before[outcome.video.id]:
                    decision = now
                new = outcome.video.id not in self._changes.videos
                if (status := self._unrecorded.pop(outcome.video.id, None)) is not None:
                    self._recorded_since[status] += 1
                self._changes.put(replace(outcome, decision=decision), segments)
                if new and outcome.video.id in self._changes.videos:
                    self._turns.append(outcome.video.id)

    def _decision_shown(self, video_id: str) -> Decision | None:
        shown = self.find(video_id)
        return shown.decision if shown is not None else None

    def _look_up(self, video_ids: Iterable[str]) -> None:
        """Read the decisions about videos, which others may have made."""
        with self._lock:
            shown = self._changes.videos
            outcomes = [shown[video_id].outcome for video_id in video_ids if video_id in shown]
        decided = self._decisions(outcomes)
        for outcome in outcomes:
            with self._lock:
                now = self.find(outcome.video.id)
                # What this desk itself wrote meanwhile is newer than what was read.
                if now is not None and now.decision == outcome.decision:
                    self.note_decision(outcome.video.id, decided.get(outcome.content) if outcome.content else None)

    def _decisions(self, outcomes: Sequence[ObjectResult]) -> dict[tuple[str, str], Decision]:
        contents = [outcome.content for outcome in outcomes if outcome.content]
        found = self._table.decisions.decisions(contents) if contents else ()
        return {each.content: each for each in found if each.stands}

    # --- what the page shows ------------------------------------------------------------------------------------------

    def _described(self, shown: _Shown) -> dict[str, Any]:
        if shown.listed == "flagged":
            return self._describer.flagged(FlaggedVideo(shown.outcome, shown.segments))
        if shown.listed == "superseded":
            return self._describer.superseded(shown.outcome)
        return self._describer.clean(shown.outcome) if shown.listed == "clean" else self._describer.failed(shown.outcome)

    def _as_of(self) -> _AsOf:
        return self._changes.number, self._totals, self.scan, tuple(self._under_way.values())

    def _summarised(self) -> dict[str, Any]:
        """Return what the page says about all objects together; of 20,000 videos that takes a while, so it is kept as well."""
        state = self._as_of()
        if self._summary is None or self._summary[0] != state:
            self._summary = state, summary_values(self._current(), self._totals, self._language)
        return self._summary[1]

    def _current(self) -> Review:
        """Return the review as it is now."""
        lists: dict[str, list[_Shown]] = {name: [] for name in _LISTS.values()}
        for each in self._changes.videos.values():
            lists[each.listed].append(each)
        truth, sample = self._truth(), self._review.sample
        if sample is not None:
            came = truth.statuses[ObjectStatus.CLEAN] - self._review.truth.statuses[ObjectStatus.CLEAN]
            whole = sample.whole and came <= len(lists["clean"]) - len(sample.videos)
            sample = replace(sample, videos=tuple(each.outcome for each in lists["clean"]), whole=whole)
        return replace(
            self._review,
            truth=truth,
            flagged=surest_first(FlaggedVideo(each.outcome, each.segments) for each in lists["flagged"]),
            failed=[each.outcome for each in lists["failed"]],
            ineligible=[each.outcome for each in lists["ineligible"]],
            superseded=[each.outcome for each in lists["superseded"]],
            warnings=[*self._warnings, *not_closed(self.scan)],
            sample=sample,
        )

    def _truth(self) -> TruthTable:
        """Return the counts as they are now."""
        outcomes = [each.outcome for each in self._changes.videos.values() if not each.outcome.superseded]
        decided = Counter((each.status, each.decision.judgement) for each in outcomes if each.decision is not None)
        if self.scan.day is None:
            return replace(self._review.truth, statuses=self._statuses(), decided=decided)
        statuses = self._statuses_of_day()
        return replace(self._review.truth, statuses=statuses, decided=decided, expected=statuses.total())

    def _statuses(self) -> Counter[ObjectStatus]:
        """Return the counts: final ones by the totals, which are exact; what became final is taken from what was not."""
        statuses = Counter(self._review.truth.statuses)
        statuses.subtract(self._recorded_since)
        moved = _by_status(self._totals)
        moved.subtract(_by_status(self._counted))
        for status, count in moved.items():
            statuses[status] = max(0, statuses[status] + count)
        left = sum(moved.values()) - self._recorded_since.total()
        if left < 0:  # what is retried waits
            statuses[ObjectStatus.WAITING] -= left
            return statuses
        for status in _BEFORE:
            taken = min(left, statuses[status])
            statuses[status] -= taken
            left -= taken
        return statuses

    def _statuses_of_day(self) -> Counter[ObjectStatus]:
        """Return the counts of a day's uploads: the totals count those that are superseded in their states."""
        superseded = Counter(each.outcome.status for each in self._changes.videos.values() if each.outcome.superseded)
        statuses = _by_status(self._totals) + Counter(self._under_way)
        statuses.subtract(superseded)
        statuses[ObjectStatus.SUPERSEDED] = superseded.total()
        return +statuses  # for a moment there may be fewer in a state than were superseded in it


def _by_status(totals: Totals) -> Counter[ObjectStatus]:
    ineligible = totals.ineligible
    return Counter(
        {
            ObjectStatus.CLEAN: totals.videos.get(State.CLEAN, 0),
            ObjectStatus.FLAGGED: totals.videos.get(State.FLAGGED, 0),
            ObjectStatus.FAILED: totals.videos.get(State.FAILED, 0) - ineligible,
            ObjectStatus.INELIGIBLE: ineligible,
            ObjectStatus.CANCELLED: totals.videos.get(State.CANCELLED, 0),
        }
    )


def _shown(review: Review, number: int) -> dict[str, _Shown]:
    """Return what the page of a review shows and takes decisions about, by video id."""
    shown = {video.outcome.video.id: _Shown("flagged", video.outcome, video.segments, number, number) for video in review.flagged}
    lists = {
        "failed": review.failed,
        "ineligible": review.ineligible,
        "clean": review.sample.videos if review.sample else (),
        "superseded": review.superseded,
    }
    shown |= {each.video.id: _Shown(name, each, (), number, number) for name, outcomes in lists.items() for each in outcomes}
    return shown


def _without_record(review: Review) -> dict[str, ObjectStatus]:
    """Return the statuses, by video id, of what only the reports of a scan, or the list of what was left out of it, tell."""
    return {each.video.id: each.status for each in (*review.failed, *review.ineligible) if each.record is None}


def _in_state(review: Review, state: State) -> set[str]:
    """Return the ids of the videos of a review whose records are in a state that it shows."""
    outcomes = (*(video.outcome for video in review.flagged), *review.failed, *review.ineligible, *review.superseded)
    return {each.video.id for each in outcomes if each.record is not None and each.record.state is state}

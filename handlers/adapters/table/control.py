"""Settings, written by people and the circuit breaker, and what the sweeper notes for its next run."""

from __future__ import annotations

from handlers.adapters.table import codec, expressions, scan_items
from handlers.adapters.table.client import ConditionFailedError, TableClient
from handlers.adapters.table.expressions import Condition
from handlers.adapters.table.outcome import Outcome, once
from handlers.adapters.table.scan_items import LaneWatch, MailWatch
from handlers.domain import Lane, Settings
from handlers.runtime import Clock


class Control:
    """Settings, what the sweeper noted of lanes and mails, and the sweeper's lease."""

    def __init__(self, table: TableClient, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    # --- settings ------------------------------------------------------------------------------------------------------

    def settings(self) -> Settings | None:
        """Return the settings, if any were ever written."""
        item = self._table.get(scan_items.SETTINGS_KEY)
        return None if item is None else codec.read(Settings, item)

    def count_refused(self, video_id: str) -> int:
        """Count one more consecutive refused Start, and return of how many different videos they were."""
        request = expressions.update(scan_items.SETTINGS_KEY, adds={"refused_in_row": 1, "refused_videos": {video_id}})
        return len(self._table.update(request)["refused_videos"])

    def forget_refused(self) -> None:
        """Reset the count of consecutive refused Starts."""
        request = expressions.update(scan_items.SETTINGS_KEY, sets={"refused_in_row": 0}, removes=["refused_videos"])
        self._table.update(request)

    def pause(self, by: str, reason: str, *, mail: bool = False) -> Outcome:
        """Pause all starting, unless it is paused already. `mail`: the operator is to be mailed about it."""
        request = expressions.update(
            scan_items.SETTINGS_KEY,
            sets={
                "paused": True,
                "paused_by": by,
                "paused_reason": reason,
                **codec.present({"paused_at": self._clock.now(), "mail_due": mail or None}),
            },
            when=Condition(not_equal={"paused": True}),
        )
        return once(lambda: self._table.update(request))

    def resume(self) -> Outcome:
        """Resume starting, and reset the count of refusals, or the next one would pause everything again."""
        request = expressions.update(
            scan_items.SETTINGS_KEY,
            sets={"paused": False, "refused_in_row": 0},
            removes=["paused_by", "paused_reason", "paused_at", "mail_due", "refused_videos"],
            when=Condition(equal={"paused": True}),
        )
        return once(lambda: self._table.update(request))

    def set_slots(self, slots: int) -> None:
        """Set how many of the account's jobs are used; starters read it at their next attempt."""
        self._table.update(expressions.update(scan_items.SETTINGS_KEY, sets={"slots": slots}))

    def pause_mail_sent(self) -> Outcome:
        """Write that the operator has been mailed about the pause."""
        request = expressions.update(scan_items.SETTINGS_KEY, removes=["mail_due"], when=Condition(equal={"mail_due": True}))
        return once(lambda: self._table.update(request))

    # --- lanes ---------------------------------------------------------------------------------------------------------

    def lane_watch(self, lane: Lane) -> LaneWatch:
        """Return what the sweeper noted about a lane."""
        item = self._table.get(scan_items.lane_key(lane))
        return LaneWatch() if item is None else codec.read(LaneWatch, item)

    def note_lane(self, lane: Lane, watch: LaneWatch) -> None:
        """Write the notes about a lane; only the sweeper does."""
        self._table.put(expressions.put(scan_items.lane_item(lane, watch)))

    # --- mail subscriptions --------------------------------------------------------------------------------------------

    def mail_watch(self) -> MailWatch:
        """Return what the sweeper noted of the e-mail subscriptions."""
        item = self._table.get(scan_items.MAIL_WATCH_KEY)
        return MailWatch() if item is None else codec.read(MailWatch, item)

    def note_mail(self, watch: MailWatch) -> None:
        """Write the notes about the e-mail subscriptions; only the sweeper does."""
        self._table.put(expressions.put(scan_items.mail_item(watch)))

    # --- the sweeper's lease -------------------------------------------------------------------------------------------

    def take_lease(self, holder: str, until: float) -> bool:
        """Return whether this sweeper may sweep now. The lease only saves money: two sweeps at once do no harm."""
        request = expressions.update(
            scan_items.SWEEPER_LEASE_KEY,
            sets={"holder": holder, "until": round(until)},
            when=Condition(below={"until": round(self._clock.now())}),
        )
        try:
            self._table.update(request)
        except ConditionFailedError as failure:
            return failure.old is not None and failure.old.get("holder") == holder
        return True

    def return_lease(self, holder: str) -> None:
        """Give the lease back, if this sweeper still has it."""
        request = expressions.delete(scan_items.SWEEPER_LEASE_KEY, when=Condition(equal={"holder": holder}))
        once(lambda: self._table.delete(request))

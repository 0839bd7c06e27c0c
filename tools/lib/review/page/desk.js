// The desk's server: what is decided goes to the deployment's table at once, and what others decide or a running scan finds comes back.

import { DATA } from "./data.js";
import { text } from "./language.js";
import { decidable } from "./videos.js";

// The most decisions that the server takes at once.
const DECISIONS_AT_ONCE = 100;

/** What the server refuses, with its reason and what to do about it. */
export class DeskError extends Error {
  /**
   * @param {number} status
   * @param {string} reason
   * @param {string} cure
   */
  constructor(status, reason, cure) {
    super(reason);
    this.status = status;
    this.reason = reason;
    this.cure = cure;
  }
}

/**
 * Asks the server and returns its answer, which is JSON.
 * @param {string} address
 * @param {unknown} [body]
 */
async function ask(address, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(address, options);
  if (!answer.ok) throw await refusal(answer);
  return answer.json();
}

/**
 * Returns what a refused request was refused for.
 * @param {Response} answer
 */
export async function refusal(answer) {
  const body = await answer.json().catch(() => ({}));
  return new DeskError(answer.status, body.reason ?? `HTTP ${answer.status}`, body.cure ?? "");
}

/** Returns a query of the scan and other values. */
function query(values) {
  return new URLSearchParams({ scan: scanId(), ...values }).toString();
}

function scanId() {
  return DATA.desk?.scan ?? DATA.scan.id;
}

/**
 * Returns the address from which a video is streamed.
 * @param {Video} video
 */
export function mediaOf(video) {
  return `/media/${encodeURIComponent(scanId())}/${encodeURIComponent(video.id)}`;
}

/**
 * Returns the address of a video's picture at a moment (ms), rounded as the server rounds it.
 * @param {Video} video
 * @param {number} at
 */
export function frameOf(video, at) {
  return `${framesOf(video)}/${Math.round(at)}.jpg`;
}

function framesOf(video) {
  return `/frames/${encodeURIComponent(scanId())}/${encodeURIComponent(video.id)}`;
}

/**
 * Returns the moments of a video that are worth a look.
 * @param {Video} video
 * @returns {Promise<Frame[]>}
 */
export async function askFrames(video) {
  return (await ask(framesOf(video))).frames;
}

/**
 * Returns every decision about a video, the oldest first.
 * @param {Video} video
 * @returns {Promise<(Recorded & { before?: Partial<Recorded> | null })[]>}
 */
export async function askLog(video) {
  return (await ask(`/api/log?${query({ id: video.id })}`)).log;
}

/**
 * Returns what is new or changed since a number.
 * @param {number} after
 * @returns {Promise<Changes>}
 */
export function askChanges(after) {
  return ask(`/api/changes?${query({ after })}`);
}

/**
 * Decisions in the deployment's table. Each is written on condition that the decision is still the one that the person saw.
 * @implements {DecisionStore}
 */
export class RecordedDecisions {
  /** The table keeps what is decided. */
  kept = true;
  /**
   * What is on its way, by the ids of videos, with the time of the decision that it will have become, null if it was not written.
   * @type {Map<string, Held & { written: Promise<{ at: string | null } | null> }>}
   */
  #sent = new Map();
  /**
   * Notes that are not written yet. One that `waits` goes with the next decision, though there is one: it was begun before that.
   * @type {Map<string, { video: Video, note: string, waits: boolean }>}
   */
  #notes = new Map();
  /** @type {() => string} */
  #decidedBy;

  /** @param {() => string} decidedBy Who decides, as the page's field says. */
  constructor(decidedBy) {
    this.#decidedBy = decidedBy;
  }

  /**
   * @param {Video} video
   * @returns {Held}
   */
  of(video) {
    const recorded = video.recorded;
    const held = this.#sent.get(video.id) ?? (recorded && recorded.decision !== "withdrawn" ? recorded : { decision: null, note: "", decided_at: null });
    return { decision: held.decision, note: this.#notes.get(video.id)?.note ?? held.note, decided_at: held.decided_at };
  }

  /** @param {Video} video */
  current(video) {
    return this.of(video).decision;
  }

  /** @param {Video} video */
  waiting(video) {
    return this.#sent.has(video.id);
  }

  /** Tells whether something would be lost with the page: a decision on its way, or a note that goes with one. */
  get unwritten() {
    return this.#sent.size > 0 || [...this.#notes.values()].some(({ video, note }) => note !== "" && decidable(video));
  }

  /**
   * Keeps a note until the video is decided about.
   * @param {Video} video
   * @param {string} note
   */
  annotate(video, note) {
    this.#notes.set(video.id, { video, note, waits: this.noteWaits(video) });
  }

  /**
   * Has a note wait for a decision of its writer: that of another person has come, who did not take it.
   * @param {Video} video
   */
  decidedElsewhere(video) {
    const noted = this.#notes.get(video.id);
    if (noted) noted.waits = true;
  }

  /**
   * Tells whether a note goes with the next decision only.
   * @param {Video} video
   */
  noteWaits(video) {
    return this.#notes.get(video.id)?.waits ?? false;
  }

  /**
   * Tells whether a note was changed since it was written.
   * @param {Video} video
   */
  annotated(video) {
    return this.#notes.has(video.id) && this.#notes.get(video.id)?.note !== (video.recorded?.note ?? "");
  }

  /**
   * @param {Change[]} changes
   * @returns {Promise<Result[]>}
   */
  async write(changes) {
    const batches = [];
    for (let at = 0; at < changes.length; at += DECISIONS_AT_ONCE) batches.push(changes.slice(at, at + DECISIONS_AT_ONCE));
    return (await Promise.all(batches.map((batch) => this.#send(batch)))).flat();
  }

  /**
   * @param {Change[]} changes
   * @returns {Promise<Result[]>}
   */
  async #send(changes) {
    const seen = changes.map(({ video }) => this.#sent.get(video.id)?.written ?? Promise.resolve({ at: video.recorded?.decided_at ?? null }));
    /** @type {(results: Result[]) => void} */
    let answered = () => {};
    /** @type {Promise<Result[]>} */
    const answer = new Promise((resolve) => (answered = resolve));
    const held = changes.map(({ video, decision, note }) => {
      const written = answer.then((results) => {
        const result = results.find((each) => each.video === video);
        return result?.outcome === "written" ? { at: result.recorded?.decided_at ?? null } : null;
      });
      const sent = { decision, note, decided_at: null, written };
      this.#sent.set(video.id, sent);
      this.#notes.delete(video.id);
      return sent;
    });
    const results = await this.#results(changes, seen);
    changes.forEach(({ video, note }, index) => {
      const result = results[index];
      // Of a decision that breaks a rule nothing was looked up: what is known holds.
      if (result.recorded || result.outcome === "conflict") video.recorded = result.recorded ?? null;
      if (this.#sent.get(video.id) === held[index]) this.#sent.delete(video.id);
      // What a person wrote is not lost with a decision that was not taken.
      if (result.outcome !== "written" && note) this.#notes.set(video.id, { video, note, waits: true });
    });
    answered(results);
    return results;
  }

  /**
   * @param {Change[]} changes
   * @param {Promise<{ at: string | null } | null>[]} seen
   * @returns {Promise<Result[]>}
   */
  async #results(changes, seen) {
    const before = await Promise.all(seen);
    // A decision about one that was not written was made about something else than is there now.
    const due = changes.map((change, index) => ({ change, before: before[index] })).filter((each) => each.before !== null);
    const decisions = due.map(({ change, before }) => ({
      id: change.video.id,
      etag: change.video.etag,
      attempt: change.video.attempt,
      decision: change.decision ?? "withdrawn",
      note: change.note,
      before: before?.at ?? null,
    }));
    try {
      const { results } = decisions.length ? await ask("/api/decisions", { scan: scanId(), decided_by: this.#decidedBy(), decisions }) : { results: [] };
      const byId = new Map(results.map((result) => [result.id, result]));
      return changes.map(({ video, decision }) => this.#result(video, decision, byId.get(video.id)));
    } catch (error) {
      const { reason, cure } = error instanceof DeskError ? error : { reason: text("The desk does not answer."), cure: text("Start it again: review_report.py serve.") };
      return changes.map(({ video }) => ({ video, outcome: "unreachable", reason, cure }));
    }
  }

  /** @returns {Result} */
  #result(video, decision, answer) {
    if (answer === undefined) return { video, outcome: "unreachable", reason: text("The decision before it was not written."), cure: "" };
    const { outcome, recorded, reason, cure } = answer;
    // An answer that was lost on its way: the decision that came before this one is this one.
    const ours = outcome === "conflict" && recorded?.decided_by === this.#decidedBy() && recorded.decision === (decision ?? "withdrawn");
    return { video, outcome: ours ? "written" : outcome, recorded, reason, cure };
  }
}

// What the person decides, kept by this browser until it is exported. The etag is part of the name under which a decision is
// kept: a video that was replaced must be decided anew.


/** @type {Judgement[]} */
export const DECISIONS = ["confirmed", "false-alarm"];

/** @implements {DecisionStore} */
export class Decisions {
  /** @type {string} */
  #scan;
  /** @type {Storage} */
  #storage;
  /** @type {Map<string, Held>} */
  #known = new Map();
  /** Whether the browser keeps what is decided: some do not for pages opened from disk, and storage may be full. */
  kept = true;

  constructor(scan, storage) {
    this.#scan = scan;
    this.#storage = storage;
    this.#try(() => {
      for (let index = 0; index < storage.length; index += 1) this.#read(storage.key(index));
    });
  }

  /**
   * Returns what was decided here about a video: `{decision, note, decided_at}`, decision null where there is only a note.
   * @param {Video} video
   * @returns {Held}
   */
  of(video) {
    return this.#known.get(this.#name(video)) ?? { decision: null, note: "", decided_at: null };
  }

  /**
   * Returns the decision that holds: the one made here, else the recorded one, else null.
   * @param {Video} video
   */
  current(video) {
    const recorded = video.recorded?.decision === "withdrawn" ? null : video.recorded?.decision;
    return this.of(video).decision ?? recorded ?? null;
  }

  /** Tells whether a note waits to be written: never, likewise. */
  annotated() {
    return false;
  }

  /** Takes note of a decision of another person: a file hears of none. */
  decidedElsewhere() {}

  /** Tells whether a note goes with the next decision only: never, as it is kept at once. */
  noteWaits() {
    return false;
  }

  /** Tells whether something would be lost with the page: never, likewise. */
  get unwritten() {
    return false;
  }

  /** Tells whether a decision is on its way: never, as it is kept at once. */
  waiting() {
    return false;
  }

  /**
   * Records decisions, each with its note; null withdraws one.
   * @param {Change[]} changes
   * @returns {Promise<Result[]>}
   */
  write(changes) {
    for (const { video, decision, note } of changes) this.#keep(video, { decision, note, decided_at: decision && new Date().toISOString() });
    return Promise.resolve(changes.map(({ video }) => ({ video, outcome: "written" })));
  }

  /**
   * Records a note; a change of the note after the decision renews the time of the decision.
   * @param {Video} video
   * @param {string} note
   */
  annotate(video, note) {
    const before = this.of(video);
    this.#keep(video, { ...before, note, decided_at: before.decision && new Date().toISOString() });
  }

  /** Reads again what is stored under a name: another tab of the same page changed it. */
  refresh(name) {
    this.#known.delete(name);
    this.#try(() => this.#read(name));
  }

  /** Returns the file to export. */
  exported(videos, decidedBy) {
    const decided = videos.filter((video) => this.of(video).decision !== null);
    return {
      format: "video-moderation-decisions-1",
      scan: this.#scan,
      decided_by: decidedBy,
      decisions: decided.map((video) => ({
        video_id: video.id,
        bucket: video.bucket,
        key: video.key,
        version_id: video.version ?? null,
        etag: video.etag ?? null,
        attempt: video.attempt,
        ...this.of(video),
      })),
    };
  }

  #name(video) {
    return `${this.#prefix}${video.id}/${video.etag ?? ""}`;
  }

  get #prefix() {
    return `video-moderation/1/${this.#scan}/`;
  }

  #keep(video, value) {
    const name = this.#name(video);
    const empty = value.decision === null && value.note === "";
    if (empty) this.#known.delete(name);
    else this.#known.set(name, value);
    this.#try(() => (empty ? this.#storage.removeItem(name) : this.#storage.setItem(name, JSON.stringify(value))));
  }

  #read(name) {
    if (!name.startsWith(this.#prefix)) return;
    const value = stored(this.#storage.getItem(name));
    if (value !== null) this.#known.set(name, value);
  }

  #try(action) {
    try {
      action();
    } catch {
      this.kept = false;
    }
  }
}

/** Returns a decision as it was stored, or null if it is malformed: all pages opened from disk share one storage, so anyone may have written it. */
function stored(json) {
  try {
    const { decision, note, decided_at } = JSON.parse(json);
    const known = decision === null || (DECISIONS.includes(decision) && typeof decided_at === "string");
    return known && typeof note === "string" ? { decision, note, decided_at } : null;
  } catch {
    return null;
  }
}

/** Returns the browser's storage, or null where it is refused. */
export function browserStorage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

// The list of videos: filtered, sorted, and drawn fifty at a time. Fifty rows are a real table for a screen reader, the browser's
// own search and the printer; a list that is drawn as it scrolls is not. As cards it is the same table with another look.

import { shown, visible } from "./characters.js";
import { strip, swatch } from "./charts.js";
import { DATA } from "./data.js";
import { DECISIONS } from "./decisions.js";
import { decisionName, detailsOf, shownReason } from "./details.js";
import { button, byId, control, element, say, within } from "./elements.js";
import { fillCard, picturable } from "./evidence.js";
import { capital, shownLabel, text, word } from "./language.js";
import { Player } from "./player.js";
import { moment, percent, timeCode } from "./text.js";
import { Undo } from "./undo.js";
import { awaitsDecision, decidable } from "./videos.js";

const PAGE_ROWS = 50;
const PRINTED_ROWS = 500;

/**
 * What the list sorts by; `first` is the direction that is taken first.
 * @typedef {{ id: string, title: string, value?: (video: Video, decisions: DecisionStore) => string | number | undefined, first: number }} Column
 */

/** @type {Column[]} */
const COLUMNS = [
  { id: "key", title: text("Video"), value: (video) => video.key, first: 1 },
  { id: "found", title: text("Found"), value: (video) => video.title, first: 1 },
  { id: "confidence", title: text("Confidence"), value: (video) => video.best, first: -1 },
  { id: "seen", title: text("First seen"), value: (video) => video.seen, first: 1 },
  { id: "timeline", title: text("Timeline"), first: 1 },
  { id: "decision", title: text("Decision"), value: (video, decisions) => decisions.current(video) ?? undefined, first: 1 },
];

/** Every order of the list: that of the queue, and the columns that have values. @type {Column[]} */
export const ORDERS = [{ id: "worst", title: text("Worst first"), value: (video) => video.weight, first: -1 }, ...COLUMNS.filter((column) => column.value)];

export class Listing {
  /** @type {Video[]} */
  #videos;
  /** @type {DecisionStore} */
  #decisions;
  #undo = new Undo();
  /** @type {Video[]} */
  #found = [];
  #page = 0;
  #sorting = DATA.desk ? { id: "worst", direction: -1 } : { id: "confidence", direction: -1 };
  /** @type {(video: Video) => boolean} */
  #filter = () => true;
  /** @type {Video | null} */
  #open = null;
  /** @type {Player | null} */
  #player = null;
  #printing = false;
  /** What rows say was found. @type {WeakMap<Element, string>} */
  #foundAs = new WeakMap();
  /** The video whose pictures are shown as they are. @type {Video | null} */
  #lifted = null;
  /** Pictures of a card are asked for once it is seen. */
  #seen = new IntersectionObserver((entries) => this.#cardsSeen(entries), { rootMargin: "50px" });
  /** Called after each decision. */
  onDecision = () => {};
  /** Tells whether a decision can be taken now: somebody has said who decides. */
  ready = () => true;

  /**
   * @param {Video[]} videos
   * @param {DecisionStore} decisions
   */
  constructor(videos, decisions) {
    this.#videos = videos;
    this.#decisions = decisions;
    byId("rows").addEventListener("click", (event) => this.#click(event));
    byId("rows").addEventListener("keydown", (event) => this.#key(event));
    byId("previous").addEventListener("click", () => this.#turn(-1));
    byId("next").addEventListener("click", () => this.#turn(1));
    byId("undo").addEventListener("click", () => this.undo());
    this.#drawHead();
  }

  /** Shows the videos that match a predicate. */
  show(filter) {
    this.#filter = filter;
    this.#search();
  }

  /** Sorts by a column, or in the other direction if the list is sorted by it already. */
  sort(id, direction) {
    const column = orderOf(id);
    const turned = this.#sorting.id === id ? -this.#sorting.direction : column.first;
    this.#sorting = { id, direction: direction ?? turned };
    this.#search();
  }

  /** Draws the rows for the printer, or those of the current page again. */
  print(printing) {
    this.#printing = printing;
    this.#draw();
  }

  /** Draws the rows again, as cards or not. */
  redraw() {
    this.#draw();
  }

  /** Tells whether rows may move: at the beginning of the list, where no one is at work in it. */
  get atRest() {
    const atWork = this.#open !== null || byId("rows").contains(document.activeElement);
    return !atWork && this.#page === 0 && byId("list").getBoundingClientRect().top >= 0;
  }

  /** Puts the focus on the first video. */
  begin() {
    this.#focus(this.#found[this.#page * PAGE_ROWS]);
  }

  /** Returns the videos that the filters leave. */
  get found() {
    return this.#found;
  }

  /**
   * Forgets what was done about a video: another decision came after it, which an undo must not take back.
   * @param {Video} video
   */
  decidedElsewhere(video) {
    this.#undo.forget(video);
    this.#decisions.decidedElsewhere(video);
    control("undo").disabled = this.#undo.empty;
  }

  /** Shows what was decided elsewhere, which uploads were superseded, and what was judged anew; details in which someone is writing stay as they are. */
  refresh() {
    for (const row of byId("rows").querySelectorAll("tr.row")) {
      const video = this.#videoOf(row);
      if (!video) continue;
      if (this.#foundAs.get(row) === foundAs(video)) within(row, ".cell-decision")?.replaceChildren(this.#badge(video));
      else this.#renew(row, video);
    }
    if (this.#open) this.#refreshDecision(this.#open);
  }

  /** Draws a row and its details again, in their place: the video is in another state now, or was flagged for other labels. */
  #renew(row, video) {
    const focused = row.contains(document.activeElement);
    const renewed = this.#row(video);
    row.replaceWith(renewed);
    if (focused) within(renewed, ".open")?.focus({ preventScroll: true });
    const details = video === this.#open ? byId(`details-${video.id}`) : null;
    if (details && !details.contains(document.activeElement)) details.replaceWith(this.#detailRow(video));
  }

  /**
   * Decides about videos in one step, which can be undone; those that are decided so already stay as they are.
   * @param {Change[]} changes
   */
  async decide(changes) {
    if (!this.ready()) return;
    const due = changes.filter(({ video, decision, note }) => decidable(video) && (this.#decisions.of(video).decision !== decision || this.#decisions.of(video).note !== note || this.#noted(video)));
    const back = due.map(({ video }) => ({ video, ...this.#before(video) }));
    this.#undo.note(back);
    const results = await this.#write(due);
    this.#undo.drop(unsent(back, results));
    control("undo").disabled = this.#undo.empty;
  }

  /** Takes back the last step. */
  async undo() {
    if (!this.ready()) return;
    const back = this.#undo.last();
    if (back === null) {
      say(text("There is nothing to undo."));
      return;
    }
    const [{ video }] = back;
    const place = this.#found.indexOf(video);
    if (place >= 0) this.#goTo(place, true);
    const results = await this.#write(back);
    // What could not be sent can be undone again once the desk answers.
    this.#undo.note(unsent(back, results));
    control("undo").disabled = this.#undo.empty;
  }

  /** What is recorded about a video counts as well: a decision of the file is taken back to it. */
  #before(video) {
    const { decision, note } = this.#decisions.of(video);
    return { decision: /** @type {Change["decision"]} */ (decision), note: this.#noted(video) ? (video.recorded?.note ?? "") : note };
  }

  #noted(video) {
    return this.#decisions.annotated(video);
  }

  /**
   * Writes decisions, and tells which were not written.
   * @param {Change[]} changes
   * @returns {Promise<Result[]>}
   */
  async #write(changes) {
    if (changes.length === 0) return [];
    const written = this.#decisions.write(changes);
    this.#showChanged(changes);
    const [{ video, decision }] = changes;
    const name = decision === null ? text("Undecided") : decisionName(video, decision);
    say(changes.length === 1 ? `${name}: ${visible(video.name)}` : text("{count} {count:decision|decisions}", { count: changes.length }));
    const results = await written;
    this.#showChanged(changes);
    this.#tell(results.filter((result) => result.outcome !== "written"));
    return results;
  }

  #showChanged(changes) {
    for (const { video } of changes) {
      const row = this.#rowOf(video);
      if (row) within(row, ".cell-decision")?.replaceChildren(this.#badge(video));
      if (video === this.#open) this.#refreshDecision(video);
    }
    control("undo").disabled = this.#undo.empty;
    this.onDecision();
  }

  /**
   * Says which decisions were not written, and why.
   * @param {Result[]} results
   */
  #tell(results) {
    if (results.length === 0) return;
    for (const { video, outcome } of results) if (outcome !== "unreachable") this.#undo.forget(video);
    control("undo").disabled = this.#undo.empty;
    const [result] = results;
    const { video, outcome, recorded, reason, cure } = result;
    const name = visible(video.name);
    const more = results.length > 1 ? text(" {count} more {count:was|were} not written.", { count: results.length - 1 }) : "";
    if (outcome === "conflict" && recorded) {
      const values = { name, decision: decisionName(video, recorded.decision), person: visible(recorded.decided_by), time: moment(Date.parse(recorded.decided_at) / 1000) };
      say(text("Not written: {person} was first about {name}: {decision}, {time}.", values) + more);
    } else say(text("Not written, {name}: {reason}", { name, reason: `${visible(reason ?? "")} ${cure ?? ""}` }) + more);
    byId("message").classList.add("refused");
    setTimeout(() => byId("message").classList.remove("refused"), 10_000);
  }

  #refreshDecision(video) {
    const old = within(byId(`details-${video.id}`), ".decision");
    if (!old) return;
    const now = this.#decisions.of(video);
    for (const choice of old.querySelectorAll("button.choice")) {
      choice.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (choice).dataset.decision === now.decision));
    }
    const note = /** @type {HTMLTextAreaElement | null} */ (within(old, ".note"));
    if (note && document.activeElement !== note) note.value = now.note;
  }

  #search() {
    const { value } = orderOf(this.#sorting.id);
    const matching = this.#videos.filter(this.#filter);
    const keyed = matching.map((video) => ({ video, value: value?.(video, this.#decisions) }));
    keyed.sort((a, b) => compared(a.value, b.value, this.#sorting.direction));
    this.#found = keyed.map(({ video }) => video);
    this.#page = 0;
    this.#closeDetails();
    this.#draw();
  }

  #draw() {
    const from = this.#printing ? 0 : this.#page * PAGE_ROWS;
    const shownVideos = this.#found.slice(from, this.#printing ? PRINTED_ROWS : from + PAGE_ROWS);
    this.#seen.disconnect();
    const rows = shownVideos.flatMap((video) => (video === this.#open ? [this.#row(video), this.#detailRow(video)] : [this.#row(video)]));
    byId("rows").replaceChildren(...rows);
    this.#drawHead();
    this.#drawPlace(shownVideos.length);
  }

  #drawPlace(rows) {
    const pages = Math.max(1, Math.ceil(this.#found.length / PAGE_ROWS));
    const all = this.#videos.length;
    const found = this.#found.length;
    const which = found === all ? text("{all} {all:video|videos}", { all }) : text("{found} of {all} {all:video|videos}", { found, all });
    const printed = this.#printing && rows < found ? text(", the first {rows} are printed", { rows }) : "";
    byId("count").textContent = found ? `${which}${printed}` : text("No video matches ({all} {all:video|videos} in all).", { all });
    byId("place").textContent = text("Page {page} of {pages}", { page: this.#page + 1, pages });
    control("previous").disabled = this.#page === 0;
    control("next").disabled = this.#page >= pages - 1;
    byId("pager").hidden = pages === 1;
  }

  #drawHead() {
    const focused = /** @type {HTMLElement | null | undefined} */ (document.activeElement?.closest("#head th"))?.dataset.column;
    byId("head").replaceChildren(...COLUMNS.map((column) => this.#headCell(column)));
    if (focused) within(byId("head"), `[data-column="${focused}"] button`)?.focus();
    control("sort-by").value = this.#sorting.id;
  }

  /** @param {Column} column */
  #headCell(column) {
    const sorted = this.#sorting.id === column.id ? (this.#sorting.direction > 0 ? "ascending" : "descending") : null;
    const attributes = { scope: "col", role: "columnheader", class: `cell-${column.id}`, "data-column": column.id, "aria-sort": sorted };
    return element("th", attributes, column.value ? button({ class: "sort" }, () => this.sort(column.id), column.title) : column.title);
  }

  /** @param {Video} video */
  #row(video) {
    const open = video === this.#open;
    const opener = button(
      { class: "open", "aria-expanded": String(open), "aria-controls": open ? `details-${video.id}` : null },
      () => {},
      shown(video.name),
    );
    const cell = (id, ...children) => element("td", { role: "cell", class: `cell-${id}`, "data-before": id === "seen" ? text("first seen ") : null }, ...children);
    const row = element(
      "tr",
      { role: "row", class: `row ${video.state}${open ? " is-open" : ""}${this.#liftedClass(video)}`, "data-id": video.id },
      element("th", { scope: "row", role: "rowheader", class: "cell-key" }, opener, video.prefix ? element("div", { class: "muted prefix" }, shown(video.prefix)) : null, video.uploaded === undefined ? null : element("div", { class: "muted uploaded" }, text("uploaded {time}", { time: moment(video.uploaded) }))),
      cell("found", ...foundIn(video)),
      cell("confidence", video.best === undefined ? "–" : percent(video.best)),
      cell("seen", video.seen === undefined ? "–" : timeCode(video.seen)),
      cell("timeline", this.#cardPictures(video), video.state === "flagged" ? strip(video) : null, video.duration === undefined ? null : element("span", { class: "muted" }, timeCode(video.duration))),
      cell("decision", this.#badge(video)),
    );
    this.#foundAs.set(row, foundAs(video));
    return row;
  }

  /** Returns the place of a card's pictures; none where the list is no cards. */
  #cardPictures(video) {
    if (!byId("list").classList.contains("cards") || !picturable(video)) return null;
    const place = element("div", { class: "card-pictures" });
    this.#seen.observe(place);
    return place;
  }

  #cardsSeen(entries) {
    for (const { isIntersecting, target } of entries) {
      const video = isIntersecting && this.#videoOf(target.closest("tr.row"));
      if (!video) continue;
      this.#seen.unobserve(target);
      fillCard(video, target);
    }
  }

  #badge(video) {
    const decision = decidable(video) || video.state === "superseded" ? this.#decisions.current(video) : null;
    if (decision === null && !(decidable(video) && awaitsDecision(video))) return element("span", { class: "muted" }, "–");
    const here = this.#decisions.of(video);
    const name = decision === null ? text("Undecided") : decisionName(video, decision);
    const more = [this.#decisions.waiting(video) ? text("being written") : null, here.decision === null && decision !== null ? text("recorded") : null, here.note ? text("note") : null].filter(Boolean);
    return element("span", { class: `badge ${decision !== null && DECISIONS.includes(decision) ? decision : "undecided"}` }, name, more.length ? ` (${more.join(", ")})` : null);
  }

  #detailRow(video) {
    this.#player?.close();
    this.#player = DATA.desk && picturable(video) ? new Player(video) : null;
    const actions = {
      decide: (decision) => this.#choose(video, decision),
      annotate: (note) => this.#annotate(video, note),
      noted: () => this.#writeNote(video),
      player: this.#player,
    };
    const cell = element("td", { role: "cell", colspan: COLUMNS.length }, detailsOf(video, this.#decisions, actions));
    return element("tr", { role: "row", class: `detail-row${this.#liftedClass(video)}`, id: `details-${video.id}` }, cell);
  }

  /** Records a decision of the details; choosing the same one again takes it back. */
  async #choose(video, decision) {
    const { decision: before, note } = this.#decisions.of(video);
    if (before === decision) await this.decide([{ video, decision: null, note }]);
    else await this.#decideAndMove(video, decision);
  }

  /** Records a decision; at the desk it leads on to the next video. In a file the same key again takes it back. */
  async #decideAndMove(video, decision) {
    if (video.state === "superseded") say(text("Another upload replaced this content: there is nothing to decide."));
    if (!decidable(video)) return;
    const held = this.#decisions.of(video);
    const again = held.decision === decision;
    const done = this.decide([{ video, decision: again && !DATA.desk ? null : decision, note: held.note }]);
    if (DATA.desk && this.ready()) this.#move(video, 1);
    await done;
  }

  #annotate(video, note) {
    this.#decisions.annotate(video, note);
    const row = this.#rowOf(video);
    if (row) within(row, ".cell-decision")?.replaceChildren(this.#badge(video));
    this.onDecision();
  }

  /** At the desk a note is written with its decision: at once where there is one. */
  async #writeNote(video) {
    const { decision, note } = this.#decisions.of(video);
    if (!DATA.desk) say(text("The note is kept."));
    else if (decision === null || this.#decisions.noteWaits(video)) say(text("The note is written with the decision."));
    else await this.decide([{ video, decision: /** @type {Change["decision"]} */ (decision), note }]);
  }

  #rowOf(video) {
    return /** @type {HTMLElement | null} */ (byId("rows").querySelector(`[data-id="${CSS.escape(video.id)}"]`));
  }

  #click(event) {
    const row = event.target.closest("tr.row");
    const selecting = getSelection()?.type === "Range";
    const video = this.#videoOf(row);
    if (video && (event.target.closest("button") || !selecting)) this.#toggle(video);
  }

  /** @returns {Video | undefined} */
  #videoOf(row) {
    return this.#found.find((video) => video.id === row?.dataset.id);
  }

  #closeDetails() {
    const before = this.#open;
    this.#open = null;
    this.#player?.close();
    this.#player = null;
    if (before) byId(`details-${before.id}`)?.remove();
    return before;
  }

  #toggle(video) {
    const before = this.#closeDetails();
    this.#open = video === before ? null : video;
    for (const each of [before, this.#open]) {
      if (each) this.#rowOf(each)?.replaceWith(this.#row(each));
    }
    if (this.#open) this.#rowOf(this.#open)?.after(this.#detailRow(this.#open));
    this.#focus(video);
  }

  #focus(video) {
    const row = video && this.#rowOf(video);
    if (!row) return;
    within(row, ".open")?.focus();
    row.scrollIntoView({ block: video === this.#open && DATA.desk ? "start" : "nearest" });
  }

  #turn(pages) {
    this.#page += pages;
    this.#closeDetails();
    this.#draw();
    this.#focus(this.#found[this.#page * PAGE_ROWS]);
  }

  // Letters act in the list only (WCAG 2.1.4), and never while something is written.
  #key(event) {
    if (event.target.closest("textarea, select, input:not([type=range])") && event.key !== "Escape") return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = event.target.closest("tr.row") ?? event.target.closest("tr.detail-row")?.previousElementSibling;
    const video = this.#videoOf(row);
    const scrolls = event.target.closest(".scroll, .seek") !== null;
    const actions = {
      j: () => this.#move(video, 1),
      k: () => this.#move(video, -1),
      ...(scrolls ? {} : { ArrowDown: () => this.#move(video, 1), ArrowUp: () => this.#move(video, -1) }),
      c: () => this.#decideAndMove(video, "confirmed"),
      f: () => this.#decideAndMove(video, "false-alarm"),
      s: () => this.#move(video, 1),
      u: () => this.undo(),
      n: () => this.#openNote(video),
      t: () => this.#openNote(video),
      v: () => this.#lift(video),
      Escape: () => this.#open && this.#toggle(this.#open),
      ...(this.#player ? playerKeys(this.#player) : {}),
    };
    if (!video || !Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    actions[event.key]();
  }

  #move(video, by) {
    const place = this.#found.indexOf(video) + by;
    if (place < 0 || place >= this.#found.length) return;
    this.#goTo(place, by !== 0);
  }

  /** Puts the focus on a video; at the desk the details, where some are open, go with the one who looks. */
  #goTo(place, follows) {
    const video = this.#found[place];
    const opens = follows && DATA.desk !== undefined && this.#open !== null && this.#open !== video;
    const page = Math.floor(place / PAGE_ROWS);
    if (page !== this.#page) {
      this.#page = page;
      this.#closeDetails();
      this.#draw();
    }
    if (opens) this.#toggle(video);
    else this.#focus(video);
  }

  /** Shows the pictures of one video as they are, or hides them again. */
  #lift(video) {
    const before = this.#lifted;
    this.#lifted = video === before ? null : video;
    for (const each of [before, video]) {
      for (const row of [each && this.#rowOf(each), each && byId(`details-${each.id}`)]) row?.classList.toggle("lifted", each === this.#lifted);
    }
    say(this.#lifted ? text("The pictures of this video are shown as they are.") : text("The pictures of this video are blurred and grey again."));
  }

  #liftedClass(video) {
    return video === this.#lifted ? " lifted" : "";
  }

  #openNote(video) {
    if (!decidable(video)) return;
    if (this.#open !== video) this.#toggle(video);
    within(byId(`details-${video.id}`), ".note")?.focus();
  }
}

/**
 * Returns the changes whose videos' decisions could not be sent.
 * @param {Change[]} changes
 * @param {Result[]} results
 */
function unsent(changes, results) {
  const videos = new Set(results.filter((result) => result.outcome === "unreachable").map((result) => result.video));
  return changes.filter((change) => videos.has(change.video));
}

/** @param {Player} player */
function playerKeys(player) {
  return {
    p: () => player.play(),
    l: () => player.loop(),
    m: () => player.sound(),
    "[": () => player.next(-1),
    "]": () => player.next(1),
    ",": () => player.step(-1),
    ".": () => player.step(1),
    "+": () => player.speed(1),
    "-": () => player.speed(-1),
  };
}

/** @returns {Column} */
function orderOf(id) {
  return ORDERS.find((each) => each.id === id) ?? ORDERS[0];
}

/** Compares two values; undefined comes last in either direction. */
export function compared(a, b, direction) {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b ? -direction : direction;
}

/** Returns a text that is another one where the list has to say another thing of what was found. */
function foundAs(video) {
  return JSON.stringify([video.state, video.reason, video.labels]);
}

function foundIn(video) {
  if (video.state !== "flagged") return [element("span", { class: `badge ${video.state}` }, capital(word(video.state))), " ", shownReason(video)];
  const more = video.counting.length - 1;
  if (!video.top) return [text("nothing listed")];
  return [swatch(`category-${video.top.category}`), shownLabel(video.top.name), more > 0 ? element("span", { class: "muted" }, ` +${more}`) : null];
}

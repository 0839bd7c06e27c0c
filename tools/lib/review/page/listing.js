// The list of videos: filtered, sorted, and drawn fifty at a time. Fifty rows are a real table for a screen reader, the browser's
// own search and the printer; a list that is drawn as it scrolls is not.

const PAGE_ROWS = 50;
const PRINTED_ROWS = 500;

const COLUMNS = [
  { id: "key", title: text("Video"), value: (video) => video.key, first: 1 },
  { id: "found", title: text("Found"), value: (video) => video.title, first: 1 },
  { id: "confidence", title: text("Confidence"), value: (video) => video.best, first: -1 },
  { id: "seen", title: text("First seen"), value: (video) => video.seen, first: 1 },
  { id: "timeline", title: text("Timeline") },
  { id: "decision", title: text("Decision"), value: (video, decisions) => decisions.current(video) ?? undefined, first: 1 },
];

class Listing {
  #videos;
  #decisions;
  #found = [];
  #page = 0;
  #sorting = { id: "confidence", direction: -1 };
  #filter = () => true;
  #open = null;
  #printing = false;
  /** Called after each decision. */
  onDecision = () => {};

  constructor(videos, decisions) {
    this.#videos = videos;
    this.#decisions = decisions;
    byId("rows").addEventListener("click", (event) => this.#click(event));
    byId("rows").addEventListener("keydown", (event) => this.#key(event));
    byId("previous").addEventListener("click", () => this.#turn(-1));
    byId("next").addEventListener("click", () => this.#turn(1));
    this.#drawHead();
  }

  /** Shows the videos that match a predicate. */
  show(filter) {
    this.#filter = filter;
    this.#search();
  }

  /** Sorts by a column, or in the other direction if the list is sorted by it already. */
  sort(id, direction) {
    const column = COLUMNS.find((each) => each.id === id);
    const turned = this.#sorting.id === id ? -this.#sorting.direction : column.first;
    this.#sorting = { id, direction: direction ?? turned };
    this.#search();
  }

  /** Draws the rows for the printer, or those of the current page again. */
  print(printing) {
    this.#printing = printing;
    this.#draw();
  }

  /** Shows what was decided in another tab; details in which someone is writing stay as they are. */
  refresh() {
    for (const row of byId("rows").querySelectorAll("tr.row")) row.querySelector(".cell-decision").replaceChildren(this.#badge(this.#videoOf(row)));
    const details = this.#open && byId(`details-${this.#open.id}`);
    if (details && !details.contains(document.activeElement)) details.replaceWith(this.#detailRow(this.#open));
  }

  #search() {
    const column = COLUMNS.find((each) => each.id === this.#sorting.id);
    const matching = this.#videos.filter(this.#filter);
    const keyed = matching.map((video) => ({ video, value: column.value(video, this.#decisions) }));
    keyed.sort((a, b) => compared(a.value, b.value, this.#sorting.direction));
    this.#found = keyed.map(({ video }) => video);
    this.#page = 0;
    this.#open = null;
    this.#draw();
  }

  #draw() {
    const from = this.#printing ? 0 : this.#page * PAGE_ROWS;
    const shownVideos = this.#found.slice(from, this.#printing ? PRINTED_ROWS : from + PAGE_ROWS);
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
    byId("previous").disabled = this.#page === 0;
    byId("next").disabled = this.#page >= pages - 1;
    byId("pager").hidden = pages === 1;
  }

  #drawHead() {
    const focused = document.activeElement?.closest("#head th")?.dataset.column;
    byId("head").replaceChildren(...COLUMNS.map((column) => this.#headCell(column)));
    if (focused) byId("head").querySelector(`[data-column="${focused}"] button`)?.focus();
    byId("sort-by").value = this.#sorting.id;
  }

  #headCell(column) {
    const sorted = this.#sorting.id === column.id ? (this.#sorting.direction > 0 ? "ascending" : "descending") : null;
    const attributes = { scope: "col", role: "columnheader", class: `cell-${column.id}`, "data-column": column.id, "aria-sort": sorted };
    return element("th", attributes, column.value ? button({ class: "sort" }, () => this.sort(column.id), column.title) : column.title);
  }

  #row(video) {
    const open = video === this.#open;
    const opener = button(
      { class: "open", "aria-expanded": String(open), "aria-controls": open ? `details-${video.id}` : null },
      () => {},
      shown(video.name),
    );
    const cell = (id, ...children) => element("td", { role: "cell", class: `cell-${id}`, "data-before": id === "seen" ? text("first seen ") : null }, ...children);
    return element(
      "tr",
      { role: "row", class: `row ${video.state}${open ? " is-open" : ""}`, "data-id": video.id },
      element("th", { scope: "row", role: "rowheader", class: "cell-key" }, opener, video.prefix ? element("div", { class: "muted prefix" }, shown(video.prefix)) : null, video.uploaded === undefined ? null : element("div", { class: "muted uploaded" }, text("uploaded {time}", { time: moment(video.uploaded) }))),
      cell("found", ...foundIn(video)),
      cell("confidence", video.best === undefined ? "–" : percent(video.best)),
      cell("seen", video.seen === undefined ? "–" : timeCode(video.seen)),
      cell("timeline", video.state === "flagged" ? strip(video) : null, video.duration === undefined ? null : element("span", { class: "muted" }, timeCode(video.duration))),
      cell("decision", this.#badge(video)),
    );
  }

  #badge(video) {
    const decision = decidable(video) ? this.#decisions.current(video) : null;
    if (decision === null && !(decidable(video) && awaitsDecision(video))) return element("span", { class: "muted" }, "–");
    const here = this.#decisions.of(video);
    const name = decision === null ? text("Undecided") : decisionName(video, decision);
    const more = [here.decision === null && decision !== null ? text("recorded") : null, here.note ? text("note") : null].filter(Boolean);
    return element("span", { class: `badge ${DECISIONS.includes(decision) ? decision : "undecided"}` }, name, more.length ? ` (${more.join(", ")})` : null);
  }

  #detailRow(video) {
    const decided = (decision, note) => this.#decide(video, decision, note);
    const cell = element("td", { role: "cell", colspan: COLUMNS.length }, detailsOf(video, this.#decisions, decided));
    return element("tr", { role: "row", class: "detail-row", id: `details-${video.id}` }, cell);
  }

  /** Records a decision, or a note where the decision is undefined; choosing the same decision again withdraws it. */
  #decide(video, decision, note) {
    if (!decidable(video)) return;
    const before = this.#decisions.of(video);
    if (decision === undefined) this.#decisions.annotate(video, note);
    else this.#decisions.decide(video, before.decision === decision ? null : decision);
    const now = this.#decisions.of(video).decision;
    this.#rowOf(video)?.querySelector(".cell-decision").replaceChildren(this.#badge(video));
    for (const choice of byId(`details-${video.id}`)?.querySelectorAll(".choice") ?? []) {
      choice.setAttribute("aria-pressed", String(choice.dataset.decision === now));
    }
    if (decision !== undefined) say(`${now === null ? text("Undecided") : decisionName(video, now)}: ${visible(video.name)}`);
    this.onDecision();
  }

  #rowOf(video) {
    return byId("rows").querySelector(`[data-id="${video.id}"]`);
  }

  #click(event) {
    const row = event.target.closest("tr.row");
    const selecting = getSelection().type === "Range";
    if (row && (event.target.closest("button") || !selecting)) this.#toggle(this.#videoOf(row));
  }

  #videoOf(row) {
    return this.#found.find((video) => video.id === row?.dataset.id);
  }

  #toggle(video) {
    const before = this.#open;
    this.#open = video === before ? null : video;
    if (before) byId(`details-${before.id}`)?.remove();
    for (const each of [before, this.#open]) {
      if (each) this.#rowOf(each)?.replaceWith(this.#row(each));
    }
    if (this.#open) this.#rowOf(this.#open).after(this.#detailRow(this.#open));
    this.#focus(video);
  }

  #focus(video) {
    const opener = video && this.#rowOf(video)?.querySelector(".open");
    opener?.focus();
    opener?.closest("tr").scrollIntoView({ block: "nearest" });
  }

  #turn(pages) {
    this.#page += pages;
    this.#open = null;
    this.#draw();
    this.#focus(this.#found[this.#page * PAGE_ROWS]);
  }

  // Letters act in the list only (WCAG 2.1.4), and never while something is written.
  #key(event) {
    if (event.target.closest("textarea, input, select") && event.key !== "Escape") return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = event.target.closest("tr.row") ?? event.target.closest("tr.detail-row")?.previousElementSibling;
    const video = this.#videoOf(row);
    const inScroll = event.target.closest(".scroll") !== null;
    const actions = {
      j: () => this.#move(video, 1),
      k: () => this.#move(video, -1),
      ...(inScroll ? {} : { ArrowDown: () => this.#move(video, 1), ArrowUp: () => this.#move(video, -1) }),
      c: () => this.#decide(video, "confirmed"),
      f: () => this.#decide(video, "false-alarm"),
      n: () => this.#write(video),
      Escape: () => this.#open && this.#toggle(this.#open),
    };
    if (!video || !Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    actions[event.key]();
  }

  #move(video, by) {
    const place = this.#found.indexOf(video) + by;
    if (place < 0 || place >= this.#found.length) return;
    const page = Math.floor(place / PAGE_ROWS);
    if (page !== this.#page) {
      this.#page = page;
      this.#open = null;
      this.#draw();
    }
    this.#focus(this.#found[place]);
  }

  #write(video) {
    if (!decidable(video)) return;
    if (this.#open !== video) this.#toggle(video);
    byId(`details-${video.id}`).querySelector(".note").focus();
  }
}

/** Compares two values; undefined comes last in either direction. */
function compared(a, b, direction) {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b ? -direction : direction;
}

function foundIn(video) {
  if (video.state !== "flagged") return [element("span", { class: `badge ${video.state}` }, capital(word(video.state))), " ", shownReason(video)];
  const more = video.counting.length - 1;
  if (!video.top) return [text("nothing listed")];
  return [swatch(`category-${video.top.category}`), shownLabel(video.top.name), more > 0 ? element("span", { class: "muted" }, ` +${more}`) : null];
}

// The page: fills the summary, and joins filters, list and decisions.

import { HIDDEN, shown, visible } from "./characters.js";
import { categoryChart, confidenceChart, stateChart } from "./charts.js";
import { DATA } from "./data.js";
import { Decisions, browserStorage } from "./decisions.js";
import { RecordedDecisions } from "./desk.js";
import { byId, control, dialog, element, say } from "./elements.js";
import { hasPictures, listenToBlur } from "./evidence.js";
import { askGroup } from "./groups.js";
import { count, labelName, phrase, text, word } from "./language.js";
import { Listing, ORDERS, compared } from "./listing.js";
import { Live, showScans } from "./live.js";
import { keepSetting, setting } from "./settings.js";
import { length, moment, share } from "./text.js";
import { Videos, awaitsDecision, decidable, isWithin, labelOf } from "./videos.js";

const VIDEOS = new Videos();
const KEPT = DATA.desk ? null : new Decisions(DATA.scan.id, browserStorage());
/** @type {DecisionStore} */
const DECIDED = KEPT ?? new RecordedDecisions(decidedBy);
const LIST = new Listing(VIDEOS.all, DECIDED);

/** Returns who decides. */
function decidedBy() {
  return control("decided-by").value.trim();
}

function fillSummary() {
  const { scan } = DATA;
  const bucket = shown(scan.bucket);
  byId("title").append(...(scan.day ? phrase("Uploads of {day} to {bucket}", { day: scan.day, bucket }) : phrase("Scan of {bucket}", { bucket })));
  fillCounts();
  fillNotices();
}

/** Fills in what is to be known beside the counts, which changes with them. */
function fillNotices() {
  byId("warnings").replaceChildren(
    ...DATA.warnings.map((warning) => element("p", { class: "notice" }, shown(warning, "span"))),
    ...(DATA.sample ?? []).map((sentence) => element("p", { class: "sample" }, sentence)),
    ...DATA.not_selected.map((sentence) => element("p", { class: "muted" }, shown(sentence, "span"))),
  );
}

function fillCosts() {
  const parts = DATA.costs.parts.map((part) => element("tr", {}, element("td", {}, part.what), element("td", { class: "number" }, part.amount), element("td", { class: "muted" }, part.price)));
  byId("costs").replaceChildren(
    element("table", {}, element("tbody", {}, ...parts)),
    element("p", { class: "muted" }, text("Only analyses that ended are counted; the final cost is on the AWS bill.")),
  );
}

/** Fills in what changes while a scan runs. */
function fillCounts() {
  const { scan, objects, expected } = DATA;
  const number = (name) => DATA.states.find((state) => state.name === name)?.count ?? 0;
  const [flagged, failed, ineligible, skipped, superseded] = ["flagged", "failed", "ineligible", "skipped", "superseded"].map(number);
  const facts = [scan.id, word(scan.status), scan.created_at && !scan.day ? text("submitted {time}", { time: moment(scan.created_at) }) : null, DATA.desk ? null : text("as of {time}", { time: moment(DATA.made_at) })];
  byId("facts").textContent = facts.filter(Boolean).join(" · ");
  const open = objects - ["clean", "flagged", "failed", "ineligible", "skipped", "cancelled", "superseded"].reduce((sum, name) => sum + number(name), 0);
  byId("verdict").replaceChildren(
    element("strong", {}, flagged ? text("{flagged} {flagged:video was|videos were} flagged", { flagged }) : text("Nothing was flagged")),
    failed ? text(", {failed} failed", { failed }) : "",
    ineligible ? text(", {count} could not be analysed as {count:it is|they are}", { count: ineligible }) : "",
    skipped ? text(", {skipped} skipped and so not looked at", { skipped }) : "",
    superseded ? text(", {superseded} superseded by another upload", { superseded }) : "",
    ". ",
    accounted(objects, expected, DATA.adds_up),
  );
  const figures = [
    [text("Flagged"), count(flagged), text("{share} of all objects", { share: share(flagged, objects) }), "state-flagged"],
    [text("Failed"), count(failed), `${text("{share} of all objects", { share: share(failed, objects) })}${lookedAt("failed")}`, "state-failed"],
    [text("Ineligible"), count(ineligible), ineligible ? text("cannot be analysed as they are: empty, archived, too large, another codec …") + lookedAt("ineligible") : text("nothing empty, archived, too large, in another codec …"), "state-ineligible"],
    [text("Not final"), count(open), open ? text("still under way, or never attempted") : text("every object has its verdict"), "state-waiting"],
    [text("Video analysed"), length(DATA.analysed_ms), text("{minutes} {minutes:minute|minutes}", { minutes: Math.round(DATA.analysed_ms / 60_000) }), "plain"],
    [text("Estimated cost"), DATA.costs.total, text("by the price table, before taxes"), "plain"],
  ];
  byId("figures").replaceChildren(...figures.map(figure));
  fillCosts();
}

/** Returns how many objects of a status a person has decided about, as the table knows it. */
function lookedAt(state) {
  const decided = DATA.decided[state];
  return decided ? text("; {decided} decided by a person", { decided }) : "";
}

function accounted(objects, expected, addsUp) {
  if (addsUp) return objects === 1 ? text("The one object is accounted for.") : text("All {objects} objects are accounted for.", { objects });
  if (expected === null || expected === objects) return text("The {objects} {objects:object does|objects do} not add up: see the warnings.", { objects });
  return text("The counts add up to {objects} of {expected} objects: see the warnings.", { objects, expected });
}

/** @param {string[]} parts */
function figure([name, value, note, kind]) {
  return element("div", { class: `figure ${kind}` }, element("dt", {}, name), element("dd", {}, element("strong", {}, value), element("span", { class: "muted" }, note)));
}

function drawCharts() {
  byId("states-chart").replaceChildren(...stateChart(DATA.states, DATA.objects));
  byId("labels-chart").replaceChildren(...categoryChart(DATA.found, DATA.categories, chooseCategory));
  byId("confidence-chart").replaceChildren(...confidenceChart(DATA.confidences));
}

function fillLeftOut() {
  const { flagged, failed, ineligible, superseded } = DATA.left_out;
  if (!flagged && !failed && !ineligible && !superseded) return;
  const left = [
    flagged ? text("{flagged} flagged of lower confidence", { flagged }) : null,
    failed ? text("{failed} failed", { failed }) : null,
    ineligible ? text("{ineligible} ineligible", { ineligible }) : null,
    superseded ? text("{superseded} superseded", { superseded }) : null,
  ];
  const values = { left: left.filter(Boolean).join(text(" and ")), command: element("code", {}, DATA.everything) };
  byId("left-out").append(element("p", { class: "notice" }, ...phrase("This page has no room for {left}. All are in the output of {command}", values)));
}

function fillFilters() {
  fillLabels();
  byId("sort-by").append(...ORDERS.map((order) => element("option", { value: order.id }, order.title)));
  byId("prefixes").append(...commonPrefixes().map((value) => element("option", { value })));
}

/** Fills the choice of labels with those that were found, and leaves the chosen one chosen. */
function fillLabels() {
  const groups = DATA.categories.map((name, category) => {
    const labels = DATA.labels.map((label, number) => ({ ...label, number })).filter((label) => label.category === category && label.name !== name);
    labels.sort((a, b) => compared(labelName(a.name), labelName(b.name), 1));
    const options = labels.map((label) => element("option", { value: `label-${label.number}` }, visible(labelName(label.name))));
    const found = DATA.labels.some((label) => label.category === category);
    return found ? element("optgroup", { label: labelName(name) }, element("option", { value: `category-${category}` }, text("{label} (all)", { label: labelName(name) })), ...options) : null;
  });
  const choice = control("filter-label");
  const chosen = choice.value;
  for (const group of choice.querySelectorAll("optgroup")) group.remove();
  choice.append(...groups.filter((group) => group !== null));
  choice.value = chosen;
}

/** Returns the prefixes with the most videos, to choose from. */
function commonPrefixes() {
  const videos = new Map();
  for (const { key } of VIDEOS.all) {
    const prefix = key.slice(0, key.indexOf("/") + 1);
    if (prefix && !HIDDEN.test(prefix)) videos.set(prefix, (videos.get(prefix) ?? 0) + 1);
  }
  return [...videos].sort(([, a], [, b]) => b - a).slice(0, 30).map(([prefix]) => prefix);
}

/** Returns the predicate for the chosen filters. Label and confidence must be met by the same label of a video. */
function chosenFilter() {
  const searched = control("filter-text").value.trim().toLowerCase();
  const prefix = control("filter-prefix").value;
  const state = control("filter-state").value;
  const confidence = Number(control("filter-confidence").value) || 0;
  const decision = control("filter-decision").value;
  const [kind, number] = control("filter-label").value.split("-");
  const byLabel = kind !== "" || confidence > 0;
  const fits = DATA.labels.map((label) => kind === "" || (kind === "category" ? label.category === Number(number) : isWithin(label, labelOf(Number(number)))));
  return (video) =>
    (state === "" || video.state === state) &&
    video.key.startsWith(prefix) &&
    video.searched.includes(searched) &&
    (!byLabel || video.counting.some(([label, best]) => fits[label] && best >= confidence)) &&
    (decision === "" || (decidable(video) && (DECIDED.current(video) ?? (awaitsDecision(video) ? "open" : null)) === decision));
}

function chooseCategory(category) {
  const value = `category-${category}`;
  const select = control("filter-label");
  select.value = select.value === value ? "" : value;
  applyFilters();
  byId("videos").scrollIntoView();
}

function applyFilters() {
  const chosen = control("filter-label").value;
  for (const bar of document.querySelectorAll(".bar")) bar.setAttribute("aria-pressed", String(chosen === `category-${bar.getAttribute("data-category")}`));
  showArrived();
}

function showProgress() {
  const all = { flagged: 0, clean: 0 };
  const decided = { flagged: 0, clean: 0, failed: 0, ineligible: 0 };
  for (const video of VIDEOS.all) {
    if (awaitsDecision(video)) all[video.state] += 1;
    if (decidable(video) && DECIDED.current(video) !== null) decided[video.state] += 1;
  }
  const others = decided.failed + decided.ineligible;
  byId("progress").textContent = [
    text("{decided} of {all} flagged {all:video|videos} decided.", { decided: decided.flagged, all: all.flagged }),
    all.clean ? text(" {decided} of {all} of the clean sample.", { decided: decided.clean, all: all.clean }) : "",
    others ? text(" {others} without a verdict.", { others }) : "",
  ].join("");
  byId("kept").textContent = DECIDED.kept ? "" : text("This browser does not keep decisions: export them before you close the page.");
}

/** Tells whether somebody has said who decides; if not, asks for it. */
function named(sentence) {
  const who = control("decided-by");
  who.setAttribute("aria-invalid", String(decidedBy() === ""));
  if (decidedBy() !== "") return true;
  say(sentence);
  who.focus();
  return false;
}

/** @param {Decisions} kept */
function exportDecisions(kept) {
  if (!named(text("First enter who decided: the name goes into the file."))) return;
  const file = kept.exported(VIDEOS.all, decidedBy());
  download(DATA.decisions_file, `${JSON.stringify(file, null, 2)}\n`);
  const notes = VIDEOS.all.filter((video) => kept.of(video).decision === null && kept.of(video).note !== "").length;
  const left = notes ? text(" {notes} {notes:note without a decision was|notes without a decision were} left out.", { notes }) : "";
  const exported = text("{count} {count:decision|decisions} exported.", { count: file.decisions.length });
  byId("message").replaceChildren(exported, left, ...phrase(" Apply with {command}", { command: element("code", {}, DATA.apply) }));
}

function download(name, content) {
  const link = element("a", { href: URL.createObjectURL(new Blob([content], { type: "application/json" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function listen() {
  let timer = 0;
  byId("filters").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(applyFilters, 80);
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("reset", () => setTimeout(applyFilters));
  byId("sort-by").addEventListener("change", () => LIST.sort(control("sort-by").value, orderDirection()));
  byId("group").addEventListener("click", () => askGroup(LIST.found, DECIDED, (changes) => LIST.decide(changes)));
  byId("show-keys").addEventListener("click", () => dialog("keys-dialog").showModal());
  byId("arrived").addEventListener("click", () => showArrived());
  addEventListener("keydown", (event) => {
    if (event.key === "?" && !(event.target instanceof Element && event.target.closest("input, textarea, select"))) dialog("keys-dialog").showModal();
  });
  LIST.onDecision = showProgress;
  addEventListener("beforeprint", () => LIST.print(true));
  addEventListener("afterprint", () => LIST.print(false));
}

/** Returns the direction in which an order is chosen from the list of orders: always its first, so that choosing it twice does not turn it. */
function orderDirection() {
  return ORDERS.find((order) => order.id === control("sort-by").value)?.first;
}

function listenToView() {
  byId("view").hidden = !hasPictures();
  const show = () => {
    const cards = control("view-cards").checked;
    byId("list").classList.toggle("cards", cards);
    document.body.classList.toggle("with-cards", cards);
  };
  const cards = hasPictures() && setting("view", "cards") === "cards";
  control("view-cards").checked = cards;
  control("view-list").checked = !cards;
  byId("view").addEventListener("change", () => {
    keepSetting("view", control("view-cards").checked ? "cards" : "list");
    show();
    LIST.redraw();
  });
  show();
}

/** @param {Decisions} kept */
function listenToFile(kept) {
  byId("export").addEventListener("click", () => exportDecisions(kept));
  addEventListener("storage", (event) => {
    if (event.key === null) return;
    kept.refresh(event.key);
    LIST.refresh();
    showProgress();
  });
}

/** Makes the page a desk: there is nothing to export, and what changes elsewhere comes in. */
function listenToDesk() {
  document.body.classList.add("desk");
  byId("export").hidden = true;
  byId("live").hidden = false;
  control("decided-by").value ||= DATA.desk?.decided_by ?? "";
  // Browsers ask whether to stay.
  addEventListener("beforeunload", (event) => DECIDED.unwritten && event.preventDefault());
  LIST.ready = () => named(text("First enter who decides: the name is written with each decision."));
  showScans();
  new Live(takeChanges).start();
}

let arrived = 0;

/** @param {Changes} changes */
function takeChanges(changes) {
  const { number, gone = [], recorded = {}, status, flagged, clean, failed, ineligible, superseded, ...summary } = changes;
  takeSummary(summary, status);
  const decided = Object.entries(recorded);
  const videos = [flagged, clean, failed, ineligible, superseded].some((all) => all?.length);
  if (!videos && decided.length === 0 && gone.length === 0) return;
  arrived += VIDEOS.take({ flagged, clean, failed, ineligible, superseded });
  VIDEOS.remove(gone);
  for (const [id, decision] of decided) takeDecision(VIDEOS.find(id), decision);
  showProgress();
  LIST.refresh();
  if (arrived === 0) return;
  fillLabels();
  byId("arrived").textContent = text("Show {count} new {count:video|videos}", { count: arrived });
  byId("arrived").hidden = false;
  // Nothing that somebody looks at moves unasked.
  if (LIST.atRest) showArrived();
}

/**
 * Takes what is said about all videos together; charts are drawn again where something changed, unless somebody is at work in them.
 * @param {Partial<PageData>} summary
 * @param {string} [status]
 */
function takeSummary(summary, status = DATA.scan.status) {
  const before = JSON.stringify([DATA.scan.status, ...Object.keys(summary).map((name) => DATA[name])]);
  Object.assign(DATA, summary);
  DATA.scan.status = status;
  if (JSON.stringify([status, ...Object.values(summary)]) === before) return;
  fillCounts();
  fillNotices();
  if (!byId("labels-chart").contains(document.activeElement)) drawCharts();
}

/**
 * Takes what the table has about a video now; an answer that was on its way for longer may be older than what the page knows.
 * @param {Video | undefined} video
 * @param {Recorded | null} decision
 */
function takeDecision(video, decision) {
  if (!video || DECIDED.waiting(video)) return;
  const [known, now] = [timeOf(video.recorded), timeOf(decision)];
  if (now !== 0 && now < known) return;
  if (now !== known && (now !== 0 || video.recorded?.decision !== "withdrawn")) LIST.decidedElsewhere(video);
  video.recorded = decision;
}

/** @param {Recorded | null | undefined} decision */
function timeOf(decision) {
  return decision ? Date.parse(decision.decided_at) : 0;
}

/** Shows what the filters leave, with everything that has come in. */
function showArrived() {
  arrived = 0;
  byId("arrived").hidden = true;
  LIST.show(chosenFilter());
}

fillSummary();
drawCharts();
fillLeftOut();
fillFilters();
listen();
listenToView();
listenToBlur();
if (KEPT) listenToFile(KEPT);
else listenToDesk();
applyFilters();
showProgress();
if (DATA.desk) LIST.begin();
performance.mark("ready");

// The page: fills the summary, and joins filters, list and decisions.

const SEGMENT_NUMBERS = 4;

/** Returns the label that has this number in the data. */
function labelOf(number) {
  return DATA.labels[number];
}

/** Returns the segments of a video, which come as one flat list of numbers. Drawn from `from` to `to`, a frame covers its whole interval. */
function segmentsOf(video) {
  const segments = [];
  const half = 500 * (video.every ?? 0);
  const length = lengthOf(video);
  for (let at = 0; at < video.segments.length; at += SEGMENT_NUMBERS) {
    const [label, start, end, confidence] = video.segments.slice(at, at + SEGMENT_NUMBERS);
    segments.push({ label, start, end, confidence, from: Math.max(0, start - half), to: Math.min(end + half, length) });
  }
  return segments;
}

/** Returns how long a video is, for its timeline: at least to the end of its last segment. */
function lengthOf(video) {
  let last = video.duration ?? 0;
  for (let at = 2; at < video.segments.length; at += SEGMENT_NUMBERS) last = Math.max(last, video.segments[at]);
  return Math.max(last, 1);
}

/** Returns a video with what the list sorts, filters and shows; what counts is what flagged it, and nothing where it is not flagged, or is superseded. */
function prepared(video, state) {
  const cut = video.key.replace(/\/+$/, "").lastIndexOf("/") + 1;
  const labels = state === "flagged" ? (video.labels ?? []) : [];
  const counting = labels.some(([, , , , counts]) => counts) ? labels.filter(([, , , , counts]) => counts) : labels;
  const top = counting.length ? labelOf(counting[0][0]) : undefined;
  return {
    ...video,
    state,
    counting,
    top,
    title: top && labelName(top.name),
    best: counting.length ? Math.max(...counting.map(([, confidence]) => confidence)) : undefined,
    seen: counting.length ? Math.min(...counting.map(([, , , first]) => first)) : undefined,
    name: video.key.slice(cut) || video.key,
    prefix: video.key.slice(cut) ? video.key.slice(0, cut) : "",
    searched: `${visible(uriOf(video))} ${video.reason ?? ""}`.toLowerCase(),
  };
}

const VIDEOS = [...DATA.flagged.map((video) => prepared(video, "flagged")), ...["clean", "failed", "ineligible", "superseded"].flatMap((state) => DATA[state].map((video) => prepared(video, state)))];
const DECIDED = new Decisions(DATA.scan.id, browserStorage());
const LIST = new Listing(VIDEOS, DECIDED);

function fillSummary() {
  const { scan, objects, expected } = DATA;
  const number = (name) => DATA.states.find((state) => state.name === name)?.count ?? 0;
  const [flagged, failed, ineligible, skipped, superseded] = ["flagged", "failed", "ineligible", "skipped", "superseded"].map(number);
  const bucket = shown(scan.bucket);
  byId("title").append(...(scan.day ? phrase("Uploads of {day} to {bucket}", { day: scan.day, bucket }) : phrase("Scan of {bucket}", { bucket })));
  const facts = [scan.id, word(scan.status), scan.created_at && !scan.day ? text("submitted {time}", { time: moment(scan.created_at) }) : null, text("as of {time}", { time: moment(DATA.made_at) })];
  byId("facts").textContent = facts.filter(Boolean).join(" · ");
  const open = objects - ["clean", "flagged", "failed", "ineligible", "skipped", "cancelled", "superseded"].reduce((sum, name) => sum + number(name), 0);
  byId("verdict").append(
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
  byId("figures").append(...figures.map(figure));
  byId("warnings").append(
    ...DATA.warnings.map((warning) => element("p", { class: "notice" }, shown(warning, "span"))),
    ...(DATA.sample ?? []).map((sentence) => element("p", { class: "sample" }, sentence)),
    ...DATA.not_selected.map((sentence) => element("p", { class: "muted" }, shown(sentence, "span"))),
  );
  const parts = DATA.costs.parts.map((part) => element("tr", {}, element("td", {}, part.what), element("td", { class: "number" }, part.amount), element("td", { class: "muted" }, part.price)));
  byId("costs").append(
    element("table", {}, element("tbody", {}, ...parts)),
    element("p", { class: "muted" }, text("Only analyses that ended are counted; the final cost is on the AWS bill.")),
  );
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

function figure([name, value, note, kind]) {
  return element("div", { class: `figure ${kind}` }, element("dt", {}, name), element("dd", {}, element("strong", {}, value), element("span", { class: "muted" }, note)));
}

function drawCharts() {
  byId("states-chart").append(...stateChart(DATA.states, DATA.objects));
  byId("labels-chart").append(...categoryChart(DATA.found, DATA.categories, chooseCategory));
  byId("confidence-chart").append(...confidenceChart(DATA.confidences));
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
  const groups = DATA.categories.map((name, category) => {
    const labels = DATA.labels.map((label, number) => ({ ...label, number })).filter((label) => label.category === category && label.name !== name);
    labels.sort((a, b) => compared(labelName(a.name), labelName(b.name), 1));
    const options = labels.map((label) => element("option", { value: `label-${label.number}` }, visible(labelName(label.name))));
    const found = DATA.labels.some((label) => label.category === category);
    return found ? element("optgroup", { label: labelName(name) }, element("option", { value: `category-${category}` }, text("{label} (all)", { label: labelName(name) })), ...options) : null;
  });
  byId("filter-label").append(...groups.filter(Boolean));
  byId("sort-by").append(...COLUMNS.filter((column) => column.value).map((column) => element("option", { value: column.id }, column.title)));
  byId("prefixes").append(...commonPrefixes().map((value) => element("option", { value })));
}

function commonPrefixes() {
  const videos = new Map();
  for (const { key } of VIDEOS) {
    const prefix = key.slice(0, key.indexOf("/") + 1);
    if (prefix && !HIDDEN.test(prefix)) videos.set(prefix, (videos.get(prefix) ?? 0) + 1);
  }
  return [...videos].sort(([, a], [, b]) => b - a).slice(0, 30).map(([prefix]) => prefix);
}

/** Returns the predicate for the chosen filters. Label and confidence must be met by the same label of a video. */
function chosenFilter() {
  const searched = byId("filter-text").value.trim().toLowerCase();
  const prefix = byId("filter-prefix").value;
  const state = byId("filter-state").value;
  const confidence = Number(byId("filter-confidence").value) || 0;
  const decision = byId("filter-decision").value;
  const [kind, number] = byId("filter-label").value.split("-");
  const byLabel = kind !== "" || confidence > 0;
  const fits = DATA.labels.map((label) => kind === "" || (kind === "category" ? label.category === Number(number) : isWithin(label, labelOf(number))));
  return (video) =>
    (state === "" || video.state === state) &&
    video.key.startsWith(prefix) &&
    video.searched.includes(searched) &&
    (!byLabel || video.counting.some(([label, best]) => fits[label] && best >= confidence)) &&
    (decision === "" || (decidable(video) && (DECIDED.current(video) ?? (awaitsDecision(video) ? "open" : null)) === decision));
}

function isWithin(label, ancestor) {
  return label === ancestor || label.above.includes(ancestor.name);
}

function chooseCategory(category) {
  const value = `category-${category}`;
  const select = byId("filter-label");
  select.value = select.value === value ? "" : value;
  applyFilters();
  byId("videos").scrollIntoView();
}

function applyFilters() {
  const chosen = byId("filter-label").value;
  for (const bar of document.querySelectorAll(".bar")) bar.setAttribute("aria-pressed", String(chosen === `category-${bar.dataset.category}`));
  LIST.show(chosenFilter());
}

function showProgress() {
  const all = { flagged: 0, clean: 0 };
  const decided = { flagged: 0, clean: 0, failed: 0, ineligible: 0 };
  for (const video of VIDEOS) {
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

function exportDecisions() {
  const who = byId("decided-by");
  const name = who.value.trim();
  who.setAttribute("aria-invalid", String(name === ""));
  if (name === "") {
    say(text("First enter who decided: the name goes into the file."));
    who.focus();
    return;
  }
  const file = DECIDED.exported(VIDEOS, name);
  download(DATA.decisions_file, `${JSON.stringify(file, null, 2)}\n`);
  const notes = VIDEOS.filter((video) => DECIDED.of(video).decision === null && DECIDED.of(video).note !== "").length;
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
  byId("sort-by").addEventListener("change", (event) => LIST.sort(event.target.value));
  byId("export").addEventListener("click", exportDecisions);
  LIST.onDecision = showProgress;
  addEventListener("beforeprint", () => LIST.print(true));
  addEventListener("afterprint", () => LIST.print(false));
  addEventListener("storage", (event) => {
    if (event.key === null) return;
    DECIDED.refresh(event.key);
    LIST.refresh();
    showProgress();
  });
}

fillSummary();
drawCharts();
fillLeftOut();
fillFilters();
listen();
applyFilters();
showProgress();
performance.mark("ready");

// The details of one video: where in it something was found, how to get at it, and what is decided.

import { HIDDEN, shown, visible } from "./characters.js";
import { swatch } from "./charts.js";
import { DATA } from "./data.js";
import { DECISIONS } from "./decisions.js";
import { DeskError, askLog } from "./desk.js";
import { button, drawn, element, say } from "./elements.js";
import { picturable, pictures } from "./evidence.js";
import { consoleLink, fetchCommand, uriOf, versionOf } from "./fetching.js";
import { capital, count, labelName, originalName, phrase, shownLabel, text, word } from "./language.js";
import { byteSize, length, moment, percent, timeCode } from "./text.js";
import { decidable, labelOf, lengthOf, segmentsOf } from "./videos.js";

const MAX_LANES = 40;
const CHOICES = { confirmed: text("Confirm"), "false-alarm": text("False alarm") };
const OTHER_CHOICES = { confirmed: text("Something is there"), "false-alarm": text("Nothing is there") };
const TICK_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 36_000];

/** Returns the word for a decision about a video. */
export function decisionName(video, decision) {
  if (decision === "withdrawn") return text("Taken back");
  const words = DATA.decided_words[video.was ?? video.state] ?? {};
  return capital(word(words[decision] ?? visible(decision)));
}

/**
 * What a person can do in the details of a video.
 * @typedef {{ decide: (decision: Judgement) => void, annotate: (note: string) => void, noted: () => void, player: Player | null }} Actions
 */

/**
 * Returns the details of a video.
 * @param {Video} video
 * @param {DecisionStore} decisions
 * @param {Actions} actions
 */
export function detailsOf(video, decisions, actions) {
  const { player } = actions;
  const form = decidable(video) ? decisionForm(video, decisions, actions) : null;
  const moments = picturable(video) ? element("section", { class: "moments" }, element("h3", {}, text("Moments")), pictures(video, player && ((at) => player.look(at)))) : null;
  const film = player?.element ?? null;
  const parts = video.state === "flagged" ? flaggedParts(video, player, form, moments) : [failure(video), film, form, moments, video.labels ? summaries(video) : null];
  return element("div", { class: "details", role: "group", "aria-label": text("Details of {video}", { video: visible(video.name) }) }, ...parts, access(video));
}

/** Returns what there is to see of a flagged video: at the desk the film comes first. */
function flaggedParts(video, player, form, moments) {
  if (player) return [player.element, form, moments, timeline(video, player), findings(video, player)];
  return [timeline(video, null), moments, form, findings(video, null)];
}

function timeline(video, player) {
  const end = lengthOf(video);
  const lanes = byLabel(segmentsOf(video));
  const order = [...lanes.keys()].sort((a, b) => labelOf(a).category - labelOf(b).category || lanes.get(a)[0].start - lanes.get(b)[0].start);
  const rows = order.slice(0, MAX_LANES).map((label) => [
    element("dt", {}, swatch(`category-${labelOf(label).category}`), shownLabel(labelOf(label).name)),
    element("dd", {}, lane(lanes.get(label), end, player)),
  ]);
  const more = order.length - rows.length;
  return element(
    "section",
    { class: "timeline" },
    element("h3", {}, text("Timeline")),
    element("dl", { class: "lanes" }, ...rows.flat(), ...(video.every ? samples(video, end) : []), element("dt", { class: "scale" }, element("span", { class: "unseen" }, text("Length"))), element("dd", { class: "scale" }, scale(end))),
    more > 0 ? element("p", { class: "muted" }, text("and {count} more {count:label|labels}", { count: more })) : null,
  );
}

/** Returns the lane that marks where a film by frames was looked at, as far as it could be decoded; a frame may lie up to half an interval from its mark. */
function samples(video, end) {
  const step = 1000 * video.every;
  const until = Math.min(video.decoded ?? end, end);
  const marks = [];
  for (let at = Math.min(step, end) / 2; at < until; at += step) marks.push(`M${((1000 * at) / end).toFixed(1)} 0v10`);
  const label = text("one frame about every {seconds} s, up to {time}", { seconds: count(video.every), time: timeCode(until) });
  const drawing = [drawn("title", {}, label), drawn("path", { d: marks.join("") })];
  const svg = drawn("svg", { class: "lane samples", viewBox: "0 0 1000 10", preserveAspectRatio: "none", role: "img", "aria-label": label }, ...drawing);
  return [element("dt", {}, text("Looked at")), element("dd", {}, svg)];
}

function byLabel(segments) {
  const groups = new Map();
  for (const segment of segments) groups.set(segment.label, [...(groups.get(segment.label) ?? []), segment]);
  return groups;
}

/** Returns the lane of a label; a click on a segment of it shows that in the player, as the button of its row in the table does. */
function lane(segments, end, player) {
  const bars = segments.map((segment) => {
    const width = Math.min(Math.max((100 * (segment.to - segment.from)) / end, 0.5), 100);
    const from = Math.min((100 * segment.from) / end, 100 - width);
    const { category } = labelOf(segment.label);
    const title = drawn("title", {}, segmentText(segment));
    const bar = drawn("rect", { class: `category-${category}`, x: `${from}%`, width: `${width}%`, height: "100%" }, title);
    if (player) bar.addEventListener("click", () => player.jump(segment));
    return bar;
  });
  const first = segments.slice(0, 3).map(segmentText).join("; ");
  const more = segments.length > 3 ? text("; and {count} more, see the table", { count: segments.length - 3 }) : "";
  return drawn("svg", { class: player ? "lane played" : "lane", role: "img", "aria-label": `${first}${more}` }, ...bars);
}

function segmentText(segment) {
  const label = visible(labelName(labelOf(segment.label).name));
  return text("{label}, {from} to {to}, {percent}", {
    label,
    from: timeCode(segment.start),
    to: timeCode(segment.end),
    percent: percent(segment.confidence),
  });
}

function scale(end) {
  const step = 1000 * (TICK_SECONDS.find((seconds) => end / (1000 * seconds) <= 6) ?? Math.ceil(end / 6_000));
  const ticks = [];
  for (let at = 0; at <= end - step / 2; at += step) ticks.push(tick(at, end, at ? "middle" : "start"));
  return drawn("svg", { class: "axis-labels", role: "img", "aria-label": timeCode(end) }, ...ticks, tick(end, end, "end"));
}

function tick(at, end, anchor) {
  return drawn("text", { class: "tick", x: `${(100 * at) / end}%`, y: "100%", dy: -3, "text-anchor": anchor }, timeCode(at));
}

function findings(video, player) {
  const segments = segmentsOf(video);
  const rows = segments.map((segment) => {
    const { name, above, category } = labelOf(segment.label);
    const time = `${timeCode(segment.start)} – ${timeCode(segment.end)}`;
    return element(
      "tr",
      {},
      element("td", { class: "number" }, player ? button({ class: "jump" }, () => player.jump(segment), time) : time),
      element("td", {}, swatch(`category-${category}`), shownLabel(name), above.length ? element("span", { class: "muted" }, phrase(" in {label}", { label: shownLabel(above[0]) })) : null),
      element("td", { class: "number" }, percent(segment.confidence)),
    );
  });
  const head = element("tr", {}, ...[text("Time (h:mm:ss)"), text("Label"), text("Confidence")].map((title) => element("th", { scope: "col" }, title)));
  const cut = video.segments_left_out;
  return element(
    "section",
    { class: "findings" },
    element("h3", {}, text("{count} {count:segment|segments}", { count: segments.length + (cut ?? 0) })),
    cut ? element("p", { class: "notice" }, text("The {shown} with the highest confidence are shown, {cut} {cut:is|are} left out.", { shown: segments.length, cut })) : null,
    summaries(video),
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": text("Segments") },
      element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)),
    ),
  );
}

function summaries(video) {
  const items = video.labels.map(([number, confidence, milliseconds, first, counts]) =>
    element(
      "li",
      { class: counts ? null : "muted" },
      swatch(`category-${labelOf(number).category}`),
      shownLabel(labelOf(number).name),
      originalName(labelOf(number).name),
      text(" {percent}, {length} in all, first at {time}", { percent: percent(confidence), length: length(milliseconds), time: timeCode(first) }),
      counts ? null : text(" (does not count under the policy)"),
    ),
  );
  return element("ul", { class: "summaries" }, ...items);
}

function failure(video) {
  const message = video.message ? element("p", {}, shown(video.message)) : null;
  const superseded = video.state === "superseded" ? element("p", {}, text("Another upload replaced this content: there is nothing to decide.")) : null;
  const drawn = video.state === "clean" ? element("p", {}, text("Nothing in it counts under the policy. It is in the sample: look at it.")) : null;
  const unknown = Object.hasOwn(DATA.decided_words, video.state) && !decidable(video) ? element("p", { class: "muted" }, text("It was never read, so nothing tells its content from a later one: no decision can be taken here.")) : null;
  const cure = Object.hasOwn(DATA.cures, video.reason ?? "") ? element("p", {}, text("What to do: {cure}.", { cure: DATA.cures[video.reason] })) : null;
  return element("section", { class: "failure" }, element("h3", {}, `${capital(word(video.state))}: `, shownReason(video)), superseded, drawn, message, cure, unknown);
}

function decisionForm(video, decisions, { decide, annotate, noted }) {
  const held = decisions.of(video);
  const choices = video.state === "flagged" ? CHOICES : OTHER_CHOICES;
  const buttons = DECISIONS.map((decision) =>
    button({ class: `choice ${decision}`, "aria-pressed": String(held.decision === decision), "data-decision": decision }, () => decide(decision), choices[decision]),
  );
  const note = element("textarea", { class: "note", rows: 2, maxlength: 2000 });
  note.value = held.note;
  // At every keystroke: the page may be closed at any time.
  note.addEventListener("input", () => annotate(note.value));
  note.addEventListener("change", noted);
  return element(
    "fieldset",
    { class: "decision" },
    element("legend", {}, text("Decision")),
    video.recorded && video.recorded.decision !== "withdrawn" ? recordedDecision(video) : null,
    element("div", { class: "choices" }, ...buttons),
    element("label", { class: "field" }, text("Note"), note),
    DATA.desk ? log(video) : null,
  );
}

/** Returns every decision about a video, which are read when they are wanted. */
function log(video) {
  const list = element("ol", { class: "log" });
  const details = element("details", {}, element("summary", {}, text("Every decision so far")), list);
  details.addEventListener("toggle", async () => {
    if (!details.open) return;
    try {
      const entries = await askLog(video);
      const items = entries.map((entry) => element("li", {}, decided(video, entry), entry.note ? [": ", shown(entry.note)] : null));
      list.replaceChildren(...(items.length ? items : [element("li", {}, text("None."))]));
    } catch (error) {
      list.replaceChildren(element("li", {}, error instanceof DeskError ? `${error.reason} ${error.cure}` : text("The desk does not answer.")));
    }
  });
  return details;
}

function decided(video, { decision, decided_by, decided_at }) {
  return phrase("{decision} by {person}, {time}", { decision: decisionName(video, decision), person: shown(decided_by), time: moment(Date.parse(decided_at) / 1000) });
}

function recordedDecision(video) {
  const { decision, decided_by, decided_at, note } = video.recorded;
  const values = { decision: decisionName(video, decision), person: shown(decided_by), time: moment(Date.parse(decided_at) / 1000) };
  return element("p", { class: "muted" }, phrase("Recorded earlier: {decision} by {person}, {time}", values), note ? [": ", shown(note)] : null);
}

/** Returns the reason why a video was not analysed: a code that is the same in every language, except where there is none. */
export function shownReason(video) {
  if (video.state === "clean") return text("in the sample");
  if (video.reason !== undefined) return shown(video.reason);
  return video.was === undefined ? text("no reason given") : word(video.was);
}

function access(video) {
  const uri = uriOf(video);
  const command = fetchCommand(video, DATA.region);
  const link = element("a", { href: consoleLink(video, DATA.console, DATA.region), target: "_blank", rel: "noopener noreferrer" }, text("Open in the AWS console"));
  const ways = [
    ["S3 URI", element("code", {}, shown(uri)), HIDDEN.test(uri) ? null : copyButton("URI", uri)],
    [text("Fetch it"), ...(command === null ? [text("The AWS CLI cannot take this key: use the console.")] : [element("code", { class: "command" }, command), copyButton(text("command"), command)])],
    [text("Console"), link],
  ];
  const facts = [
    [text("Version"), versionOf(video) === null ? text("none") : element("code", {}, shown(versionOf(video)))],
    ["ETag", video.etag ? element("code", {}, shown(video.etag)) : text("unknown")],
    [text("Size"), video.size === undefined ? text("unknown") : byteSize(video.size)],
    [text("Length"), video.duration === undefined ? text("unknown") : timeCode(video.duration)],
    ...(video.every === undefined ? [] : [[text("Looked at"), video.every === 0 ? text("as an image") : text("by frames, every {seconds} s: shorter scenes may be missed", { seconds: count(video.every) })]]),
    ...(video.decoded === undefined ? [] : [[text("Decoded up to"), timeCode(video.decoded)]]),
    [text("Retries"), count(video.attempt)],
    ...(video.uploaded === undefined ? [] : [[text("Uploaded"), moment(video.uploaded), video.missed ? text(" (found by the daily comparison)") : null]]),
  ];
  /** @type {(whole: string | null, values: any[]) => HTMLElement} */
  const item = (whole, [name, ...values]) => element("div", { class: whole }, element("dt", {}, name), element("dd", {}, ...values));
  const items = [...ways.map((way) => item("whole", way)), ...facts.map((fact) => item(null, fact))];
  return element("section", { class: "access" }, element("h3", {}, text("The object")), element("dl", {}, ...items));
}

function copyButton(what, value) {
  const copy = button({ class: "quiet copy", "aria-label": text("Copy the {what}", { what }) }, () => copied(copy, what, value), text("Copy"));
  return copy;
}

async function copied(node, what, value) {
  try {
    await navigator.clipboard.writeText(value);
    node.textContent = text("Copied");
    say(text("The {what} was copied.", { what }));
  } catch {
    getSelection()?.selectAllChildren(node.previousElementSibling);
    say(text("This browser does not let the page copy. The {what} is selected: copy it with the keyboard.", { what }));
  }
}

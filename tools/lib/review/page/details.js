// The details of one video: where in it something was found, how to get at it, and what is decided.

const NO_COMMAND = "The AWS CLI cannot take such a key: use the console.";
const MAX_LANES = 40;
const CHOICES = { confirmed: "Confirm", "false-alarm": "False alarm" };
const TICK_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 36_000];

/** Returns the details; `decided` is called when the person has decided something. */
function detailsOf(video, decisions, decided) {
  const parts = video.state === "flagged" ? [timeline(video), decisionForm(video, decisions, decided), findings(video)] : [failure(video)];
  return element("div", { class: "details", role: "group", "aria-label": `Details of ${visible(video.name)}` }, ...parts, access(video));
}

function timeline(video) {
  const end = lengthOf(video);
  const lanes = byLabel(segmentsOf(video));
  const order = [...lanes.keys()].sort((a, b) => labelOf(a).category - labelOf(b).category || lanes.get(a)[0].start - lanes.get(b)[0].start);
  const rows = order.slice(0, MAX_LANES).map((label) => [
    element("dt", {}, swatch(`category-${labelOf(label).category}`), shown(labelOf(label).name)),
    element("dd", {}, lane(lanes.get(label), end)),
  ]);
  const more = order.length - rows.length;
  return element(
    "section",
    { class: "timeline" },
    element("h3", {}, "Timeline"),
    element("dl", { class: "lanes" }, ...rows.flat(), element("dt", { class: "scale" }, element("span", { class: "unseen" }, "Length")), element("dd", { class: "scale" }, scale(end))),
    more > 0 ? element("p", { class: "muted" }, `and ${counted(more, "more label")}`) : null,
  );
}

function byLabel(segments) {
  const groups = new Map();
  for (const segment of segments) groups.set(segment.label, [...(groups.get(segment.label) ?? []), segment]);
  return groups;
}

function lane(segments, end) {
  const bars = segments.map((segment) => {
    const width = Math.min(Math.max((100 * (segment.end - segment.start)) / end, 0.5), 100);
    const from = Math.min((100 * segment.start) / end, 100 - width);
    const { category } = labelOf(segment.label);
    const title = drawn("title", {}, told(segment));
    return drawn("rect", { class: `category-${category}`, x: `${from}%`, width: `${width}%`, height: "100%" }, title);
  });
  const first = segments.slice(0, 3).map(told).join("; ");
  const more = segments.length > 3 ? `; and ${segments.length - 3} more, see the table` : "";
  return drawn("svg", { class: "lane", role: "img", "aria-label": `${first}${more}` }, ...bars);
}

function told(segment) {
  return `${visible(labelOf(segment.label).name)}, ${timeCode(segment.start)} to ${timeCode(segment.end)}, ${percent(segment.confidence)}`;
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

function findings(video) {
  const segments = segmentsOf(video);
  const rows = segments.map((segment) => {
    const { name, above, category } = labelOf(segment.label);
    return element(
      "tr",
      {},
      element("td", { class: "number" }, `${timeCode(segment.start)} – ${timeCode(segment.end)}`),
      element("td", {}, swatch(`category-${category}`), shown(name), above.length ? element("span", { class: "muted" }, " in ", shown(above[0])) : null),
      element("td", { class: "number" }, percent(segment.confidence)),
    );
  });
  const head = element("tr", {}, ...["Time (h:mm:ss)", "Label", "Confidence"].map((title) => element("th", { scope: "col" }, title)));
  const cut = video.segments_left_out;
  return element(
    "section",
    { class: "findings" },
    element("h3", {}, counted(segments.length + (cut ?? 0), "segment")),
    cut ? element("p", { class: "notice" }, `The ${count(segments.length)} of the best confidence are shown, ${count(cut)} are left out.`) : null,
    summaries(video),
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Segments" },
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
      shown(labelOf(number).name),
      ` ${percent(confidence)}, ${length(milliseconds)} in all, first at ${timeCode(first)}${counts ? "" : " (does not count under the policy)"}`,
    ),
  );
  return element("ul", { class: "summaries" }, ...items);
}

function failure(video) {
  const message = video.message ? element("p", {}, shown(video.message)) : null;
  return element("section", { class: "failure" }, element("h3", {}, `${capital(video.state)}: `, shown(video.reason)), message);
}

function decisionForm(video, decisions, decided) {
  const held = decisions.of(video);
  const choices = Object.keys(DECISIONS).map((decision) =>
    button({ class: `choice ${decision}`, "aria-pressed": String(held.decision === decision), "data-decision": decision }, () => decided(decision), CHOICES[decision]),
  );
  const note = element("textarea", { class: "note", rows: 2, maxlength: 2000 });
  note.value = held.note;
  // At every letter: the page may be closed at any time.
  note.addEventListener("input", () => decided(undefined, note.value));
  note.addEventListener("change", () => say("The note is kept."));
  const { recorded } = video;
  const before = recorded
    ? element("p", { class: "muted" }, `Recorded before: ${DECISIONS[recorded.decision] ?? recorded.decision} by `, shown(recorded.decided_by), `, ${recorded.decided_at}`, recorded.note ? ": " : "", shown(recorded.note))
    : null;
  return element(
    "fieldset",
    { class: "decision" },
    element("legend", {}, "Decision"),
    before,
    element("div", { class: "choices" }, ...choices),
    element("label", { class: "field" }, "Note", note),
  );
}

function access(video) {
  const uri = uriOf(video);
  const command = fetchCommand(video, DATA.region);
  const link = element("a", { href: consoleLink(video, DATA.console, DATA.region), target: "_blank", rel: "noopener noreferrer" }, "Open in the AWS console");
  const ways = [
    ["S3 URI", element("code", {}, shown(uri)), HIDDEN.test(uri) ? null : copyButton("URI", uri)],
    ["Fetch it", ...(command === null ? [NO_COMMAND] : [element("code", { class: "command" }, command), copyButton("command", command)])],
    ["Console", link],
  ];
  const facts = [
    ["Version", versionOf(video) === null ? "none" : element("code", {}, shown(versionOf(video)))],
    ["ETag", video.etag ? element("code", {}, shown(video.etag)) : "unknown"],
    ["Size", video.size === undefined ? "unknown" : byteSize(video.size)],
    ["Length", video.duration === undefined ? "unknown" : timeCode(video.duration)],
    ["Retries", String(video.attempt)],
  ];
  const item = (whole) => ([name, ...values]) => element("div", { class: whole }, element("dt", {}, name), element("dd", {}, ...values));
  const items = [...ways.map(item("whole")), ...facts.map(item(null))];
  return element("section", { class: "access" }, element("h3", {}, "The object"), element("dl", {}, ...items));
}

function copyButton(what, text) {
  const copy = button({ class: "quiet copy", "aria-label": `Copy the ${what}` }, () => copied(copy, what, text), "Copy");
  return copy;
}

async function copied(node, what, text) {
  try {
    await navigator.clipboard.writeText(text);
    node.textContent = "Copied";
    say(`The ${what} was copied.`);
  } catch {
    getSelection().selectAllChildren(node.previousElementSibling);
    say(`This browser does not let the page copy: the ${what} is selected, copy it with the keyboard.`);
  }
}

// The charts of the summary. Lengths are percentages, so that text is not stretched with the drawing. No bar is too small to see.

import { button, drawn, element } from "./elements.js";
import { capital, count, labelName, shownLabel, text, word } from "./language.js";
import { share } from "./text.js";
import { labelOf, lengthOf, segmentsOf } from "./videos.js";

/** Returns a bar of every state, with its legend. */
export function stateChart(states, total) {
  const visibleWidth = (state) => (state.count === 0 ? 0 : Math.max((100 * state.count) / Math.max(total, 1), 0.6));
  const sum = states.reduce((width, state) => width + visibleWidth(state), 0) || 1;
  let from = 0;
  const bars = states.map((state) => {
    const width = (100 * visibleWidth(state)) / sum;
    const bar = drawn("rect", { class: `state ${stateClass(state.name)}`, x: `${from}%`, width: `${width}%`, height: "100%" });
    from += width;
    return bar;
  });
  const legend = states.map((state) =>
    element(
      "li",
      {},
      swatch(stateClass(state.name)),
      element("span", { class: "name" }, capital(word(state.name))),
      element("strong", {}, count(state.count)),
      element("span", { class: "muted" }, share(state.count, total)),
    ),
  );
  return [drawn("svg", { class: "stack", "aria-hidden": "true" }, ...bars), element("ul", { class: "legend" }, ...legend)];
}

/** Returns a bar for each category that was found; each is a button that filters the list. */
export function categoryChart(found, categories, choose) {
  if (found.length === 0) return [element("p", { class: "muted" }, text("Nothing was flagged."))];
  const most = Math.max(...found.map((entry) => entry.count));
  const bars = found.map((entry) => {
    const name = labelName(categories[entry.category]);
    const bar = drawn("rect", { class: `category-${entry.category}`, width: `${(100 * entry.count) / most}%`, height: "100%", rx: 2 });
    const labels = entry.labels.map(([label, videos], index) => [index ? ", " : "", shownLabel(label), ` ${count(videos)}`]).flat();
    const action = () => choose(entry.category);
    return element(
      "li",
      {},
      button(
        { class: "bar", "data-category": entry.category, "aria-pressed": "false" },
        action,
        element("span", { class: "name" }, name),
        drawn("svg", { "aria-hidden": "true" }, bar),
        element("span", { class: "number" }, count(entry.count), element("span", { class: "unseen" }, text(" {count:video|videos}", { count: entry.count }))),
      ),
      labels.length ? element("p", { class: "muted" }, ...labels) : null,
    );
  });
  return [element("ul", { class: "bars" }, ...bars)];
}

/** Returns a column for each step of confidence. */
export function confidenceChart(steps) {
  const most = Math.max(1, ...steps.map(([, videos]) => videos));
  const width = 100 / steps.length;
  const columns = steps.map(([from, videos], index) => {
    const height = (78 * videos) / most;
    const middle = `${(index + 0.5) * width}%`;
    return [
      drawn("rect", { class: "column", x: `${(index + 0.1) * width}%`, width: `${0.8 * width}%`, y: `${88 - height}%`, height: `${height}%` }),
      videos ? drawn("text", { x: middle, y: `${88 - height}%`, dy: -4 }, count(videos)) : null,
      from % 10 ? null : drawn("text", { class: "tick", x: `${index * width}%`, y: "88%", dy: 18, "text-anchor": index ? "middle" : "start" }, String(from)),
    ];
  });
  const found = steps.filter(([, videos]) => videos).map(([from, count]) => text("from {from} %: {count} {count:video|videos}", { from, count }));
  const list = found.join("; ") || text("none");
  return [
    drawn(
      "svg",
      { class: "columns", role: "img", "aria-label": text("Best confidence of each flagged video, {list}", { list }) },
      drawn("line", { class: "axis", x1: 0, x2: "100%", y1: "88%", y2: "88%" }),
      ...columns.flat(),
      drawn("text", { class: "tick", x: "100%", y: "88%", dy: 18, "text-anchor": "end" }, "100 %"),
    ),
  ];
}

/** Returns a strip that shows where in a video something was found: one path for each category, because fifty strips are drawn at once. */
export function strip(video) {
  const end = lengthOf(video);
  const paths = new Map();
  for (const segment of segmentsOf(video)) {
    const { category } = labelOf(segment.label);
    const from = Math.round((1000 * segment.from) / end);
    const width = Math.max(Math.round((1000 * (segment.to - segment.from)) / end), 8);
    paths.set(category, `${paths.get(category) ?? ""}M${Math.min(from, 1000 - width)} 0h${width}v10h-${width}z`);
  }
  const drawing = [...paths].map(([category, d]) => drawn("path", { class: `category-${category}`, d }));
  return drawn("svg", { class: "strip", viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" }, ...drawing);
}

export function swatch(name) {
  return element("span", { class: `swatch ${name}`, "aria-hidden": "true" });
}

function stateClass(name) {
  return `state-${name.replace(/[^a-z]+/g, "-")}`;
}

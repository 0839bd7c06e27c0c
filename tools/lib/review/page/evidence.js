// Pictures of the moments at which something was found. They are blurred and grey until a person lifts that.

import { DATA } from "./data.js";
import { DeskError, askFrames } from "./desk.js";
import { byId, control, element } from "./elements.js";
import { labelName, text } from "./language.js";
import { keepSetting, setting } from "./settings.js";
import { percent, timeCode } from "./text.js";
import { labelOf, segmentsOf } from "./videos.js";

/** What was asked of the server, by videos: one that was analysed again is another one. @type {WeakMap<Video, Promise<Frame[]>>} */
const ASKED = new WeakMap();
const MOST_ON_A_CARD = 4;

// A browser has six connections to a server. Pictures take two of them, as the server decodes two at once: films and decisions
// never wait behind pictures.
const PICTURES_AT_ONCE = 2;
/** Pictures that wait for their turn, those of the open video first. @type {{ image: HTMLImageElement, src: string }[]} */
let waiting = [];
let loading = 0;

/** Tells whether the page can show pictures at all. */
export function hasPictures() {
  return DATA.desk !== undefined || DATA.flagged.some((video) => video.evidence);
}

/**
 * Tells whether there may be pictures of a video: something was found in it, or it can be looked at all the same, if it is not empty.
 * @param {Video} video
 */
export function picturable(video) {
  return video.state !== "superseded" && (DATA.desk ? video.etag !== undefined && video.size !== 0 : (video.evidence ?? []).length > 0);
}

/**
 * Returns the pictures of a video.
 * @param {Video} video
 * @returns {Promise<Frame[]>}
 */
async function momentsOf(video) {
  if (video.evidence) return video.evidence.map(([at, src]) => ({ at, src, ...foundAt(video, at) }));
  if (!DATA.desk) return [];
  const asked = ASKED.get(video) ?? askFrames(video);
  ASKED.set(video, asked);
  // What was refused may be asked for again.
  asked.catch(() => ASKED.delete(video));
  return asked;
}

/** Returns the surest label at a moment. */
function foundAt(video, at) {
  const there = segmentsOf(video).filter((segment) => segment.from <= at && at <= segment.to);
  const [surest] = there.sort((a, b) => b.confidence - a.confidence);
  return surest ? { label: labelOf(surest.label).name, confidence: surest.confidence } : {};
}

/**
 * Returns an element that the pictures of a video come into; `look(at)` is called for the one that is chosen.
 * @param {Video} video
 * @param {((at: number) => void) | null} look
 */
export function pictures(video, look) {
  const strip = element("div", { class: "pictures", role: "group", "aria-label": text("Pictures") }, element("p", { class: "muted" }, text("Pictures are being read …")));
  momentsOf(video).then(
    (frames) => put(strip, frames.length ? frames.map((frame) => picture(frame, look)) : [element("p", { class: "muted" }, text("There is no moment to show."))], true),
    (error) => strip.replaceChildren(element("p", { class: "muted" }, error instanceof DeskError ? `${error.reason} ${error.cure}` : text("The desk does not answer."))),
  );
  return strip;
}

function picture(frame, look) {
  const image = evidence(frame);
  const caption = element("span", { class: "caption" }, timeCode(frame.at));
  if (look === null) return element("figure", { class: "picture" }, image, element("figcaption", {}, caption));
  const chosen = element("button", { type: "button", class: "picture", title: altOf(frame) }, image, caption);
  chosen.addEventListener("click", () => look(frame.at));
  return chosen;
}

function altOf({ at, label, confidence }) {
  const time = timeCode(at);
  if (label === undefined) return text("Picture at {time}", { time });
  return text("Picture at {time}: {label}, {percent}", { time, label: labelName(label), percent: percent(confidence ?? 0) });
}

function evidence(frame) {
  const image = element("img", { class: "evidence", alt: altOf(frame), decoding: "async" });
  if (frame.src.startsWith("data:")) image.src = frame.src;
  else image.dataset.src = frame.src;
  return image;
}

/** Loads pictures that wait; what is off the page by now is passed over. */
function loadNext() {
  waiting = waiting.filter(({ image }) => image.isConnected);
  while (loading < PICTURES_AT_ONCE && waiting.length) {
    const { image, src } = /** @type {{ image: HTMLImageElement, src: string }} */ (waiting.shift());
    loading += 1;
    const done = () => {
      loading -= 1;
      loadNext();
    };
    image.addEventListener("load", done, { once: true });
    image.addEventListener("error", done, { once: true });
    image.src = src;
  }
}

/** Puts pictures into the page, where they wait for their turn, before all others or after them. */
function put(place, nodes, first) {
  place.replaceChildren(...nodes);
  const images = /** @type {HTMLImageElement[]} */ ([...place.querySelectorAll("img[data-src]")]);
  const due = images.map((image) => ({ image, src: image.dataset.src ?? "" }));
  waiting = first ? [...due, ...waiting] : [...waiting, ...due];
  loadNext();
}

/**
 * Fills the card of a video with a few pictures once it is seen.
 * @param {Video} video
 * @param {Element} place
 */
export async function fillCard(video, place) {
  try {
    const frames = await momentsOf(video);
    const strongest = [...frames].sort((a, b) => (b.confidence ?? 0) - (a.confidence ?? 0)).slice(0, MOST_ON_A_CARD).sort((a, b) => a.at - b.at);
    put(place, strongest.length ? strongest.map(evidence) : [element("span", { class: "muted" }, text("There is no moment to show."))], false);
  } catch (error) {
    place.replaceChildren(element("span", { class: "muted" }, error instanceof DeskError ? error.reason : text("The desk does not answer.")));
  }
}

/** Makes the setting of the page work: blurred and grey unless this browser was told otherwise. */
export function listenToBlur() {
  const blurred = control("blur");
  const show = () => document.body.classList.toggle("clear", !blurred.checked);
  byId("blur-field").hidden = !hasPictures();
  blurred.checked = setting("blur", "on") === "on";
  blurred.addEventListener("change", () => {
    keepSetting("blur", blurred.checked ? "on" : "off");
    show();
  });
  show();
}

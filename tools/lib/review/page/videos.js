// What the page knows about a video: its labels, its segments, and whether a person decides about it.

import { visible } from "./characters.js";
import { DATA } from "./data.js";
import { uriOf } from "./fetching.js";
import { labelName } from "./language.js";

const SEGMENT_NUMBERS = 4;

/**
 * Returns the label that has this number in the data.
 * @param {number} number
 */
export function labelOf(number) {
  return DATA.labels[number];
}

/**
 * Returns the segments of a video, which come as one flat list of numbers. Drawn from `from` to `to`, a frame covers its whole interval.
 * @param {Described} video
 */
export function segmentsOf(video) {
  /** @type {Segment[]} */
  const segments = [];
  const half = 500 * (video.every ?? 0);
  const length = lengthOf(video);
  const numbers = video.segments ?? [];
  for (let at = 0; at < numbers.length; at += SEGMENT_NUMBERS) {
    const [label, start, end, confidence] = numbers.slice(at, at + SEGMENT_NUMBERS);
    segments.push({ label, start, end, confidence, from: Math.max(0, start - half), to: Math.min(end + half, length) });
  }
  return segments;
}

/**
 * Returns the surest segment of the labels that count, undefined where nothing was found.
 * @param {Video} video
 */
export function surestOf(video) {
  const counting = new Set(video.counting.map(([label]) => label));
  const segments = segmentsOf(video).sort((a, b) => b.confidence - a.confidence);
  return segments.find((segment) => counting.has(segment.label)) ?? segments[0];
}

/**
 * Returns how long a video is, for its timeline: at least to the end of its last segment.
 * @param {Described} video
 */
export function lengthOf(video) {
  let last = video.duration ?? 0;
  const numbers = video.segments ?? [];
  for (let at = 2; at < numbers.length; at += SEGMENT_NUMBERS) last = Math.max(last, numbers[at]);
  return Math.max(last, 1);
}

/**
 * Returns a video with what the list sorts, filters and shows; what counts is what flagged it, and nothing where it is not flagged, or is superseded.
 * @param {Described} video
 * @param {State} state
 * @returns {Video}
 */
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
    weight: counting.length ? weight(counting) : undefined,
    name: video.key.slice(cut) || video.key,
    prefix: video.key.slice(cut) ? video.key.slice(0, cut) : "",
    searched: `${visible(uriOf(video))} ${video.reason ?? ""}`.toLowerCase(),
  };
}

/**
 * Returns how bad a video is, for the order "worst first": for each label that counts, its confidence times its seconds (at least one)
 * times its severity, added up. The policy has no figure for severity, but an order: the label that it puts first (those that alert,
 * then by confidence) weighs 1, the second 1/2, the third 1/3.
 * @param {Summary[]} counting
 */
function weight(counting) {
  return counting.reduce((sum, [, confidence, milliseconds], place) => sum + (confidence * Math.max(milliseconds / 1000, 1)) / (place + 1), 0);
}

/**
 * Tells whether a person can decide about a video: what was superseded needs nothing, and a decision must name its content.
 * @param {Video} video
 */
export function decidable(video) {
  return Object.hasOwn(DATA.decided_words, video.state) && video.etag !== undefined;
}

/**
 * Tells whether a video is on the page to be decided about; what failed may be, and mostly needs a retry instead.
 * @param {Video} video
 */
export function awaitsDecision(video) {
  return video.state === "flagged" || video.state === "clean";
}

/**
 * Tells whether a label is another one, or below it.
 * @param {Label} label
 * @param {Label} ancestor
 */
export function isWithin(label, ancestor) {
  return label === ancestor || label.above.includes(ancestor.name);
}

/** The videos of the page, in the order of the data, and by their ids. */
export class Videos {
  /** @type {Video[]} */
  all = [];
  /** @type {Map<string, Video>} */
  #known = new Map();

  constructor() {
    this.take(DATA);
  }

  /**
   * Takes videos that are new or changed, and returns how many are new: also those that were analysed again, which are other objects
   * then. What a person looks at never turns into something unseen: a decision names the attempt and the content that it is about.
   * The same analysis of the same content may be superseded, and come back.
   * @param {Partial<Record<State, Described[]>>} data
   */
  take(data) {
    let fresh = 0;
    for (const state of /** @type {State[]} */ (["flagged", "clean", "failed", "ineligible", "superseded"])) {
      for (const described of data[state] ?? []) fresh += this.#put(prepared(described, state)) ? 1 : 0;
    }
    return fresh;
  }

  /**
   * Removes videos that are in no list any more.
   * @param {string[]} ids
   */
  remove(ids) {
    for (const id of ids) {
      const video = this.#known.get(id);
      this.#known.delete(id);
      if (video) this.all.splice(this.all.indexOf(video), 1);
    }
  }

  /** @param {string} id */
  find(id) {
    return this.#known.get(id);
  }

  /**
   * Puts a video in its place, and tells whether it is new.
   * @param {Video} video
   */
  #put(video) {
    const known = this.#known.get(video.id);
    const moved = known?.state !== video.state && known?.state !== "superseded" && video.state !== "superseded";
    if (known && !moved && known.attempt === video.attempt && known.etag === video.etag) {
      Object.assign(known, { recorded: undefined, reason: undefined, message: undefined, labels: undefined, segments: undefined, was: undefined }, video);
      return false;
    }
    this.#known.set(video.id, video);
    if (known) this.all[this.all.indexOf(known)] = video;
    else this.all.push(video);
    return true;
  }
}

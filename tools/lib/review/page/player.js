// The film itself, streamed by the desk's server. What the browser cannot decode is shown picture by picture, on the same timeline.

import { strip } from "./charts.js";
import { frameOf, mediaOf, refusal } from "./desk.js";
import { button, element, say } from "./elements.js";
import { text } from "./language.js";
import { timeCode } from "./text.js";
import { lengthOf, segmentsOf, surestOf } from "./videos.js";

const BEFORE_SECONDS = 2;
const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4];
// Films tell a browser's page nothing about their rate; at the usual ones a step is one frame, or less.
const FRAME_SECONDS = 1 / 30;
const PICTURE_STEP_SECONDS = 0.5;
// Times that a film is read anew where reading it failed: a browser calls what it could not fetch a wrong format, too.
const MOST_ANEW = 2;
// The status of a film that is another one now (HTTP 409).
const REPLACED = 409;
const GONE = { status: 0, reason: text("The desk does not answer."), cure: text("Start it again: review_report.py serve.") };

/** The player of one video: it plays, or shows pictures where the browser cannot. */
export class Player {
  /** @type {Video} */
  #video;
  #film = element("video", { class: "evidence", preload: "metadata", playsinline: true });
  /** @type {HTMLImageElement | null} */
  #picture = null;
  /** Seconds; what a picture shows, as it has no clock, and where a film stood that is read anew. */
  #at = 0;
  /** @type {Segment[]} */
  #segments;
  /** @type {Segment | null} */
  #looping = null;
  #anew = 0;
  #stage;
  #seek;
  #clock = element("span", { class: "clock number" });
  #buttons;
  /** @type {HTMLElement} */
  element;

  /** @param {Video} video */
  constructor(video) {
    this.#video = video;
    this.#segments = segmentsOf(video).sort((a, b) => a.start - b.start);
    this.#stage = element("div", { class: "stage" }, this.#film);
    this.#seek = element("input", { type: "range", class: "seek", min: 0, max: lengthOf(video), step: 100, value: 0, "aria-label": text("Position") });
    this.#buttons = {
      play: button({ "aria-keyshortcuts": "p" }, () => this.play(), text("Play")),
      loop: button({ "aria-keyshortcuts": "l", "aria-pressed": "false" }, () => this.loop(), text("Loop")),
      sound: button({ "aria-keyshortcuts": "m", "aria-pressed": "false" }, () => this.sound(), text("Sound")),
      speed: button({ "aria-keyshortcuts": "+" }, () => this.speed(1, true), text("Speed {speed}", { speed: "1" })),
    };
    this.element = element("section", { class: "player", "aria-label": text("Player") }, this.#stage, element("div", { class: "position" }, strip(video), this.#seek), this.#controls());
    this.#listen();
    this.#film.muted = true;
    this.#film.src = mediaOf(video);
    this.#show();
    // An image has no time.
    if (video.every === 0) this.#showPictures();
  }

  /** Shows a moment (ms), and plays from there; a segment from two seconds before. */
  look(at) {
    this.#go(at / 1000);
  }

  /** @param {Segment} segment */
  jump(segment) {
    if (this.#looping) this.#looping = segment;
    this.#go(Math.max(0, segment.start / 1000 - (this.#picture ? 0 : BEFORE_SECONDS)));
    if (!this.#picture) this.#film.play().catch(() => {});
  }

  /** Jumps to the next segment, or the one before. */
  next(by) {
    const at = 1000 * this.#now;
    // Two seconds before a segment is where a jump to it leads.
    const lead = this.#picture ? 0 : 1000 * BEFORE_SECONDS;
    const starts = this.#segments.map((segment) => Math.max(0, segment.start - lead));
    const place = by > 0 ? starts.findIndex((start) => start > at + 500) : starts.findLastIndex((start) => start < at - 1_500);
    if (place >= 0) this.jump(this.#segments[place]);
    else say(by > 0 ? text("No segment comes after this moment.") : text("No segment comes before this moment."));
  }

  play() {
    if (this.#picture) return;
    if (this.#film.paused) this.#film.play().catch(() => {});
    else this.#film.pause();
  }

  /** Repeats the segment at which the film stands, or the next one. */
  loop() {
    const at = 1000 * this.#now;
    this.#looping = this.#looping ? null : (this.#segments.find((segment) => segment.end >= at) ?? this.#segments[0] ?? null);
    this.#buttons.loop.setAttribute("aria-pressed", String(this.#looping !== null));
    if (this.#looping) this.jump(this.#looping);
  }

  speed(by, around = false) {
    const place = SPEEDS.indexOf(this.#film.playbackRate) + by;
    const speed = SPEEDS[around ? place % SPEEDS.length : Math.min(Math.max(place, 0), SPEEDS.length - 1)];
    this.#film.playbackRate = speed;
    this.#buttons.speed.textContent = text("Speed {speed}", { speed: String(speed) });
  }

  sound() {
    this.#film.muted = !this.#film.muted;
    this.#buttons.sound.setAttribute("aria-pressed", String(!this.#film.muted));
  }

  /** Goes one frame on or back. */
  step(by) {
    this.#film.pause();
    this.#go(this.#now + by * (this.#picture ? PICTURE_STEP_SECONDS : FRAME_SECONDS));
  }

  /** Ends the stream. */
  close() {
    this.#film.pause();
    this.#film.removeAttribute("src");
    this.#film.load();
  }

  get #now() {
    return this.#picture ? this.#at : this.#film.currentTime;
  }

  #go(seconds) {
    const at = Math.min(Math.max(seconds, 0), lengthOf(this.#video) / 1000);
    if (this.#picture) {
      this.#at = at;
      this.#picture.src = frameOf(this.#video, 1000 * at);
      this.#picture.alt = text("Picture at {time}", { time: timeCode(1000 * at) });
    } else this.#film.currentTime = at;
    this.#show();
  }

  #show() {
    const at = 1000 * this.#now;
    this.#seek.value = String(at);
    this.#seek.setAttribute("aria-valuetext", timeCode(at));
    this.#clock.textContent = `${timeCode(at)} / ${timeCode(lengthOf(this.#video))}`;
    this.#buttons.play.textContent = this.#film.paused ? text("Play") : text("Pause");
  }

  #controls() {
    const { play, loop, sound, speed } = this.#buttons;
    const before = button({ "aria-keyshortcuts": "[" }, () => this.next(-1), text("Segment before"));
    const after = button({ "aria-keyshortcuts": "]" }, () => this.next(1), text("Next segment"));
    const back = button({ "aria-keyshortcuts": "," }, () => this.step(-1), text("Frame back"));
    const on = button({ "aria-keyshortcuts": "." }, () => this.step(1), text("Frame on"));
    return element("div", { class: "controls" }, play, before, after, back, on, loop, speed, sound, this.#clock);
  }

  #listen() {
    const film = this.#film;
    film.addEventListener("error", () => this.#failed());
    film.addEventListener("loadedmetadata", () => this.#begin());
    film.addEventListener("timeupdate", () => this.#played());
    film.addEventListener("ended", () => this.#looping && this.jump(this.#looping));
    for (const event of ["play", "pause", "seeked"]) film.addEventListener(event, () => this.#show());
    this.#seek.addEventListener("input", () => this.#go(Number(this.#seek.value) / 1000));
  }

  /** Shows where the surest segment is, before anything plays; a film that is read anew, where it stood. */
  #begin() {
    const surest = surestOf(this.#video);
    if (this.#at > 0) this.#go(this.#at);
    else if (this.#film.currentTime === 0 && surest) this.#go(surest.start / 1000);
    this.#show();
  }

  #played() {
    if (this.#looping && 1000 * this.#film.currentTime > this.#looping.end + 1_000) this.jump(this.#looping);
    this.#show();
  }

  /**
   * The film was replaced, or the server is gone: that is said. What was only cut off is read anew. Else the browser cannot decode it,
   * which it says at once of a film that it had begun to decode.
   */
  async #failed() {
    if (!this.#film.hasAttribute("src") || this.#picture) return;
    const undecodable = this.#film.error?.code === MediaError.MEDIA_ERR_DECODE;
    try {
      const answer = await fetch(mediaOf(this.#video), { headers: { Range: "bytes=0-0" } });
      if (!answer.ok) this.#refused(await refusal(answer));
      else if (undecodable || this.#anew >= MOST_ANEW) this.#showPictures();
      else this.#readAnew();
    } catch {
      this.#refused(GONE);
    }
  }

  /** Reads the film again from where it stands, and plays on if it played. */
  #readAnew() {
    this.#anew += 1;
    this.#at = this.#film.currentTime || this.#at;
    const played = !this.#film.paused;
    this.#film.load();
    if (played) this.#film.play().catch(() => {});
  }

  #showPictures() {
    const picture = element("img", { class: "evidence", alt: "" });
    picture.addEventListener("error", async () => {
      const answer = await fetch(picture.src).catch(() => null);
      if (answer === null) this.#refused(GONE);
      else if (!answer.ok) this.#refused(await refusal(answer));
    });
    this.#picture = picture;
    this.close();
    const note = this.#video.every === 0 ? null : element("p", { class: "muted" }, text("This browser cannot decode the film: its pictures are read one by one."));
    this.#stage.replaceChildren(picture, ...(note ? [note] : []));
    const { play, loop, sound, speed } = this.#buttons;
    for (const each of [play, loop, sound, speed]) each.disabled = true;
    const surest = surestOf(this.#video);
    this.#go((surest?.start ?? 0) / 1000);
  }

  /** Says why nothing is shown. What was replaced stays so; anything else may be over by now. */
  #refused({ status, reason, cure }) {
    const again = status === REPLACED ? null : button({}, () => this.#tryAgain(), text("Try again"));
    this.#stage.replaceChildren(element("p", { class: "notice", role: "alert" }, `${reason} ${cure}`), ...(again ? [again] : []));
    this.#disable(true);
  }

  #tryAgain() {
    this.#disable(false);
    this.#stage.replaceChildren(this.#picture ?? this.#film);
    this.#anew = 0;
    if (this.#picture) this.#showPictures();
    else this.#readAnew();
  }

  #disable(disabled) {
    for (const each of this.element.querySelectorAll(".controls button, .seek")) each.toggleAttribute("disabled", disabled);
  }
}

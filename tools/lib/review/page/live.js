// What changes while the desk is open: verdicts of a running scan, and decisions of others.

import { visible } from "./characters.js";
import { DATA } from "./data.js";
import { DeskError, askChanges } from "./desk.js";
import { byId, element } from "./elements.js";
import { text, word } from "./language.js";
import { moment } from "./text.js";

/** Asks the server for changes again and again, and hands them on. */
export class Live {
  #number = DATA.desk?.number ?? 0;
  /** @type {(changes: Changes) => void} */
  #take;

  /** @param {(changes: Changes) => void} take */
  constructor(take) {
    this.#take = take;
  }

  /** Asks once, and again after a while. */
  async start() {
    await this.ask();
    setTimeout(() => this.start(), 1000 * (DATA.desk?.poll_s ?? 5));
  }

  async ask() {
    const place = byId("live");
    try {
      const changes = await askChanges(this.#number);
      this.#number = changes.number;
      this.#take(changes);
      const status = word(changes.status ?? DATA.scan.status);
      place.replaceChildren(text("Live: the scan is {status}; decisions are written at once.", { status }));
      place.classList.remove("refused");
    } catch (error) {
      const message = error instanceof DeskError ? `${error.reason} ${error.cure}` : text("The desk does not answer. Start it again: review_report.py serve.");
      // Only when it changes: it is read out.
      if (place.textContent !== message) place.replaceChildren(message);
      place.classList.add("refused");
    }
  }
}

/**
 * Returns what tells a scan from others.
 * @param {ListedScan} scan
 */
function nameOf({ id, day, created_at, status, ...scan }) {
  const bucket = visible(scan.bucket);
  const name = day ? text("Uploads of {day} to {bucket}", { day, bucket }) : `${text("Scan of {bucket}", { bucket })}, ${moment(created_at)}`;
  return `${name} (${word(status)}, ${id})`;
}

/** Lets the person choose another scan of the desk. */
export function showScans() {
  const desk = DATA.desk;
  if (!desk || desk.scans.length < 2) return;
  const choice = byId("scan");
  choice.append(...desk.scans.map((scan) => element("option", { value: scan.id, selected: scan.id === desk.scan }, nameOf(scan))));
  choice.addEventListener("change", (event) => location.assign(`/?scan=${encodeURIComponent(/** @type {HTMLSelectElement} */ (event.target).value)}`));
  byId("scan-field").hidden = false;
}

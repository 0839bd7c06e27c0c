// What a person sets for this browser: how the list looks, and whether pictures are blurred.

import { browserStorage } from "./decisions.js";

const PREFIX = "video-moderation/settings/";

/**
 * Returns a setting, or its default where the browser keeps none.
 * @param {string} name
 * @param {string} otherwise
 */
export function setting(name, otherwise) {
  try {
    return browserStorage()?.getItem(PREFIX + name) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/**
 * Keeps a setting, where the browser lets the page.
 * @param {string} name
 * @param {string} value
 */
export function keepSetting(name, value) {
  try {
    browserStorage()?.setItem(PREFIX + name, value);
  } catch {
    // It holds until the page is closed.
  }
}

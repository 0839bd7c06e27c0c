// What the page was made of. `desk` is there where the page is served by `review_report.py serve`, and not in a file.

/** @type {PageData} */
export const DATA = JSON.parse(/** @type {HTMLElement} */ (document.getElementById("data")).textContent ?? "");

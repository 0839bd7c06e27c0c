// Decisions about all videos that the filters leave. First it is shown what they will do.

import { shown } from "./characters.js";
import { byId, control, dialog, element } from "./elements.js";
import { text } from "./language.js";
import { decidable } from "./videos.js";

const MOST_NAMED = 100;

/**
 * Asks for one decision about a group of videos, and shows before what it will do: who is decided about already stays as it is.
 * @param {Video[]} videos
 * @param {DecisionStore} decisions
 * @param {(changes: Change[]) => void} decide
 */
export function askGroup(videos, decisions, decide) {
  const open = videos.filter((video) => decidable(video) && decisions.current(video) === null);
  const decided = videos.filter((video) => decidable(video) && decisions.current(video) !== null).length;
  const others = videos.length - open.length - decided;
  const facts = [
    text("{count} {count:video|videos} without a decision will get it.", { count: open.length }),
    decided ? text("{count} {count:video is|videos are} decided already and {count:stays|stay} as {count:it is|they are}.", { count: decided }) : null,
    others ? text("About {count} {count:video|videos} no decision can be taken.", { count: others }) : null,
  ];
  byId("group-facts").textContent = facts.filter(Boolean).join(" ");
  const named = open.slice(0, MOST_NAMED).map((video) => element("li", {}, shown(video.key)));
  const more = open.length - named.length;
  byId("group-videos").replaceChildren(...named, ...(more > 0 ? [element("li", { class: "muted" }, text("and {count} more", { count: more }))] : []));
  const note = control("group-note");
  note.value = "";
  for (const decision of /** @type {const} */ (["confirmed", "false-alarm"])) {
    const choice = control(`group-${decision}`);
    choice.disabled = open.length === 0;
    choice.onclick = () => {
      dialog("group-dialog").close();
      // What another person decided about while the dialog was open stays as it is.
      const left = open.filter((video) => decisions.current(video) === null);
      decide(left.map((video) => ({ video, decision, note: note.value || decisions.of(video).note })));
    };
  }
  dialog("group-dialog").showModal();
}

// What was done, step by step, so that each step can be taken back.


/** Steps of decisions; a step holds what was held about each of its videos before. */
export class Undo {
  /** @type {Change[][]} */
  #steps = [];

  /**
   * Notes a step: the changes that lead back.
   * @param {Change[]} back
   */
  note(back) {
    if (back.length) this.#steps.push(back);
  }

  /** Returns the changes that lead back from the last step, which is forgotten; null where none is left. */
  last() {
    return this.#steps.pop() ?? null;
  }

  get empty() {
    return this.#steps.length === 0;
  }

  /**
   * Forgets a video: another person decided since, or it is another one now.
   * @param {Video} video
   */
  forget(video) {
    this.#keep((change) => change.video !== video);
  }

  /**
   * Forgets changes of a step that lead back from what was not written; earlier steps can still be taken back.
   * @param {Change[]} back
   */
  drop(back) {
    const dropped = new Set(back);
    this.#keep((change) => !dropped.has(change));
  }

  /** @param {(change: Change) => boolean} kept */
  #keep(kept) {
    this.#steps = this.#steps.map((step) => step.filter(kept)).filter((step) => step.length);
  }
}

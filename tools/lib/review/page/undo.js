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
   * Forgets a video: what was done about it was not written, or another person decided since.
   * @param {Video} video
   */
  forget(video) {
    this.#steps = this.#steps.map((step) => step.filter((change) => change.video !== video)).filter((step) => step.length);
  }
}

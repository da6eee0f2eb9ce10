/** A map that stays small: beyond `most` entries the one that came first goes. */
export class Newest extends Map {
  #most;

  constructor(most) {
    super();
    this.#most = most;
  }

  set(key, value) {
    if (!this.has(key) && this.size >= this.#most) this.delete(this.keys().next().value);
    return super.set(key, value);
  }
}

// The sidebar as an expert writes it by hand: a Map of rows as JSON.parse made them, listed once a frame.

const isOver = (status) => status !== 'queued' && status !== 'streaming';

export class ActiveMap {
  #rows = new Map();
  #view = [];
  #isStale = false;

  apply(row) {
    const old = this.#rows.get(row.sessionId);
    if (old ? row.updatedAt <= old.updatedAt : isOver(row.status)) return;
    if (!isOver(row.status)) this.#rows.set(row.sessionId, row);
    else if (row.runId === old.runId) this.#rows.delete(row.sessionId);
    else return;
    this.#isStale = true;
  }

  snapshot() {
    if (this.#isStale) {
      this.#view = Array.from(this.#rows.values());
      this.#isStale = false;
    }
    return { runs: this.#view };
  }
}

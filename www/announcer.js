// What a screen reader is told: that an answer began, that the connection is in trouble or back, how it ended. Never the text
// as it arrives. A state that lasts less than a moment is not worth a sentence.
import { setText } from './dom.js';
import { isLive } from './turn.js';

const SETTLE_MS = 900;

const sentence = ({ status, connection, text, error }) => {
  if (!isLive({ status })) {
    if (status === 'completed') return `The answer is complete: ${text.split(/\s+/).length} words.`;
    if (status === 'cancelled') return 'The answer was stopped.';
    return error?.message ?? 'The answer was interrupted.';
  }
  if (connection.state === 'offline') return 'You are offline. The answer will go on.';
  if (connection.state === 'reconnecting') return 'Connection lost. Reconnecting.';
  return 'The answer is being written.';
};

export class Announcer {
  #region;
  #timer = 0;
  #pending = null;

  constructor(region) {
    this.#region = region;
  }

  hear(snapshot) {
    // Only what changes the sentence starts the wait anew.
    const key = `${snapshot.status === 'pending' ? 'streaming' : snapshot.status} ${snapshot.connection.state}`;
    if (key === this.#pending?.key) {
      this.#pending.snapshot = snapshot;
      return;
    }
    this.#pending = { key, snapshot };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.say(sentence(this.#pending.snapshot)), SETTLE_MS);
  }

  say(words) {
    setText(this.#region, words);
  }

  /** Another session: what was pending is about something no longer on the screen. */
  forget() {
    clearTimeout(this.#timer);
    this.#pending = null;
  }
}

// The page's own signs of life on a WebSocket, since no page can send a ping. What silence means is the engine's decision: here
// it is only broken. A message is sent where nothing was heard for so long.
import { Alarm } from '../browser/alarm.js';

const clock = () => performance.now();

export class Heartbeat {
  #options;
  #send;
  #due = Infinity;
  #alarm = new Alarm(() => this.#look());

  /** `options`: { message, intervalMs }; a function is asked for each message. */
  constructor(options, send) {
    this.#options = options;
    this.#send = send;
  }

  /** Something was heard, or the socket is open. */
  restart() {
    const now = clock();
    this.#due = now + this.#options.intervalMs;
    this.#alarm.set(this.#due, now);
  }

  stop() {
    this.#due = Infinity;
    this.#alarm.clear();
  }

  #look() {
    if (clock() < this.#due) {
      this.#alarm.set(this.#due, clock());
      return;
    }
    this.restart();
    const { message } = this.#options;
    this.#send(typeof message === 'function' ? message() : message);
  }
}

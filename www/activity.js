// One line above the composer: what the answer is doing right now, or what it waits for. It stands still while the text grows.
import { setText } from './dom.js';
import { isLive } from './turn.js';

const doing = ({ status, parts }) => {
  if (status === 'waiting') return 'Waiting for your answer';
  const last = parts.at(-1);
  const running = parts.findLast((part) => part.type === 'tool' && part.state === 'running');
  if (running) return `Using ${running.name}`;
  if (last === undefined) return 'Waiting for the first word';
  return last.type === 'reasoning' ? 'Thinking' : 'Writing';
};

// A stream that says nothing for longer than this is told of, with the seconds: the connection may be open and dead.
const QUIET_MS = 3000;

const describe = (snapshot, isUnsent) => {
  switch (snapshot.connection.state) {
    case 'offline':
      return ['warn', isUnsent
        ? 'You are offline. Your message goes out when the network is back.'
        : 'You are offline. The answer goes on when the network is back.'];
    case 'reconnecting':
      if (isUnsent) return ['warn', 'No connection yet. Your message goes out by itself.'];
      return ['warn', snapshot.parts.length > 0
        ? 'Connection lost. The answer goes on from here.'
        : 'No connection yet. Trying again.'];
    default: {
      const quiet = snapshot.updatedAt ? Date.now() - snapshot.updatedAt : 0;
      return ['live', quiet < QUIET_MS ? doing(snapshot) : `${doing(snapshot)} · quiet for ${Math.floor(quiet / 1000)} s`];
    }
  }
};

export class Activity {
  #element;
  #words;
  #snapshot = null;
  #isUnsent = false;
  #timer = 0;

  constructor(element) {
    this.#element = element;
    this.#words = element.querySelector('span');
  }

  /** `isUnsent`: the server may not have the question yet. */
  show(snapshot, isUnsent) {
    this.#snapshot = snapshot;
    this.#isUnsent = isUnsent;
    const isShown = snapshot !== null && isLive(snapshot);
    if (this.#element.dataset.live !== String(isShown)) {
      this.#element.dataset.live = isShown;
      clearInterval(this.#timer);
      if (isShown) this.#timer = setInterval(() => this.#tell(), 1000);
    }
    if (isShown) this.#tell();
  }

  #tell() {
    const [mood, words] = describe(this.#snapshot, this.#isUnsent);
    if (this.#element.dataset.mood !== mood) this.#element.dataset.mood = mood;
    setText(this.#words, words);
  }
}

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

const describe = (snapshot) => {
  switch (snapshot.connection.state) {
    case 'offline':
      return ['warn', 'You are offline. The answer goes on when the network is back.'];
    case 'reconnecting':
      return ['warn', snapshot.parts.length > 0 ? 'Connection lost. The answer goes on from here.' : 'No connection yet. Trying again.'];
    default:
      return ['live', doing(snapshot)];
  }
};

export class Activity {
  #element;
  #words;

  constructor(element) {
    this.#element = element;
    this.#words = element.querySelector('span');
  }

  show(snapshot) {
    const isShown = snapshot !== null && isLive(snapshot);
    if (this.#element.dataset.live !== String(isShown)) this.#element.dataset.live = isShown;
    if (!isShown) return;
    const [mood, words] = describe(snapshot);
    if (this.#element.dataset.mood !== mood) this.#element.dataset.mood = mood;
    setText(this.#words, words);
  }
}

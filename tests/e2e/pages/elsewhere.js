// One of several tabs with the same chat: its messages and its run are on screen, and everything that they have shown is noted. The
// tests drive it through `window.tab`.
import { RunClient } from '/pkg/index.js';

const errors = [];
addEventListener('error', ({ message }) => errors.push(message));
addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)));

window.tab = {
  /** Whatever a reader must not see: an item twice, or one that was there and is gone. */
  faults: [],

  /** `has`: what of the chat is on screen. `load`: there is no history at this server. */
  open({ options, sessionId, has = ['messages', 'run'], load = false }) {
    this.client = new RunClient({ shareAcrossTabs: true, retry: { baseMs: 5, capMs: 100 }, ...options });
    this.sessionId = sessionId;
    if (has.includes('messages')) {
      this.messages = this.client.messages(sessionId, load ? { load: () => this.load() } : undefined);
      this.messages.subscribe((snapshot) => this.look(snapshot), { notify: 'sync' });
    }
    if (has.includes('run')) {
      this.run = this.client.run({ sessionId });
      this.run.subscribe(() => {});
    }
    if (has.includes('sidebar')) {
      this.sidebar = this.client.activeRuns();
      this.sidebar.subscribe(() => {});
    }
  },

  get isReady() {
    return this.messages?.getSnapshot().status !== 'loading' && this.run?.getSnapshot().status !== 'idle' && this.sidebar?.ready !== false;
  },

  load() {
    this.loads = (this.loads ?? 0) + 1;
    return { items: [], next: null };
  },

  /** Gives what went wrong, and is as new. */
  close() {
    this.client.close();
    const report = [errors.splice(0), this.faults.splice(0)];
    for (const name of ['messages', 'run', 'sidebar', 'seen', 'mayGo', 'loads']) delete this[name];
    return report;
  },

  look({ items }) {
    const keys = items.map(({ key }) => key);
    if (new Set(keys).size < keys.length) this.faults.push(`twice: ${keys}`);
    const says = items.map(({ value, send }) => value?.content ?? send?.message).filter((text) => text !== undefined);
    if (new Set(says).size < says.length) this.faults.push(`said twice: ${says}`);
    for (const key of this.seen ?? []) if (!keys.includes(key) && !this.mayGo) this.faults.push(`gone: ${key}`);
    this.seen = keys;
  },

  /** What is on screen. */
  items() {
    return this.messages.getSnapshot().items.map(({ key, id, value, run, send }) => ({
      key, isStored: id !== null, says: value?.content ?? send?.message ?? run?.getSnapshot().text, send: send?.status ?? null,
    }));
  },

  lines() {
    return this.items().map(({ says, send, isStored }) => (send ? `${says} ${send}` : isStored ? 'stored' : 'answer')).join(', ');
  },

  view() {
    const { status, text, runId } = this.run.getSnapshot();
    return { status, text, runId };
  },

  send(text, options) {
    return this.client.send(this.sessionId, text, options).getSnapshot().requestId;
  },

  outbox() {
    return this.client.outbox.getSnapshot().messages.map(({ message, status }) => `${message} ${status}`);
  },

  /** The codes with which a message of another tab refuses. */
  press() {
    const { send } = this.messages.getSnapshot().items.find((item) => item.send);
    return ['retry', 'discard'].map((verb) => {
      try {
        send[verb]();
        return null;
      } catch ({ code }) {
        return code;
      }
    });
  },
};

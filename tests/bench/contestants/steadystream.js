import { RunClient, createRunCore } from '../../../pkg/index.js';
import { answerWith } from '../lib/body.js';

const held = new RunClient({ baseUrl: '/held', protocol: 'bichat' });

export default {
  name: 'steadystream',
  role: 'ours',
  protocols: ['bichat', 'ui-message'],

  open(protocol) {
    const core = createRunCore({ protocol });
    return {
      push: (bytes) => core.push(bytes),
      snapshot: () => core.snapshot(),
      close: () => core.free(),
    };
  },

  /** The whole client, with somebody who looks once a frame. */
  async fetchRun(url) {
    const client = new RunClient({ baseUrl: url, protocol: 'bichat' });
    const run = client.open({ sessionId: 's-1', runId: 'r-1' });
    run.subscribe(() => {});
    await run.finished;
    const state = run.getSnapshot();
    client.close();
    return state;
  },

  /** A run of the client that nobody watches. */
  async hold(next) {
    globalThis.fetch = answerWith(next);
    const run = held.open({ sessionId: crypto.randomUUID(), runId: 'r-1' });
    await run.finished;
    return run.getSnapshot();
  },
};

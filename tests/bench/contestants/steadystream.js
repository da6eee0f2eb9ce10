import { RunClient, createRunCore } from '../../../pkg/index.js';

export default {
  name: 'steadystream',
  title: 'steadystream (createRunCore)',
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
};

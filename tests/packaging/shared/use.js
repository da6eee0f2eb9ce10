// What every consumer does with the package. What comes out has been through the wasm; the runner compares it.
import { RunClient, createRunCore, splitIntoTextBlocks } from './library.js';
import { EVENTS } from './events.js';

function feedCore() {
  const core = createRunCore();
  core.push(new TextEncoder().encode(EVENTS.join('')));
  const { status, text } = core.snapshot();
  core.free();
  return { status, text };
}

/** `feed`: the address of a server whose stream breaks once, in the middle. */
async function readRun(feed) {
  const client = new RunClient({ baseUrl: feed, retry: { baseMs: 1, capMs: 1 } });
  const { status, text } = await client.open({ sessionId: crypto.randomUUID(), runId: 'r' }).finished;
  client.close();
  return { status, text };
}

const cut = () => splitIntoTextBlocks('née 🙂 née', [3, 6]).map(({ text }) => text);

export const use = async (feed) => ({ core: feedCore(), run: await readRun(feed), blocks: cut() });

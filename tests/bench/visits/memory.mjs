// What a page keeps of runs that nobody watches: 100 of them with 1 MiB of text each, all under way. JS heap, buffers and wasm
// memory, over the bytes that the transcripts hold.
import * as bichat from '../lib/truth.js';
import * as uiMessage from '../lib/ui-truth.js';
import { createUiRun } from '../lib/ui-wire.js';
import { createRun } from '../lib/wire.js';

const TEXT = 1 << 20;
const CHUNK = 65536;
const PROTOCOLS = {
  bichat: { ...bichat, create: createRun },
  'ui-message': { ...uiMessage, create: createUiRun },
};

/** How many bytes of strings a value holds. */
const bytesOf = (value) => {
  if (typeof value === 'string') return Buffer.byteLength(value);
  return typeof value === 'object' && value !== null ? Object.values(value).reduce((sum, it) => sum + bytesOf(it), 0) : 0;
};
// The text is there twice in what must be right: whole, and in parts.
const heldBy = ({ text, parts, ...rest }) => bytesOf(parts ?? { text, ...rest });

/** A run of about a MiB of text, and how much all of it comes to. */
const createLarge = ({ create }) => {
  const sample = 20_000;
  const events = Math.round(sample * TEXT / Buffer.byteLength(create({ events: sample }).truth.text));
  const { bytes, ends, truth } = create({ events });
  return { events, truth, held: heldBy(truth), tail: bytes.length - ends[events - 2] };
};

const measureHeap = async (page, cdp) => {
  for (let i = 0; i < 3; i++) await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = await cdp.send('Runtime.getHeapUsage');
  const wasm = await page.evaluate(() => globalThis.wasmMemories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0));
  return { heap: usedSize + embedderHeapUsedSize, buffers: backingStorageSize, wasm };
};

/** Runs in the page, before all else: nobody tells how large a wasm memory is, so whoever has one is noticed. */
const noticeMemories = () => {
  globalThis.wasmMemories = [];
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    constructor(...given) {
      super(...given);
      for (const it of Object.values(this.exports)) if (it instanceof WebAssembly.Memory) globalThis.wasmMemories.push(it);
    }
  };
};

const hold = async ({ script, job }) => {
  const { contestant, holdRuns } = await import(script);
  globalThis.held = await holdRuns(contestant, job);
};
const finish = async () => (await globalThis.held.finish())
  .map(({ status, text, parts, blocks }) => JSON.parse(JSON.stringify({ status, text, parts, blocks })));

const measureOne = (browser, { script, protocol, runs, large }) => browser.withEmptyPage(async (page) => {
  await page.evaluate(noticeMemories);
  const cdp = await page.context().newCDPSession(page);
  const before = await measureHeap(page, cdp);
  const { events, tail, truth } = large;
  const job = { url: `/runs/${protocol}/${events}`, runs, chunk: CHUNK, tail };
  await page.evaluate(hold, { script, job });
  const after = await measureHeap(page, cdp);
  const { summarize, hash } = PROTOCOLS[protocol];
  for (const state of await page.evaluate(finish)) {
    const got = summarize(state);
    if (await hash(got) !== await hash(truth)) throw new Error(bichat.difference(got, truth));
  }
  return Object.fromEntries(Object.keys(after).map((kind) => [kind, after[kind] - before[kind]]));
});

export const memory = {
  name: 'memory',
  // What JavaScript keeps of a run does not depend on how many there are; the time that it takes does.
  cases: ({ quick }) => [{ runs: 100, othersRuns: quick ? 1 : 3 }],

  async measure({ runs, othersRuns }, browser) {
    const results = [];
    const large = new Map();
    for (const { script, name, title, role, protocols, can } of await browser.contestants()) {
      if (!can.includes('hold')) continue;
      const protocol = protocols[0];
      if (!large.has(protocol)) large.set(protocol, createLarge(PROTOCOLS[protocol]));
      const count = role === 'ours' ? runs : othersRuns;
      const result = { name, title, role, runs: count, held: large.get(protocol).held * count };
      try {
        Object.assign(result, await measureOne(browser, { script, protocol, runs: count, large: large.get(protocol) }));
      } catch (error) {
        result.wrong = `${error?.message ?? error}`;
      }
      results.push(result);
    }
    return { results };
  },
};

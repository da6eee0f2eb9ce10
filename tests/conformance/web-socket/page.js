// Runs cases in the page, several at a time. The lanes differ in the port they speak to: a browser makes one handshake at a
// time with each, so a case whose handshake hangs must not hold up another.

import { Channel } from './channel.js';
import { T } from './t.js';
import { uncaught } from './uncaught.js';

/** A case that is still waiting then has failed. */
const LIMIT_MS = 6000;

const limit = () => new Promise((_, reject) => { setTimeout(() => reject(new Error(`not over after ${LIMIT_MS} ms`)), LIMIT_MS); });

async function runOne({ id, run }, context) {
  const t = new T({ ...context, id });
  const begun = performance.now();
  const verdict = (error) => ({ id, error, ms: Math.round(performance.now() - begun) });
  try {
    await Promise.race([run(t), limit()]);
    return verdict(null);
  } catch (error) {
    return verdict(`${error?.message ?? error}${t.story()}`);
  } finally {
    t.end();
  }
}

/** The class under test, and what is given to its constructor behind the URL and the protocols. */
async function load({ module, name, options }) {
  const Class = module ? (await import(module))[name] : globalThis[name];
  if (!Class) throw new Error(`no class ${name} in ${module ?? 'the page'}`);
  return { Class, options };
}

/** Runs the cases of a list whose ids are given; in the order of the list, save that slow ones come first. */
globalThis.runCases = async ({ list, ids, target, lanes }) => {
  const { cases } = await import(list);
  const channel = await Channel.open();
  const { Class, options } = await load(target);
  const wanted = new Set(ids);
  const queue = cases.filter(({ id }) => wanted.has(id)).sort((a, b) => Boolean(b.isSlow) - Boolean(a.isSlow));
  const results = [];
  await Promise.all(lanes.map(async (port) => {
    for (let next = queue.shift(); next; next = queue.shift()) results.push(await runOne(next, { Class, options, channel, port }));
  }));
  return { results, uncaught };
};

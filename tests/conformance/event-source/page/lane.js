// Runs this page's share of the cases, as many at a time as the browser has connections for one host.

import { Failure } from './assertions.js';
import { Toolbox, strays } from './toolbox.js';

const CONNECTIONS = 6;

const loadClass = async ({ name, module }) => (module ? await import(module) : window)[name];

const whatItSays = (error) => (error instanceof Failure ? error.message : String(error.stack ?? error));

async function runCase(each, EventSource, { run, otherPort, limitMs }) {
  const t = new Toolbox(EventSource, `${run}.${each.id}`, otherPort);
  let timer;
  const tooLate = new Promise((resolve) => {
    timer = setTimeout(() => {
      const awaited = t.awaited ? `, waiting for ${t.awaited}` : '';
      resolve(`not over after ${limitMs} ms${awaited}; seen: ${JSON.stringify(t.lines).slice(0, 400)}`);
    }, limitMs);
  });
  const work = Promise.resolve(t).then(each.run).then(() => null, whatItSays);
  const failure = await Promise.race([work, tooLate]);
  clearTimeout(timer);
  t.close();
  return failure;
}

/** Gives `{ failures: [[id, what it said or null]], strays }`. */
async function runLane({ list, ids, subject, ...settings }) {
  const { cases } = await import(list);
  const EventSource = await loadClass(subject);
  const waiting = cases.filter(({ id }) => ids.includes(id)).sort((a, b) => Number(b.isSlow ?? false) - Number(a.isSlow ?? false));
  const failures = [];
  let free = CONNECTIONS;
  await new Promise((resolve) => {
    const next = () => {
      if (failures.length === ids.length) return resolve();
      while (waiting.length > 0 && (waiting[0].connections ?? 1) <= free) {
        const each = waiting.shift();
        const taken = each.connections ?? 1;
        free -= taken;
        runCase(each, EventSource, settings).then((failure) => {
          failures.push([each.id, failure]);
          free += taken;
          next();
        });
      }
    };
    next();
  });
  return { failures, strays: strays.splice(0) };
}

window.lane = { run: runLane };

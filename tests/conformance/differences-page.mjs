// docs/differences.md lists what differences.mjs lists: this writes that part of it. Run by itself, it writes it into the page.

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { cases as ofEventSource } from './event-source/cases/index.js';
import { differences as inEventSource } from './event-source/differences.mjs';
import { cases as ofWebSocket } from './web-socket/cases/index.js';
import { differences as inWebSocket } from './web-socket/differences.mjs';

export const PAGE = fileURLToPath(new URL('../../docs/differences.md', import.meta.url));

/** What is listed already is not said twice. */
const beyond = (listed, said) => Object.fromEntries(Object.entries(listed).filter(([id]) => !said[id]));

const CLASSES = {
  ManagedEventSource: { listed: inEventSource.ManagedEventSource, cases: ofEventSource },
  ManagedWebSocket: { listed: inWebSocket.ManagedWebSocket, cases: ofWebSocket },
  'ManagedWebSocket, reconnecting': {
    listed: beyond(inWebSocket['ManagedWebSocket, reconnecting'], inWebSocket.ManagedWebSocket),
    cases: ofWebSocket,
  },
};

const markedFor = (name) => new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);

/** A line for each reason, with what the native class does in each of its cases. */
function linesFor({ listed, cases }) {
  const byReason = new Map();
  for (const { id, title } of cases) {
    const reason = listed[id]?.reason ?? listed[id];
    if (reason) byReason.set(reason, [...byReason.get(reason) ?? [], `\`${id}\` (${title})`]);
  }
  return [...byReason].map(([reason, ids]) => `- ${reason}\n  Cases: ${ids.join(', ')}.\n`).join('');
}

/** The page as it should be. */
export function render(page) {
  return Object.entries(CLASSES).reduce((text, [name, given]) => {
    if (!markedFor(name).test(text)) throw new Error(`docs/differences.md has no place for ${name}`);
    return text.replace(markedFor(name), (_, start, end) => `${start}\n${linesFor(given)}\n${end}`);
  }, page);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(PAGE, render(await readFile(PAGE, 'utf8')));

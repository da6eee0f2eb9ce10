// The matrix, read from its folders: which consumer does which case in which of its modes.

import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('..', import.meta.url));
const json = (file) => JSON.parse(readFileSync(folder + file, 'utf8'));

/**
 * @typedef {object} Job one case in one mode of one consumer; the members of a mode are those of consumer.json, see README.md
 * @property {string} name
 * @property {string} consumer its folder
 * @property {string} case its folder
 * @property {string[]} [build] a command: a program's path and its arguments
 * @property {string[]} [serve] the same
 * @property {string[]} [run] the same
 * @property {string} [open]
 * @property {string} [policy]
 * @property {string} [html]
 * @property {string[]} expect
 */

/** @returns {Job[]} */
export function readJobs() {
  return readdirSync(`${folder}consumers`).sort().flatMap((consumer) => {
    const { title, modes, cases } = json(`consumers/${consumer}/consumer.json`);
    return Object.entries(cases).flatMap(([name, listed]) => listed.map((mode) => {
      if (!modes[mode]) throw new Error(`consumers/${consumer}: no mode "${mode}"`);
      return { name: `${title}, ${mode}${name === 'none' ? '' : `: ${name}`}`, consumer, case: name, ...json(`cases/${name}/case.json`), ...modes[mode] };
    }));
  });
}

/** What a project is made of, one folder over the other. */
export const layersOf = ({ consumer, case: name }) =>
  ['shared', `cases/${name}`, `consumers/${consumer}/files`, `consumers/${consumer}/${name}`].map((layer) => folder + layer);

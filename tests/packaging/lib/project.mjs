// A project as a user has one: some files, and the package installed by npm.

import { existsSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { finish } from './commands.mjs';
import { layersOf } from './consumers.mjs';

const pkg = fileURLToPath(new URL('../../../pkg', import.meta.url));

/**
 * Packs the package and installs it once. `spec`: a version that is published; without it, what is in the tree.
 * @returns {Promise<{ tarball: string, modules: string }>}
 */
export async function installPackage(folder, spec) {
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  const what = spec ? `steadystream@${spec}` : pkg;
  const [{ filename }] = JSON.parse(await finish(['npm', 'pack', what, '--json', '--loglevel=error'], folder));
  await finish(['npm', 'install', `./${filename}`, '--ignore-scripts', '--no-package-lock', '--no-progress', '--loglevel=error'], folder);
  return { tarball: join(folder, filename), modules: join(folder, 'node_modules') };
}

/** Copied, not linked: tools treat a link as a part of the project, and what is in node_modules otherwise. */
export async function makeProject(folder, job, modules) {
  await mkdir(folder);
  for (const layer of layersOf(job)) if (existsSync(layer)) await cp(layer, folder, { recursive: true });
  await cp(modules, join(folder, 'node_modules'), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
}

/** What a tool that knows of no pages leaves to its user: the page beside the script. */
export async function completeSite(folder, site) {
  const page = join(site, 'index.html');
  if (!existsSync(page)) await cp(join(folder, 'index.html'), page);
  return site;
}

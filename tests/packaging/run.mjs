// The package as its users get it: packed by npm, installed, and used by each consumer as it comes, without configuration or
// plugin. See README.md. `run` calls this with the folder in which the consumers' tools are.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { launchBrowser } from '../e2e/support/browser.mjs';
import { finish, serve } from './lib/commands.mjs';
import { readJobs } from './lib/consumers.mjs';
import { completeSite, installPackage, makeProject } from './lib/project.mjs';
import { serveFeed, serveFiles } from './lib/servers.mjs';
import { visit } from './lib/visit.mjs';
import { TEXT } from './shared/events.js';

const { values: { tools, all, only, package: version } } = parseArgs({
  options: {
    tools: { type: 'string' },
    all: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    package: { type: 'string' },
  },
});

/** What the wasm must have made of the run, whoever called it. */
const WHOLE = {
  core: { status: 'completed', text: TEXT },
  run: { status: 'completed', text: TEXT },
  blocks: ['née', ' 🙂', ' née'],
};

// What is slow and tells little more than a quicker one waits to be asked for.
const isWanted = (job) => (only ? job.name.includes(only) : all || !job.all);
const jobs = readJobs().filter((job) => isWanted(job) && (!job.needs || process.features[job.needs]));
if (jobs.length === 0) throw new Error(`no consumer is called "${only}"`);

// Below the tools, where Node and every bundler look for them.
await mkdir(join(tools, 'work'), { recursive: true });
const work = await mkdtemp(join(tools, 'work', 'run-'));
const [{ tarball, modules }, browser, feed] = await Promise.all([
  installPackage(join(work, 'package'), version),
  launchBrowser(),
  serveFeed(),
]);

/** What is opened: a server of the consumer's own, or ours with what it has built. */
const opened = async (job, folder, command) => (job.serve
  ? serve((port) => command(job.serve, port), folder)
  : serveFiles(await completeSite(folder, join(folder, job.open)), job.policy));

function judge(job, outcomes) {
  assert.equal(outcomes.length, job.expect.length);
  for (const [i, wanted] of job.expect.entries()) {
    if (wanted === 'whole') assert.deepEqual(outcomes[i], WHOLE);
    else assert.equal(outcomes[i].code, wanted);
  }
}

async function play(job) {
  const folder = join(work, job.name.replace(/\W+/g, '-').toLowerCase());
  await makeProject(folder, job, modules);
  const command = (words, port) => {
    const given = { $port: port, $feed: feed.origin, $package: tarball };
    const [program, ...args] = words.split(' ').map((word) => `${given[word] ?? word}`);
    return [process.execPath, program.startsWith('./') ? program : join(tools, 'node_modules', program), ...args];
  };
  if (job.build) await finish(command(job.build), folder);
  if (job.run) {
    const said = await finish(command(job.run), folder);
    if (job.expect.length > 0) judge(job, JSON.parse(said));
    return;
  }
  const site = await opened(job, folder, command);
  try {
    if (job.html) assert.ok((await (await fetch(site.origin)).text()).includes(job.html), `the server says ${job.html}`);
    const { outcomes, complaints } = await visit(browser, site.origin, feed.origin);
    judge(job, outcomes);
    if (!job.policy) assert.deepEqual(complaints, []);
  } finally {
    site.stop();
  }
}

// The slowest begins first. Two at a time: more would not fit into two cores.
const isQuick = ({ consumer }) => consumer !== 'next';
jobs.sort((a, b) => isQuick(a) - isQuick(b));

test('the package works as it comes', { concurrency: 2 }, async (t) => {
  let isSound = true;
  await Promise.all(jobs.map((job) => t.test(job.name, () => play(job).catch((error) => {
    isSound = false;
    throw error;
  }))));
  await browser.close();
  feed.stop();
  if (isSound) await rm(work, { recursive: true });
  else t.diagnostic(`the projects are kept in ${work}`);
});

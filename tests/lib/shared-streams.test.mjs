// A page's share in the streams of its origin: one channel for all of them, a lock for each name, one run for a name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedStreams } from '../../pkg/lib/tabs/shared-streams.js';
import { Chance } from '../e2e/support/schedule.mjs';
import { Browser } from './fake-browser.mjs';

const playPage = async (play) => {
  const browser = new Browser(new Chance(1));
  browser.install();
  try {
    const tab = browser.add('tab');
    const host = { record: () => '', retell: () => '', room: () => {} };
    const streams = await browser.run(tab, () => SharedStreams.create('scope', host));
    const begun = [];
    const closed = [];
    const wanted = (slot) => ({
      task: slot, slot, cursor: null, isOwn: false, isWhole: false, tell: {},
      begin: () => {
        begun.push(slot);
        return () => closed.push(slot);
      },
    });
    const act = async (fn) => {
      const given = await browser.run(tab, () => fn(streams));
      await browser.pass(50);
      return given;
    };
    await play({ browser, tab, act, begun, closed, open: (name, slot) => act((all) => all.open(name, wanted(slot))) });
  } finally {
    browser.uninstall();
  }
};

test('of two runs of a page that want one stream, one takes part, and neither leaves for the other', () => playPage(async ({ browser, tab, act, begun, closed, open }) => {
  const closeFirst = await open('run', 1);
  const closeSecond = await open('run', 2);
  assert.deepEqual([begun, [...browser.locks.held.keys()]], [[1, 2], ['steadystream/1/scope/run']]);
  await act(closeSecond);
  await act((streams) => streams.leave('run', 2));
  assert.deepEqual([closed, browser.locks.held.size, tab.channels.size], [[2], 1, 1]);
  await act(closeFirst);
  await act((streams) => streams.leave('run', 1));
  assert.deepEqual([closed, browser.locks.held.size, tab.channels.size], [[2, 1], 0, 0]);
}));

test('each name has its lock, and the last to leave closes the channel', () => playPage(async ({ browser, tab, act, begun, closed, open }) => {
  await open('one', 1);
  await open('two', 2);
  assert.deepEqual([begun, browser.locks.held.size, tab.channels.size], [[1, 2], 2, 1]);
  await act((streams) => streams.leave('one', 1));
  await act((streams) => streams.leave('none', 1));
  assert.deepEqual([closed, browser.locks.held.size, tab.channels.size], [[1], 1, 1]);
  await open('one', 1);
  assert.deepEqual([begun, browser.locks.held.size, tab.channels.size], [[1, 2, 1], 2, 1]);
  await act((streams) => streams.close());
  assert.deepEqual([closed.toSorted(), browser.locks.isIdle, tab.channels.size], [[1, 1, 2], true, 0]);
  await open('one', 1);
  assert.deepEqual([browser.locks.held.size, tab.channels.size], [1, 1], 'a page that was asleep takes part again');
}));

test('without locks or channels nothing is shared', async () => {
  for (const missing of ['navigator', 'BroadcastChannel']) {
    const browser = new Browser(new Chance(1));
    browser.install();
    try {
      globalThis[missing] = undefined;
      assert.equal(SharedStreams.create('scope', {}), null);
    } finally {
      browser.uninstall();
    }
  }
});

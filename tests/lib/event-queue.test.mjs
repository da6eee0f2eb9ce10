import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventQueue, MAX_QUEUED } from '../../pkg/lib/event-queue.js';

const collect = async (queue) => {
  const seen = [];
  for await (const event of queue) seen.push(event);
  return seen;
};

test('events pushed before, between and after reads come out in order', async () => {
  const queue = new EventQueue(() => {});
  queue.push([1, 2]);
  const seen = collect(queue);
  await null;
  queue.push([3]);
  queue.push([4, 5]);
  queue.end();
  queue.push([6]);
  assert.deepEqual(await seen, [1, 2, 3, 4, 5]);
});

test('several reads may wait at once', async () => {
  const queue = new EventQueue(() => {});
  const reads = [queue.next(), queue.next(), queue.next()];
  queue.push(['a', 'b']);
  queue.end();
  assert.deepEqual((await Promise.all(reads)).map(({ value, done }) => [value, done]), [['a', false], ['b', false], [undefined, true]]);
});

test('a reader that falls too far behind gets what is held, then is told, once', async () => {
  let closed = 0;
  const queue = new EventQueue(() => closed++);
  queue.push(['kept']);
  queue.push(new Array(MAX_QUEUED).fill('lost'));
  assert.equal(closed, 1);
  assert.equal((await queue.next()).value, 'kept');
  await assert.rejects(queue.next(), { code: 'queue-full' });
  assert.equal((await queue.next()).done, true);
});

test('return() drops what is held and closes once', async () => {
  let closed = 0;
  const queue = new EventQueue(() => closed++);
  queue.push([1]);
  await queue.return();
  await queue.return();
  assert.equal((await queue.next()).done, true);
  assert.equal(closed, 1);
});

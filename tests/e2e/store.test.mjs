// What a view sees of a run that comes as fast as it can: a notification a frame, finished blocks that never change,
// and all of the text.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { QUICK } from './support/lab.mjs';
import { Stage } from './support/stage.mjs';
import { assertSound, assertTruth } from './support/truth.mjs';

let stage;
let control;
before(async () => {
  stage = await Stage.open();
  ({ control } = stage);
});
after(() => stage?.close());

const testBoth = (name, play) => ['fetch', 'eventsource'].forEach((transport) =>
  test(`${name} [${transport}]`, () => stage.withLab((lab) => play(lab, transport))));

describe('the store of a run', () => {
  testBoth('one notification a frame, whatever the rate', async (lab, transport) => {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, events: 3000, eventsPerSecond: 2000, toolCalls: 10, chunkEvents: 1 });
    const key = await lab.start({ sessionId, countsFrames: true, client: { options: { transports: [transport] } } });
    const report = await lab.settled(key);
    assertSound(report);
    await assertTruth(control, report);
    assert.equal(report.mostInOneFrame, 1);
    // Beside the frames: the first call of subscribe, what our own call changed, and the end.
    assert.ok(report.notifications <= report.frames + 4, `${report.notifications} notifications in ${report.frames} frames`);
    assert.ok(report.notifications > 10, 'it was told while it ran');
  });

  testBoth('a finished block is the same object for ever, through cuts', async (lab, transport) => {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, events: 300, eventsPerSecond: 300, toolCalls: 5 });
    await control.faults({ sessionId, path: 'events' }, Array.from({ length: 6 }, () => ({ cut: { afterBytes: 5003, how: 'fin' } })));
    const report = await lab.settled(await lab.start({ sessionId, client: { options: { transports: [transport] } } }));
    assertSound(report);
    const { blocks } = await assertTruth(control, report);
    assert.ok(blocks.length > 3);
    assert.equal(report.replaced, 0);
  });

  testBoth('five thousand events as fast as the socket takes them', async (lab, transport) => {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, events: 5000, eventsPerSecond: 0, toolCalls: 12 });
    const report = await lab.settled(await lab.start({ sessionId, client: { options: { transports: [transport] } } }));
    assertSound(report);
    await assertTruth(control, report);
  });

  testBoth('for await hears of every event once, in order, while the run goes on', async (lab, transport) => {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, events: 200, eventsPerSecond: 200, holdAt: 150 });
    await control.faults({ sessionId, path: 'events' }, [{ cut: { afterEvents: 70, how: 'fin' } }, { replaySeen: 30 }]);
    const heard = lab.page.evaluate(async ({ id, options }) => {
      const stream = lab.client({ options }).send(id, 'Hello');
      const events = [];
      window.early = 0;
      for await (const event of stream) {
        events.push(event);
        if (stream.getSnapshot().status === 'streaming') window.early += 1;
      }
      const text = events.filter(({ type }) => type === 'content').map(({ content }) => content).join('');
      return { text, snapshot: stream.getSnapshot().text, last: events.at(-1).type };
    }, { id: sessionId, options: { transports: [transport], ...QUICK } });
    await lab.page.waitForFunction(() => window.early > 100);
    await control.now('goOn', { sessionId });
    const told = await heard;
    assert.equal(told.text, told.snapshot);
    assert.equal(told.last, 'done');
  });

  testBoth('a run that nobody subscribes to is as complete when it is read', async (lab, transport) => {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, events: 200, eventsPerSecond: 200, toolCalls: 3 });
    const { text, status, runId, parts } = await lab.page.evaluate(async ({ id, options }) => {
      const stream = lab.client({ options }).send(id, 'Hello');
      await stream.finished;
      return stream.getSnapshot();
    }, { id: sessionId, options: { transports: [transport], ...QUICK } });
    const truth = await control.truth(runId);
    assert.equal(text, truth.text);
    assert.deepEqual(parts, truth.parts);
    assert.equal(status, 'completed');
  });

  test('times are unix times of this page’s clock, and the connection store tells of all runs', () => stage.withLab(async (lab) => {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, events: 40, eventsPerSecond: 200 });
    const told = await lab.page.evaluate(async ({ id, options }) => {
      const began = Date.now();
      const client = lab.client({ options });
      const states = [];
      // The page's own watch wants everything at once: beside it a frame's listener waits for frames.
      client.connection.subscribe(({ state }) => states.push(state), { notify: 'sync' });
      const stream = client.send(id, 'Hello');
      await stream.finished;
      const { startedAt, updatedAt } = stream.getSnapshot();
      return { states, startedAt: startedAt - began, updatedAt: updatedAt - began, ended: Date.now() - began };
    }, { id: sessionId, options: QUICK });
    assert.ok(told.startedAt >= -5 && told.startedAt <= told.updatedAt && told.updatedAt <= told.ended + 5, JSON.stringify(told));
    assert.deepEqual(told.states, ['closed', 'connecting', 'open', 'closed']);
  }));
});

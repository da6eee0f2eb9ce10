// Many schedules of faults, played side by side.

import assert from 'node:assert/strict';

/**
 * Plays all of them, `atOnce` in each of so many pages, and tells of those that failed. `play(control, lab, schedule)` gives what it took:
 * { cut, requests }.
 */
export async function playAll(stage, server, schedules, { pages, atOnce, play }) {
  const waiting = [...schedules];
  const failures = [];
  const totals = { runs: 0, cuts: 0, requests: 0 };
  // All of them first: a page loads from the server that the runs of another page may bring down.
  const labs = await Promise.all(Array.from({ length: pages }, () => stage.openLab({ server })));
  await Promise.all(labs.map(async (lab) => {
    await Promise.all(Array.from({ length: atOnce }, async () => {
      for (let schedule = waiting.shift(); schedule; schedule = waiting.shift()) {
        try {
          const { cut, requests } = await play(server.control, lab, schedule);
          totals.cuts += cut;
          totals.requests += requests;
        } catch (error) {
          failures.push(`SEED=${schedule.seed} ${JSON.stringify(schedule)}\n${error.message}`);
        }
        totals.runs += 1;
      }
    }));
    if (failures.length === 0) await lab.clear();
    await lab.close();
  }));
  assert.equal(failures.length, 0, `${failures.length} of ${totals.runs}:\n\n${failures.join('\n\n')}`);
  return totals;
}

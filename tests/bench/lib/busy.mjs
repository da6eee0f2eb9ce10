// What a page's main thread is busy with, while somebody counts.

const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const busySeconds = async (cdp) => (await cdp.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value;

/** CPU time of the main thread in `measuredMs` behind `warmUpMs`, in ms per second; `begin()` is called in between. */
export const measureBusy = async (page, { warmUpMs, measuredMs }, begin) => {
  const cdp = await page.context().newCDPSession(page);
  // CPU time: that others use the machine, too, is not the contestant's doing.
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.evaluate(wait, warmUpMs);
  await begin();
  const [busy, start] = [await busySeconds(cdp), performance.now()];
  await page.evaluate(wait, measuredMs);
  const [busyAfter, end] = [await busySeconds(cdp), performance.now()];
  return (busyAfter - busy) * 1e6 / (end - start);
};

/**
 * Rounds in which every entrant has a turn, in an order that rotates. `measureOne(entrant)`: an object of figures, or an error for a
 * wrong answer. Gives for each `{ name, title, role, wrong }`, and a list for each of the figures named.
 */
export const inTurns = async (entrants, rounds, figures, measureOne) => {
  const results = entrants.map(({ name, title, role }) => (
    { name, title, role, ...Object.fromEntries(figures.map((figure) => [figure, []])) }));
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < entrants.length; i++) {
      const at = (round + i) % entrants.length;
      const result = results[at];
      if (result.wrong) continue;
      try {
        const measured = await measureOne(entrants[at]);
        for (const figure of figures) result[figure].push(measured[figure]);
      } catch (error) {
        result.wrong = `${error?.message ?? error}`;
      }
    }
  }
  return results;
};

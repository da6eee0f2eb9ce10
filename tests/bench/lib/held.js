// Runs that are under way and that nobody watches, kept until somebody asks for one's end.

/**
 * Feeds `runs` runs of the same bytes to a contestant, all but the last `tail` bytes of each. Gives what ends the first and the
 * last one and gives their states.
 */
export const holdRuns = async (contestant, { url, runs, chunk, tail }) => {
  const ends = [];
  // Only what is still to come may be kept: the bytes would count.
  let bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const last = bytes.slice(-tail);
  for (let i = 0; i < runs; i++) {
    let at = 0;
    let isLast = false;
    let finish;
    const isAsked = new Promise((resolve) => { finish = resolve; });
    let state;
    await new Promise((resolve, reject) => {
      state = contestant.hold(async () => {
        if (isLast) return undefined;
        const until = bytes ? bytes.length - tail : 0;
        if (at < until) return bytes.slice(at, at = Math.min(at + chunk, until));
        resolve();
        await isAsked;
        isLast = true;
        return last;
      });
      state.catch(reject);
    });
    ends.push(() => { finish(); return state; });
  }
  bytes = undefined;
  return { finish: () => Promise.all([ends[0], ends.at(-1)].map((end) => end())) };
};

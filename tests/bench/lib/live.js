// Runs that say something all the time, each chunk when it is due, whoever keeps up with it or not.

const HEADERS = { 'content-type': 'text/event-stream' };
const TICK_MS = 5;

/**
 * `begin(urls, look)`: asks for all runs, and shows each view of the i-th to `look(i, view)`, or to nobody. `chunks`: what each of the
 * runs says, one by one, `eventsPerSecond` of them a second; the runs take turns.
 */
export const feedLive = (begin, chunks, { runs, eventsPerSecond }) => {
  const bodies = [];
  globalThis.fetch = async () => {
    const body = new ReadableStream({ start: (controller) => { bodies.push(controller); } });
    return new Response(body, { headers: HEADERS });
  };
  // Who is told reads the text: a string that was put together of pieces is one only then.
  const views = [];
  const look = (i, view) => {
    views[i] = view;
    view.text.charCodeAt(view.text.length >> 1);
  };
  // A page that shows any of this draws frames, whoever asks for them: what a frame costs by itself is nobody's doing.
  const draw = () => requestAnimationFrame(draw);
  draw();

  begin(Array.from({ length: runs }, (_, i) => `live-${i}`), look);

  const start = performance.now();
  let said = 0;
  const timer = setInterval(() => {
    if (bodies.length < runs) return;
    const due = Math.min((performance.now() - start) * runs * eventsPerSecond / 1000, runs * chunks.length);
    for (; said < due; said++) bodies[said % runs].enqueue(chunks[Math.floor(said / runs)]);
  }, TICK_MS);

  const longTasks = [];
  const task = () => new Promise((resolve) => { setTimeout(resolve); });
  return {
    /** Frames a second, from now on. */
    countFrames() {
      const begun = performance.now();
      let frames = 0;
      const count = () => {
        frames += 1;
        requestAnimationFrame(count);
      };
      requestAnimationFrame(count);
      return () => frames * 1000 / (performance.now() - begun);
    },
    watchLongTasks() {
      new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
    },
    longTasks: () => longTasks,
    /** How many events each run has had, and the text that its last view shows. */
    async finish() {
      clearInterval(timer);
      const counts = Array.from({ length: runs }, (_, i) => Math.floor((said - i - 1) / runs) + 1);
      // A queue is empty when all of it has been taken; what was taken is shown within two frames.
      while (bodies.some(({ desiredSize }) => desiredSize < 1)) await task();
      for (let i = 0; i < 2; i++) await new Promise((resolve) => { requestAnimationFrame(resolve); });
      await task();
      return { counts, texts: views.map((view) => view?.text) };
    },
  };
};

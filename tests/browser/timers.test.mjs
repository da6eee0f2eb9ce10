// The client's one timer, its frames, and what the page tells of its weather.

import { inPage } from './support/in-page.mjs';

// ---- the alarm ----

inPage('an alarm fires at its deadline, once', async ({ Alarm, clock, left, until, timer, same, ok }) => {
  const before = left();
  const told = [];
  const alarm = new Alarm(() => told.push(clock()));
  const now = clock();
  alarm.set(now + 20, now);
  await until(() => told.length > 0);
  // The page's clock is coarse: the last millisecond may be missing.
  ok(told[0] + 1 >= now + 20);
  await timer(30);
  same([told.length, left()], [1, before]);
});

inPage('a later deadline leaves the armed timer alone', async ({ Alarm, clock, left, until, takeDelays, same }) => {
  const { timers } = left();
  let told = 0;
  const alarm = new Alarm(() => { told += 1; });
  const now = clock();
  alarm.set(now + 10, now);
  takeDelays();
  for (let later = 10; later < 1_000; later += 1) alarm.set(now + later, now);
  same([takeDelays(), left().timers], [[], timers + 1]);
  await until(() => told === 1);
});

inPage('an earlier deadline replaces the armed timer', async ({ Alarm, clock, left, until, same }) => {
  const { timers } = left();
  let told = 0;
  const alarm = new Alarm(() => { told += 1; });
  const now = clock();
  alarm.set(now + 60_000, now);
  alarm.set(now + 5, now);
  same(left().timers, timers + 1);
  await until(() => told === 1);
  same(left().timers, timers);
});

inPage('no deadline leaves what is armed', async ({ Alarm, clock, until }) => {
  let told = 0;
  const alarm = new Alarm(() => { told += 1; });
  const now = clock();
  alarm.set(now + 1, now);
  alarm.set(Infinity, now);
  await until(() => told === 1);
});

inPage('no deadline arms nothing', ({ Alarm, clock, left, same }) => {
  const before = left();
  new Alarm(() => {}).set(Infinity, clock());
  same(left(), before);
});

inPage('once fired it can be set anew, also by what it fired', async ({ Alarm, clock, until, timer, same }) => {
  let told = 0;
  const alarm = new Alarm(() => {
    told += 1;
    if (told < 3) alarm.set(clock() + 1, clock());
  });
  alarm.set(clock() + 1, clock());
  await until(() => told === 3);
  alarm.set(clock() + 100_000, clock());
  alarm.set(clock(), clock());
  await until(() => told === 4);
  await timer(20);
  same(told, 4);
});

inPage('a deadline that has passed fires with the next turn, and not inside the call', async ({ Alarm, clock, until, same }) => {
  let told = 0;
  new Alarm(() => { told += 1; }).set(clock() - 5_000, clock());
  same(told, 0);
  await until(() => told === 1);
});

inPage('a deadline further away than browsers can wait does not fire at once', async ({ Alarm, clock, takeDelays, timer, same }) => {
  for (const span of [2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 63]) {
    let told = 0;
    const alarm = new Alarm(() => { told += 1; });
    takeDelays();
    alarm.set(clock() + span, clock());
    const [delay] = takeDelays();
    await timer(5);
    // The delay is a difference of two clock readings: a few ms of the span have passed.
    same([told, delay <= 2 ** 31 - 1, delay > 2 ** 31 - 1_000], [0, true, true], String(span));
    alarm.clear();
  }
});

inPage('a cleared alarm does not fire', async ({ Alarm, clock, left, timer, same }) => {
  const before = left();
  let told = 0;
  const alarm = new Alarm(() => { told += 1; });
  alarm.set(clock() + 5, clock());
  alarm.clear();
  same(left(), before);
  await timer(20);
  same(told, 0);
});

// ---- frames ----

inPage('a frame comes once, and takes its timer with it', async ({ onFrame, left, until, timer, same }) => {
  const before = left();
  let told = 0;
  onFrame(() => { told += 1; });
  same(left(), { ...before, frames: before.frames + 1, timers: before.timers + 1 });
  await until(() => told === 1);
  same(left(), before);
  await timer(120);
  same(told, 1);
});

inPage('on a page without frames the timer takes over', async ({ onFrame, left, stopFrames, until, timer, same }) => {
  const before = left();
  let told = 0;
  stopFrames(true);
  onFrame(() => { told += 1; });
  await until(() => told === 1);
  stopFrames(false);
  await timer(50);
  same([told, left()], [1, before]);
});

inPage('a frame that was cancelled does not come, and may be cancelled again', async ({ onFrame, left, timer, same }) => {
  const before = left();
  let told = 0;
  const cancel = onFrame(() => { told += 1; });
  cancel();
  same(left(), before);
  await timer(120);
  cancel();
  same(told, 0);
});

inPage('where there are no frames at all a timer stands for them', async ({ onFrame, until, takeDelays, same }) => {
  const { requestAnimationFrame } = globalThis;
  globalThis.requestAnimationFrame = undefined;
  try {
    let told = 0;
    takeDelays();
    onFrame(() => { told += 1; });
    await until(() => told === 1);
    same(takeDelays(), [16]);
  } finally {
    globalThis.requestAnimationFrame = requestAnimationFrame;
  }
});

// ---- the page's weather ----

inPage('what the page tells becomes a signal until nobody wants it', ({ watchPage, tellWindow, tellDocument, setHidden, left, same }) => {
  const before = left();
  const told = [];
  const stop = watchPage((signal) => told.push(signal));
  for (const name of ['online', 'offline', 'pagehide', 'pageshow']) tellWindow(name);
  for (const name of ['freeze', 'resume']) tellDocument(name);
  for (const hidden of [true, false]) {
    setHidden(hidden);
    tellDocument('visibilitychange');
  }
  // By the boundary's numbers: online, offline, visible, hidden, frozen, thawed, page hidden, page shown.
  const all = [0, 1, 6, 7, 4, 5, 3, 2];
  same(told, all);
  stop();
  same(left(), before);
  for (const tell of [tellWindow, tellDocument]) for (const name of ['online', 'freeze', 'pagehide', 'visibilitychange']) tell(name);
  same(told, all);
});

inPage('the surroundings are as the page says', ({ weatherNow, onlineNow, setOnline, setHidden, same }) => {
  same([onlineNow(), weatherNow()], [0, [0, 2]]);
  setOnline(false);
  setHidden(true);
  same([onlineNow(), weatherNow()], [1, [1, 3]]);
  setOnline(true);
  setHidden(false);
  same(weatherNow(), [0, 2]);
});

inPage('the clock is monotonic, in ms, and no wall clock', ({ clock, ok }) => {
  const readings = Array.from({ length: 1_000 }, clock);
  ok(readings.every((reading, at) => at === 0 || reading >= readings[at - 1]));
  ok(readings[0] < Date.now() / 2);
});

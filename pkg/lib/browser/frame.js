// When to flush: with the next animation frame, and by a timer where frames do not come. A hidden page gets no frames, and
// neither does an occluded window or a worker, so both are armed, and whichever fires first disarms the other.

/** How long to wait for a frame before the timer takes over, in ms. */
const LATE_MS = 100;
/** The interval where there are no frames at all, in ms. */
const FRAMELESS_MS = 16;

/** Calls `fn` once, with the next frame. Gives what cancels that. */
export const onFrame = (fn) => {
  const hasFrames = typeof requestAnimationFrame === 'function';
  const cancel = () => {
    clearTimeout(timer);
    if (hasFrames) cancelAnimationFrame(frame);
  };
  const fire = () => {
    cancel();
    fn();
  };
  const timer = setTimeout(fire, hasFrames ? LATE_MS : FRAMELESS_MS);
  const frame = hasFrames ? requestAnimationFrame(fire) : 0;
  return cancel;
};

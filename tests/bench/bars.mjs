// DESIGN.md, 5: a bar is what must be reached, the goal is what we are after. Ratios are to the expert's JS; sizes in bytes.

export const BARS = {
  catchUp: { bar: 0.20, goal: { 65536: 0.08, 16384: 0.08, 200: 0.09 } },
  wires: { bar: 0.35, goal: 0.13 },
  uiCatchUp: { bar: 0.35, goal: 0.13 },
  activeRuns: { bar: 0.60, goal: 0.28 },
  growth: { bar: 2, goal: 1.2 },
  toolInput: { bar: 2, goal: 1.2 },
  cold: { bar: 0.50, goal: 0.20 },
  network: { bar: 0.50, goal: 0.30 },
  memory: { bar: 1.5, goal: 0.5 },
  live: { bar: 0.5, goal: 0.3 },
  renderedFps: { bar: 58, goal: 60, isMost: false },
  renderedBusy: { bar: 300, goal: 200 },
  gzip: { bar: 50_000, goal: 34_000 },
  brotli: { bar: 45_000, goal: 30_000 },
};

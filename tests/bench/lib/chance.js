// Chance by seed (mulberry32): the same run, byte for byte, in every round and on every machine.

export const createChance = (seed) => {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
  /** A whole number from `least` to `most`, both included. */
  const between = (least, most) => least + Math.floor(next() * (most - least + 1));
  const pick = (items) => items[between(0, items.length - 1)];
  const shuffle = (items) => {
    for (let i = items.length - 1; i > 0; i--) {
      const other = between(0, i);
      [items[i], items[other]] = [items[other], items[i]];
    }
    return items;
  };
  return { next, between, pick, shuffle };
};

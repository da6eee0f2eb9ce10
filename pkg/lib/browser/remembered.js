// Which transports were found blocked, remembered for the other pages of this origin until it expires. Storage that cannot be
// used is none.

const KEY = 'steadystream.blocked';

const read = () => {
  try {
    const all = JSON.parse(localStorage.getItem(KEY));
    return typeof all === 'object' && all !== null ? all : {};
  } catch {
    return {};
  }
};

/** `left`: { transport: ms }, for the server at `base`. */
export const remember = (base, left) => {
  const now = Date.now();
  const until = Object.fromEntries(Object.entries(left).map(([name, ms]) => [name, now + ms]));
  const others = Object.entries(read()).filter(([name, known]) => name !== base && Object.values(known ?? {}).some((end) => end > now));
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries([...others, [base, until]])));
  } catch {
    // Full, forbidden or not there.
  }
};

/** How long each of `names` is still left out, in ms; 0 if it is not. */
export const recall = (base, names) => {
  const known = read()[base] ?? {};
  const now = Date.now();
  return names.map((name) => (known[name] > now ? known[name] - now : 0));
};

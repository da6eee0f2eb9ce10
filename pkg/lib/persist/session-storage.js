// Kept for this tab, over its reloads: what is there can be read before the first frame. Storage that cannot be used is none.

const mine = (prefix) => Object.keys(sessionStorage).filter((key) => key.startsWith(prefix));

const orNothing = (act) => {
  try {
    return act() ?? null;
  } catch {
    return null;        // forbidden, or not there
  }
};

/** `prefix`: that of every key which gives way to what is written, whoever's client. */
export const keepInSession = (prefix) => ({
  read: (key) => orNothing(() => sessionStorage.getItem(key)),
  write: (key, text) => orNothing(() => {
    try {
      sessionStorage.setItem(key, text);
    } catch (error) {
      // Full. What is running now is worth more than what was.
      const others = mine(prefix).filter((other) => other !== key);
      if (others.length === 0) throw error;
      for (const other of others) sessionStorage.removeItem(other);
      sessionStorage.setItem(key, text);
    }
  }),
  list: (start) => orNothing(() => mine(start).map((key) => sessionStorage.getItem(key))) ?? [],
  remove: (key) => orNothing(() => sessionStorage.removeItem(key)),
  clear: (start) => orNothing(() => {
    for (const key of mine(start)) sessionStorage.removeItem(key);
  }),
});

// Light, dark, or what the system says. Loaded before the first paint, so that nobody sees the other theme flash by.

const KEY = 'steadystream-demo.theme';
const root = document.documentElement;
const system = matchMedia('(prefers-color-scheme: dark)');

// A page may be denied its storage; it then forgets, and works.
const read = () => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
};
const write = (theme) => {
  try {
    if (theme === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {}
};

const isDark = () => (root.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark';
const listeners = new Set();
const tell = () => listeners.forEach((listener) => listener(isDark()));

const saved = read();
if (saved === 'light' || saved === 'dark') root.dataset.theme = saved;
system.addEventListener('change', tell);

/** Calls `listener(isDark)` at once and at each change. */
export const onTheme = (listener) => {
  listeners.add(listener);
  listener(isDark());
};

/** Switches; a choice equal to the system's is no choice, and follows the system again. */
export const toggleTheme = () => {
  const next = isDark() ? 'light' : 'dark';
  if ((next === 'dark') === system.matches) {
    delete root.dataset.theme;
    write(null);
  } else {
    root.dataset.theme = next;
    write(next);
  }
  tell();
};

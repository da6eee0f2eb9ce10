// One caller's bug stays that caller's bug: it is reported like any uncaught error, and everyone else goes on.

export const report = (error) => {
  if (typeof reportError === 'function') reportError(error);
  else console.error(error);
};

export const callGuarded = (fn, ...args) => {
  try {
    fn(...args);
  } catch (error) {
    report(error);
  }
};

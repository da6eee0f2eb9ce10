// Whether a response is an event stream, as browsers see it: by its type's essence, and no other charset than UTF-8.

export const isEventStream = (type) => {
  const [essence, ...parameters] = (type ?? '').split(';').map((part) => part.trim().toLowerCase());
  if (essence !== 'text/event-stream') return false;
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  return charset === undefined || /^charset="?utf-8"?$/.test(charset);
};

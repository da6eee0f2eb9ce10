// Ids that make a send idempotent: UUID v4, because the server refuses anything else (B-SEND-1, B-SEND-3).

const format = (bytes) => {
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};

export const createRequestId = () => {
  const { crypto } = globalThis;
  // randomUUID exists in secure contexts only; a plain-http intranet page still has getRandomValues.
  if (crypto?.randomUUID) return crypto.randomUUID();
  const bytes = new Uint8Array(16);
  if (crypto?.getRandomValues) crypto.getRandomValues(bytes);
  else for (let i = 0; i < 16; i++) bytes[i] = Math.random() * 256;
  return format(bytes);
};

/**
 * A copy to compare: members that are undefined count as absent, getters as what they give, and a member named `__proto__` as a
 * member.
 */
export function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  const copy = {};
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member === undefined) continue;
    if (key !== '__proto__') copy[key] = plain(member);
    else Object.defineProperty(copy, key, { value: plain(member), enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

// CommonJS may require modules where Node can, and `nodenext` knows it.
import { RunClient } from 'steadystream';

export const client = new RunClient({ baseUrl: '/bi-chat' });
// @ts-expect-error it has an address
export const lost = new RunClient({});

// Every way to refuse a stream that run-server knows: what the user is told of it, and that nothing hangs.

import { after, before, describe } from 'node:test';
import { testCases } from './support/cases.mjs';
import { Stage } from './support/stage.mjs';

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

describe('refusals', { concurrency: 4 }, () => testCases('refusals', () => stage));

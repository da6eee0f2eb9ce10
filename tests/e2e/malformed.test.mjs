// Every way to break the content of a stream that run-server knows: one policy for all roads, report it and go on.

import { after, before, describe } from 'node:test';
import { testCases } from './support/cases.mjs';
import { Stage } from './support/stage.mjs';

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

describe('malformed input', { concurrency: 4 }, () => testCases('malformed', () => stage));

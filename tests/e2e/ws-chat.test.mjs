// `ws-chat` over all its transports, against a server that really breaks: what a user ends up with, what the badge has shown
// meanwhile, and that a message arrives once.

import { after, before, describe } from 'node:test';
import { testCases } from './support/cases.mjs';
import { Stage } from './support/stage.mjs';

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

describe('ws-chat', { concurrency: 6 }, () => testCases('ws-chat', () => stage));

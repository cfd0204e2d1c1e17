// The last test of every run: when it ends, all others have.

import test from 'node:test';

test('soundstage end', () => {});

import { parseCaller } from '../../../../../lambdas/shared/adapters/redis/caller.ts';
import { callerNamed } from '../../../../support/callers.ts';

describe('callers in Redis', () => {
  test('are what was written', () => {
    const caller = callerNamed('ann lee', { scope: 'read', projects: ['shop'], tokenId: 'ab' });
    expect(parseCaller(JSON.stringify(caller))).toEqual(caller);
  });

  test('of an earlier version are the owner, whose only token could do everything', () => {
    expect(parseCaller('ann lee')).toEqual(callerNamed('ann lee'));
  });

  test.each(['', '{', '{}', '{"owner":"ann"}', '{"owner":"ann","name":"x","scope":"root"}'])(
    'are not read from %j',
    (text) => expect(parseCaller(text)).toBeNull(),
  );
});

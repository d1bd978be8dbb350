import { ownerLimitsOf } from '../../local/ownerLimits.ts';

describe('VEREN_LIMITS', () => {
  test('is JSON, and without it nothing is limited', () => {
    expect(ownerLimitsOf({})).toBeUndefined();
    expect(ownerLimitsOf({ VEREN_LIMITS: '' })).toBeUndefined();
    expect(ownerLimitsOf({ VEREN_LIMITS: '{"builds":1,"storageGiB":5}' })).toEqual({ builds: 1, storageGiB: 5 });
  });

  test.each(['x', '[]', '{"build":1}', '{"builds":0}', '{"builds":"1"}', '{"builds":1.5}', 'null'])(
    'is not %j',
    (text) => {
      expect(() => ownerLimitsOf({ VEREN_LIMITS: text })).toThrow(
        expect.objectContaining({
          code: 'LIMITS_INVALID',
          message: expect.stringContaining(`VEREN_LIMITS is ${text}.`),
        }),
      );
    },
  );
});

import { createMasker, secretsOf } from '../../../builder-images/shared/masker.ts';

test.each(['\ud800 and more than eight', 'more than eight \udfff', 'a\ud83dnd \ude00 halves'])(
  'half of a surrogate pair in a variable (%j) neither stops the builder nor shows the value',
  (secret) => {
    const mask = createMasker([secret]);
    expect(mask(`>${secret}<`)).toBe('>***<');
    expect(mask(`>${Buffer.from(secret).toString('utf8')}<`)).toBe('>***<'); // as a program prints it
  },
);

test('a whole pair is masked in each of its spellings', () => {
  const secret = 'smile \u{1f600} secret';
  const mask = createMasker([secret]);
  for (const told of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')])
    expect(mask(`>${told}<`)).toBe('>***<');
});

test('public settings stay readable; the same value in any other variable does not', () => {
  const logOf = (variables: Record<string, string>) => createMasker(secretsOf({ BUILD_ENV: variables }));
  expect(logOf({ NODE_ENV: 'production', API_KEY: 'key-1f5e-77' })('production with key-1f5e-77')).toBe(
    'production with ***',
  );
  expect(logOf({ NODE_ENV: 'production', PASSWORD: 'production' })('it is production')).toBe('it is ***');
});

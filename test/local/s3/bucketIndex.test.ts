import fc from 'fast-check';
import { BucketIndex, compareKeys, type StoredObject } from '../../../local/s3/bucketIndex.ts';

const object: StoredObject = { size: 0, etag: '', modified: 0, headers: {}, segments: [] };
const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', '!', '\uffee', '\u{1F600}'), minLength: 1, maxLength: 6 });
const bytewise = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

test('keys have the order of their UTF-8 bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Math.sign(bytewise(a, b)));
    }),
  );
});

test('pages of any size together are the listing, whatever was put and deleted before', () => {
  const changes = fc.array(fc.tuple(fc.boolean(), key), { maxLength: 40 });
  const query = fc.record({
    prefix: fc.constantFrom('', 'a', 'a/', 'b/a'),
    delimiter: fc.constantFrom('', '/', 'a'),
    limit: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(changes, changes, query, (before, after, { prefix, delimiter, limit }) => {
      const index = new BucketIndex();
      const keys = new Set<string>();
      const apply = ([put, k]: [boolean, string]) => {
        if (put) index.set(k, object);
        else index.delete(k);
        if (put) keys.add(k);
        else keys.delete(k);
      };
      before.forEach(apply);
      index.list({ prefix: '', delimiter: '', after: '', limit: 1 }); // from here on the order is kept up
      after.forEach(apply);

      const wanted = new Set<string>();
      for (const k of [...keys].filter((name) => name.startsWith(prefix))) {
        const cut = delimiter === '' ? -1 : k.indexOf(delimiter, prefix.length);
        wanted.add(cut < 0 ? `key ${k}` : `prefix ${k.slice(0, cut + delimiter.length)}`);
      }
      const seen: string[] = [];
      for (let next: string | undefined = ''; next !== undefined; ) {
        const page = index.list({ prefix, delimiter, after: next, limit });
        expect(page.objects.length + page.commonPrefixes.length).toBeLessThanOrEqual(limit);
        expect(page.objects.map(([k]) => k)).toEqual([...page.objects.map(([k]) => k)].sort(bytewise));
        seen.push(...page.objects.map(([k]) => `key ${k}`), ...page.commonPrefixes.map((p) => `prefix ${p}`));
        next = page.next;
      }
      expect(seen.sort()).toEqual([...wanted].sort());
    }),
    { numRuns: 500 },
  );
});

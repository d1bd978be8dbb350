import { differences } from './support/recorded.ts';

test('differences name what is other, missing or new', () => {
  const a = { x: 1, list: [1, 2], gone: { y: 1 }, same: { z: [1] } };
  const b = { x: 2, list: [1, 3, 4], same: { z: [1] }, more: { q: true } };
  expect(differences(a, b)).toEqual(['~ x: 1 → 2', '~ list.1: 2 → 3', '+ list.2: 4', '- gone', '+ more: {"q":true}']);
  expect(differences(a, a)).toEqual([]);
});

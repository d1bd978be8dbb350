import { OrderedLines } from '../../../cli/client/orderedLines.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString();

it('puts what a build has written between the phases that it belongs to, whatever came first', () => {
  const ordered = new OrderedLines();
  // As a platform tells it: lines arrive some tenths of a second before the changes of the record.
  ordered.add(at(1), 'line', '$ npm ci', 0);
  ordered.add(at(3), 'line', 'Exit code 0', 100);
  ordered.add(at(3), 'line', '$ npm run build', 150);
  ordered.add(at(1), 'begin', 'install begins', 300);
  ordered.add(at(3), 'end', 'install done', 300);
  ordered.add(at(3), 'begin', 'build begins', 300);
  expect(ordered.take(900)).toEqual([]);
  expect(ordered.take(1_000)).toEqual(['install begins', '$ npm ci']);
  expect(ordered.take(1_100)).toEqual(['Exit code 0']);
  ordered.add(at(4), 'end', 'deployment: succeeded', 1_100);
  expect(ordered.takeAll()).toEqual(['$ npm run build', 'install done', 'build begins', 'deployment: succeeded']);
});

it('keeps the order of each source, whatever its clock says', () => {
  const ordered = new OrderedLines();
  ordered.add(at(9), 'line', 'first', 0);
  ordered.add(at(2), 'line', 'second, by a clock that was set back', 1);
  ordered.add('no time', 'line', 'third', 2);
  ordered.add(at(20), 'begin', 'begins', 3);
  ordered.add(at(10), 'end', 'ends', 4);
  expect(ordered.takeAll()).toEqual(['first', 'second, by a clock that was set back', 'third', 'begins', 'ends']);
});

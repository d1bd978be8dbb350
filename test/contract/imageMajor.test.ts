import { GENERATORS_NODE_MAJOR, NODE_MAJORS } from '../../contract/node-lines.ts';
import { imageMajorOf, RUNTIMES, SITE_GENERATORS } from '../../contract/runtimes.ts';

test('a site’s generator is in one image, whatever Node is asked for', () => {
  for (const name of SITE_GENERATORS) {
    expect(RUNTIMES[name].targets).toEqual(['frontend']);
    for (const major of NODE_MAJORS) expect(imageMajorOf(name, major)).toBe(GENERATORS_NODE_MAJOR);
  }
  for (const major of NODE_MAJORS) expect(imageMajorOf('node', major)).toBe(major);
});

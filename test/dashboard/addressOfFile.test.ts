import { addressOfFile } from '../../dashboard/pages/deployment/addressOfFile.ts';

test.each([
  ['http://x.localhost:3000', 'assets/app.js', 'http://x.localhost:3000/assets/app.js'],
  ['https://d1.example/x--shop/', 'a b/ä#?.html', 'https://d1.example/x--shop/a%20b/%C3%A4%23%3F.html'],
  ['https://x.example/?token=t', 'index.html', 'https://x.example/index.html?token=t'],
  ['https://x.example', '<img src=x>.png', 'https://x.example/%3Cimg%20src%3Dx%3E.png'],
])('below %s the file %s is at %s', (site, path, address) => {
  expect(addressOfFile(site, path)).toBe(address);
});

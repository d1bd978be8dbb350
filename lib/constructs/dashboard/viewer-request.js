/** The function in front of the dashboard and the API behind it: JavaScript runtime 2.0 of CloudFront. */
// biome-ignore lint/correctness/noUnusedVariables: CloudFront calls it by its name
function handler(event) {
  var request = event.request;
  var uri = request.uri;
  if (uri === '/')
    return { statusCode: 302, statusDescription: 'Found', headers: { location: { value: '/dashboard/' } } };
  // The stages of the two other APIs are the first part of their paths.
  if (uri === '/ws') request.uri = '/live';
  else if (uri.indexOf('/follow/') === 0) request.uri = '/live/' + uri.slice('/follow/'.length);
  else if (uri === '/docs' || uri === '/docs/') request.uri = '/docs/index.html';
  // Addresses of pages are read in the browser; a script that is gone is a 404 and not a page.
  else if (/^\/dashboard(\/(?!assets\/)|$)/.test(uri)) request.uri = '/dashboard/index.html';
  return request;
}

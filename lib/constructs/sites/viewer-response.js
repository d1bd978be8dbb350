// CloudFront function (cloudfront-js-2.0) behind the sites: what is not the same for every host that shows a deployment.
// DOMAIN is put in as in viewer-request.js.
const DOMAIN = '__DOMAIN__';

/** A preview's address holds `--`: in its host, or in the first part of its path. Other domains are a project's own. */
function isPreview(request) {
  const host = request.headers.host ? request.headers.host.value.toLowerCase() : '';
  if (DOMAIN === '') return /\.cloudfront\.net$/.test(host) && /^\/[^/]*--/.test(request.uri);
  return host.slice(-DOMAIN.length - 1) === '.' + DOMAIN && host.indexOf('--') > 0;
}

// biome-ignore lint/correctness/noUnusedVariables: CloudFront calls it
function handler(event) {
  const response = event.response;
  const cache = response.headers['cache-control'];
  // Only for CloudFront, under a key that names the deployment: other caches do not know when the site changes.
  if (cache) cache.value = cache.value.replace(/, s-maxage=\d+$/, '');
  if (isPreview(event.request)) response.headers['x-robots-tag'] = { value: 'noindex' };
  return response;
}

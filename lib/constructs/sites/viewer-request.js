// CloudFront function (cloudfront-js-2.0) in front of the sites: maps what a visitor asks for to a key of the bucket.
// DOMAIN and SERVICES are put in by lib/constructs/sites/edge-code.ts; DOMAIN is '' where sites are paths of the
// distribution's own name, SERVICES is 'true' where the distribution takes requests to backends, and 'balanced' where it
// also has the load balancer of those that are always on.
import cf from 'cloudfront';
import crypto from 'crypto';

const DOMAIN = '__DOMAIN__';
const SERVICES = '__SERVICES__' !== 'false';
const BALANCED = '__SERVICES__' === 'balanced';
const PROJECT = /^[a-z0-9](-?[a-z0-9])*$/;
/** A project, or a preview: `label--project`. */
const LABEL = /^[a-z0-9](-{0,2}[a-z0-9])*$/;
const COOKIE = 'veren_token';
const MONTH = 30 * 24 * 3600;
/** What a request for a file keeps; the others would reach S3, which answers some of them with an error. */
const OF_FILES = /^(host|via|content-length|transfer-encoding|accept-encoding|range|if-.*|x-veren-(base|before|rules))$/;
/** Only a request of this function's own making has them. */
const OWN_HEADERS = ['x-veren-before', 'x-veren-rules', 'x-veren-origin', 'x-veren-once', 'x-veren-cron'];

function page(status, description, text, headers) {
  const all = {
    'content-type': { value: 'text/html; charset=utf-8' },
    'cache-control': { value: 'no-store' },
    'x-robots-tag': { value: 'noindex' },
  };
  for (const name in headers) all[name] = { value: headers[name] };
  const body =
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>' +
    text +
    '</title><style>body{font:1rem system-ui;margin:20vh auto;max-width:30rem;text-align:center}</style><h1>' +
    status +
    '</h1><p>' +
    text +
    '</p></html>\n';
  return { statusCode: status, statusDescription: description, headers: all, body: body };
}

const notFound = () => page(404, 'Not Found', 'There is nothing here yet.', {});

function redirect(location) {
  const headers = { location: { value: location }, 'cache-control': { value: 'no-store' } };
  return { statusCode: 302, statusDescription: 'Found', headers: headers };
}

/** A redirect after which a form is still sent as a form. */
function sendOn(request, location) {
  const answer = redirect(location);
  if (request.method === 'GET' || request.method === 'HEAD') return answer;
  answer.statusCode = 307;
  answer.statusDescription = 'Temporary Redirect';
  return answer;
}

/** The query as it was asked, without the parameter of a link. */
function queryOf(request) {
  const parts = [];
  for (const name in request.querystring) {
    if (name === COOKIE) continue;
    const entry = request.querystring[name];
    const values = entry.multiValue || [entry];
    for (let i = 0; i < values.length; i++) parts.push(name + (values[i].value === '' ? '' : '=' + values[i].value));
  }
  return parts.length > 0 ? '?' + parts.join('&') : '';
}

const headerOf = (request, name) => (request.headers[name] ? request.headers[name].value : '');

/** The project or preview at the start of a path, '' where there is none. */
function firstSegment(path) {
  const segment = path.split('/')[1] || '';
  return LABEL.test(segment) && segment.length <= 63 ? segment : '';
}

/** `https://host/project/…` → project, for requests that a page of this very host makes. */
function refererSite(request) {
  const match = /^https?:\/\/([^/]+)(\/.*)$/.exec(headerOf(request, 'referer'));
  return match && match[1] === headerOf(request, 'host') ? firstSegment(match[2]) : '';
}

/** Files that are instructions to a server and not part of the site, and ways out of its folder. */
function isHidden(path) {
  let name = path;
  try {
    name = decodeURIComponent(path);
  } catch (_) {
    // no file has such a name
  }
  return /^\/+_(headers|redirects)(\.br|\.gz)?$/.test(name) || /(^|[/\\])\.\.?([/\\]|$)/.test(name);
}

/** The entry of a host in the KeyValueStore; null where there is none, or it cannot be read. */
async function find(key) {
  try {
    return JSON.parse(await cf.kvs().get(key));
  } catch (_) {
    return null;
  }
}

const opens = (lock, secret) => crypto.createHash('sha256').update(lock[1] + secret).digest('hex') === lock[2];

/** What a visitor without the link or the password is answered; undefined for one who has it. */
function refuse(request, lock, base) {
  if (lock[0] === 'l') {
    const given = request.querystring[COOKIE];
    if (given && opens(lock, given.value)) {
      const attributes = 'Path=' + base + '; Max-Age=' + MONTH + '; Secure; HttpOnly; SameSite=Lax';
      const answer = redirect(request.uri.replace(/^[/\\]+/, '/') + queryOf(request));
      answer.cookies = {};
      answer.cookies[COOKIE] = { value: given.value, attributes: attributes };
      return answer;
    }
    const kept = request.cookies[COOKIE];
    if (kept && opens(lock, kept.value)) return undefined;
    return page(401, 'Unauthorized', 'This preview opens by the link that it was shared with.', {});
  }
  const basic = /^Basic +(\S+)$/i.exec(headerOf(request, 'authorization'));
  const login = basic ? Buffer.from(basic[1], 'base64').toString('utf8') : '';
  const colon = login.indexOf(':');
  if (colon >= 0 && opens(lock, login.slice(colon + 1))) return undefined;
  return page(401, 'Unauthorized', 'This preview needs a password.', {
    'www-authenticate': 'Basic realm="preview", charset="UTF-8"',
  });
}

/**
 * Sends a request to `secret@host`, a function URL whose adapter knows the secret, or to `secret@balancer`, which has a rule
 * for the secret. No two requests share an answer.
 */
function callService(event, request, route, path, base) {
  const headers = request.headers;
  const address = (route.s[2] || '').split('@');
  const isBalanced = address[1] === 'balancer';
  if (!SERVICES || address.length !== 2 || (isBalanced && !BALANCED))
    return page(503, 'Service Unavailable', 'The backend is not there.', { 'retry-after': '60' });
  if (isBalanced) cf.selectRequestOriginById(address[1]);
  else
    cf.updateRequestOrigin({
      domainName: address[1],
      originAccessControlConfig: { enabled: false },
      customOriginConfig: { port: 443, protocol: 'https', sslProtocols: ['TLSv1.2'] },
      // The longest that CloudFront waits without a raised quota.
      timeouts: { readTimeout: 60, keepAliveTimeout: 30, connectionTimeout: 10 },
    });
  headers['x-veren-origin'] = { value: address[0] };
  headers['x-veren-once'] = { value: event.context.requestId };
  headers['x-forwarded-host'] = { value: headerOf(request, 'host') };
  delete headers['x-veren-base'];
  delete headers['x-forwarded-prefix'];
  if (base !== '/') headers['x-forwarded-prefix'] = { value: base.slice(0, -1) };
  // What opens a preview is not for the code of a preview.
  if (route.k && route.k[0] === 'p') delete headers.authorization;
  delete request.cookies[COOKIE];
  delete request.querystring[COOKIE];
  request.uri = path;
  return request;
}

/** Takes away from a request for a file what only backends are for, and names the origins that CloudFront asks. */
function onlyFile(request, isOrdered) {
  if (!SERVICES) return;
  for (const name in request.headers) if (!OF_FILES.test(name)) delete request.headers[name];
  request.cookies = {};
  if (isOrdered) return;
  cf.createRequestOriginGroup({
    originIds: [{ originId: 'files' }, { originId: 'site-function' }],
    failoverCriteria: { statusCodes: [403, 404] },
  });
}

/** Sends a request to the files of a release, by way of the site's rules where it has some. */
function serve(request, route, path) {
  const now = Date.now() / 1000;
  const name = path.slice(path.lastIndexOf('/') + 1);
  // Pages have no releases before; what they load has.
  const before =
    name.indexOf('.') < 0 || /\.html?$/.test(name) ? [] : (route.b || []).filter((one) => one[1] > now);
  if (before.length > 0) request.headers['x-veren-before'] = { value: before.map((one) => one[0]).join(',') };
  const isFolder = path.charAt(path.length - 1) === '/';
  if (route.r === 'f')
    cf.createRequestOriginGroup({
      originIds: [{ originId: 'site-function' }, { originId: 'files' }],
      failoverCriteria: { statusCodes: [416] },
    });
  else if (route.r === 'a' && isFolder) cf.selectRequestOriginById('site-function');
  onlyFile(request, route.r === 'f' || (route.r === 'a' && isFolder));
  // Only where rules may ask for it is the query a part of the cache's key.
  if (!route.r) request.querystring = {};
  else request.headers['x-veren-rules'] = { value: route.r };
  request.uri =
    '/__deployments/' + route.p + '/' + route.d + '/files' + path + (isFolder && !route.r ? 'index.html' : '');
  return request;
}

// biome-ignore lint/correctness/noUnusedVariables: CloudFront calls it
async function handler(event) {
  const request = event.request;
  const uri = request.uri;
  const host = headerOf(request, 'host').toLowerCase();
  const isOwn = DOMAIN !== '' && host.slice(-DOMAIN.length - 1) === '.' + DOMAIN;
  const isShared = DOMAIN === '' && /\.cloudfront\.net$/.test(host);
  // Of a tenant alone CloudFront tells where its connections end.
  const isTenant = !!(event.context && event.context.endpoint);
  // What origins believe is never what a visitor has sent.
  for (let i = 0; i < OWN_HEADERS.length; i++) delete request.headers[OWN_HEADERS[i]];
  let site = isOwn ? host.slice(0, -DOMAIN.length - 1) : '';
  let route = null;
  let base = '/';
  let path = uri;
  if (isOwn) {
    if (!LABEL.test(site) || site.length > 63) return notFound();
    route = await find(site);
  } else {
    // A domain of a project's own.
    if (!isShared && host !== '') route = await find(host);
    if (!route && (DOMAIN !== '' || isTenant)) return notFound();
    if (!route) {
      site = firstSegment(uri);
      // A page under /project/ that asks for /assets/x means its own: send it there. Pages are never sent on.
      const from = refererSite(request);
      const dest = headerOf(request, 'sec-fetch-dest');
      if (from !== '' && from !== site && dest !== '' && dest !== 'document' && dest !== 'iframe')
        return sendOn(request, '/' + from + uri + queryOf(request));
      if (site === '') return notFound();
      path = uri.slice(site.length + 1);
      // Relative links need the slash.
      if (path === '') return redirect('/' + site + '/' + queryOf(request));
      base = '/' + site + '/';
      route = await find(site);
    }
  }
  request.headers['x-veren-base'] = { value: base };
  if (route && route.k) {
    const refused = refuse(request, route.k, base);
    if (refused) return refused;
  }
  if (route && route.m)
    return page(503, 'Service Unavailable', 'This site is under maintenance.', { 'retry-after': '600' });
  if (route && route.s && (route.s[0] === '/' || path === route.s[0] || path.indexOf(route.s[0] + '/') === 0))
    return callService(event, request, route, path, base);
  if (SERVICES && request.method !== 'GET' && request.method !== 'HEAD')
    return page(405, 'Method Not Allowed', 'There is no backend here.', { allow: 'GET, HEAD' });
  if (isHidden(path)) return notFound();
  if (route) return serve(request, route, path);
  // No entry: a site of a stage that was just upgraded, or of a table that cannot be read.
  if (!PROJECT.test(site)) return notFound();
  request.querystring = {};
  onlyFile(request, false);
  request.uri = '/__outputs/' + site + path + (path.charAt(path.length - 1) === '/' ? 'index.html' : '');
  return request;
}

// CloudFront function (cloudfront-js-2.0) in front of the sites: maps what a visitor asks for to a key of the bucket.
// DOMAIN is put in by lib/constructs/sites/sites.ts; it is '' where sites are paths of the distribution's own name.
var DOMAIN = '__DOMAIN__';
var PROJECT = /^[a-z0-9](-?[a-z0-9])*$/;

function notFound() {
  return {
    statusCode: 404,
    statusDescription: 'Not Found',
    headers: { 'content-type': { value: 'text/plain; charset=utf-8' } },
    body: 'There is no site here.\n',
  };
}

function redirect(location) {
  return { statusCode: 302, statusDescription: 'Found', headers: { location: { value: location } } };
}

function query(request) {
  var parts = [];
  for (var name in request.querystring) {
    var entry = request.querystring[name];
    var values = entry.multiValue || [entry];
    for (var i = 0; i < values.length; i++) parts.push(name + (values[i].value === '' ? '' : '=' + values[i].value));
  }
  return parts.length > 0 ? '?' + parts.join('&') : '';
}

function value(request, name) {
  return request.headers[name] ? request.headers[name].value : '';
}

/** The project at the start of a path, '' where there is none. */
function firstSegment(path) {
  var segment = path.split('/')[1] || '';
  return PROJECT.test(segment) && segment.length <= 63 ? segment : '';
}

/** `https://host/project/…` → project, for requests that a page of this very host makes. */
function refererProject(request) {
  var match = /^https?:\/\/([^/]+)(\/.*)$/.exec(value(request, 'referer'));
  return match && match[1] === value(request, 'host') ? firstSegment(match[2]) : '';
}

/** Files that are instructions to a server and not part of the site. */
function isRuleFile(path) {
  var name = path;
  try {
    name = decodeURIComponent(path);
  } catch (_) {
    // no file has such a name
  }
  return name === '/_headers' || name === '/_redirects';
}

// biome-ignore lint/correctness/noUnusedVariables: CloudFront calls it
function handler(event) {
  var request = event.request;
  var uri = request.uri;
  var project;
  var path;
  if (DOMAIN !== '') {
    var host = value(request, 'host');
    if (host.slice(-DOMAIN.length - 1) !== '.' + DOMAIN) return notFound();
    project = host.slice(0, -DOMAIN.length - 1);
    if (!PROJECT.test(project) || project.length > 63) return notFound();
    path = uri;
  } else {
    project = firstSegment(uri);
    // A page under /project/ that asks for /assets/x means its own: send it there. Pages themselves are never sent on.
    var from = refererProject(request);
    var dest = value(request, 'sec-fetch-dest');
    if (from !== '' && from !== project && dest !== '' && dest !== 'document' && dest !== 'iframe')
      return redirect('/' + from + uri + query(request));
    if (project === '') return notFound();
    path = uri.slice(project.length + 1);
    // Relative links need the slash.
    if (path === '') return redirect('/' + project + '/' + query(request));
  }
  if (isRuleFile(path)) return notFound();
  if (path.charAt(path.length - 1) === '/') path += 'index.html';
  request.uri = '/__outputs/' + project + path;
  return request;
}

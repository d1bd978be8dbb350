// A builder in the shape of a process: reports over HTTP what a builder reports over Kafka, and does what DO says.
// `ok` · `silent` (ends well, its last event is lost) · `exit:N` (without a word) · `says:CODE/N` · `hang` (until SIGTERM)
// `stays` (ends well, but its process does not) · `says:CODE/stays`
const { DEPLOYMENTID: deploymentId, PROJECT_ID: projectId, REPORT_TO, HANDOVER_URL } = process.env;
const { BUILD_ENV } = (await (await fetch(HANDOVER_URL)).json()).variables;
const attempt = Number(process.env.ATTEMPT);
const words = (JSON.parse(BUILD_ENV).DO ?? 'ok').split(',');
const [kind, detail = ''] = words[Math.min(attempt, words.length) - 1].split(':');
const post = (path, body) => fetch(REPORT_TO + path, { method: 'POST', body: JSON.stringify(body) });
const say = (what, body) => {
  const id = `${deploymentId}-frontend-${attempt}-${what}`;
  const at = new Date().toISOString();
  return post('/event', { v: 1, id, at, deploymentId, projectId, target: 'frontend', attempt, ...body });
};
const fail = async (code, exitCode) => {
  await say('ended', { type: 'build.failed', error: { code, message: `It failed: ${code}.` }, logLines: 0 });
  if (Number.isNaN(exitCode)) await hang();
  process.exit(exitCode);
};
const hang = () => new Promise((done) => setTimeout(done, 600_000));
process.on('SIGTERM', () => fail('BUILD_STOPPED', 143));
await say('fetch-started', { type: 'build.phase', phase: 'fetch', state: 'started' });
if (kind === 'hang') await hang();
if (kind === 'exit') process.exit(Number(detail));
if (kind === 'says') await fail(detail.split('/')[0], Number(detail.split('/')[1]));
const artifact = { kind: 'static', bucket: 'veren-v2', prefix: `__outputs/${projectId}/`, files: 1, bytes: 2 };
await post('/published', { projectId, deploymentId, attempt });
if (kind === 'ok' || kind === 'stays') await say('ended', { type: 'build.succeeded', artifact, logLines: 0 });
if (kind === 'stays') await hang();
process.exit(0);

import { readdirSync, readFileSync } from 'node:fs';
import { analyzeRepository } from './lambdas/clone-worker/analyzeRepository.ts';
import { LAPTOP_POLICY } from './lambdas/shared/repo/gitPolicy.ts';
const [url, timeout] = process.argv.slice(2);
let worst = 0, last = performance.now(), rss = 0, kids = 0; 
setInterval(() => { const n = performance.now(); worst = Math.max(worst, n - last - 5); last = performance.now(); }, 5).unref();
const base = process.memoryUsage.rss();
function children() { let sum = 0; for (const p of readdirSync('/proc')) if (/^\d+$/.test(p)) try { const s = readFileSync(`/proc/${p}/cmdline`, 'utf8'); if (/git/.test(s) && /veren-git/.test(readFileSync(`/proc/${p}/environ`, 'utf8'))) sum += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${p}/status`, 'utf8'))?.[1] ?? 0); } catch {} return sum / 1024; }
setInterval(() => { rss = Math.max(rss, process.memoryUsage.rss() - base); }, 10).unref();
setInterval(() => { kids = Math.max(kids, children()); }, 50).unref();
const t = performance.now();
const r = await analyzeRepository({ gitUrl: url!, policy: { ...LAPTOP_POLICY, timeoutMs: Number(timeout ?? 60000) } }).then((p) => 'plan ' + p.frontend?.path + ' ' + p.warnings.join('|').slice(0, 150), (e) => `${e.code} ${String(e.message).slice(0, 220)}`);
console.log(`${((performance.now() - t) / 1000).toFixed(1)} s, stall ${worst.toFixed(0)} ms, rss +${(rss / 1048576).toFixed(0)} MB, git ${kids.toFixed(0)} MB: ${r}`);
process.exit();

// Checks checkov's findings against the answers in template-findings.json: template-findings.mjs <stage>=<report.json>…
// Ends with 1 where a finding has no answer, or an answer no finding any more.
import { readFileSync } from 'node:fs';

const answers = JSON.parse(readFileSync(new URL('template-findings.json', import.meta.url), 'utf8'));
for (const { check, resources, reason } of answers)
  if (!check || !resources || !(reason?.length > 20)) throw new Error(`an answer lacks something: ${check}`);
const used = new Set();
let unanswered = 0;
for (const argument of process.argv.slice(2)) {
  const [stage, file] = argument.split('=');
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const { results, summary } = Array.isArray(report) ? report.find((r) => r.check_type === 'cloudformation') : report;
  if (!summary?.resource_count || summary.parsing_errors) throw new Error(`checkov read nothing of stage ${stage}`);
  for (const finding of results.failed_checks) {
    const resource = finding.resource.split('.').at(-1);
    const answer = answers.find(
      (a) =>
        a.check === finding.check_id &&
        (!a.stages || a.stages.includes(stage)) &&
        new RegExp(a.resources).test(resource),
    );
    if (answer) used.add(answer);
    else {
      unanswered += 1;
      console.log(`stage ${stage}: ${finding.check_id} ${resource}: ${finding.check_name}`);
    }
  }
  console.log(`checkov, stage ${stage}: ${summary.passed} passed, ${results.failed_checks.length} answered or told above`);
}
const idle = answers.filter((a) => !used.has(a));
for (const { check, resources } of idle) console.log(`no finding any more: ${check} ${resources}`);
process.exitCode = unanswered + idle.length > 0 ? 1 : 0;

import { VerenError } from '../../../../contract/errors.ts';
import { DISK_FULL, PhaseFault } from '../../../shared/fault.ts';
import type { Heard } from './follow.ts';

const KILLED = /signal: killed|exit (?:status|code:?) 137\b/;
const EXIT_CODE = /exit(?: status|ed with|ed: | code:?)?[ :]*(?:status )?(\d{1,3})\b/;
/** The registry has no such image, or does not give it to everybody. */
const MISSING =
  /MANIFEST_UNKNOWN|manifest unknown|NAME_UNKNOWN|name unknown|not found|does not exist|UNAUTHORIZED|unauthorized|DENIED|denied|invalid reference|could not parse reference/;
/** In the words of Kaniko, BuildKit and buildah. */
const PULL =
  /unable to complete operation after|(?:MANIFEST|NAME)_UNKNOWN|(?:manifest|name) unknown|UNAUTHORIZED|DENIED|TOOMANYREQUESTS|toomanyrequests|dial tcp|i\/o timeout|connection refused|no such host|creating build container|initializing source|reading manifest|failed to (?:pull|resolve source metadata)|pull access denied/;
const PARSE =
  /dockerfile parse error|parsing dockerfile|parse error on line|unknown instruction|unexpected end of statement/i;

/** The end of a Dockerfile's build as the sentence that its author needs. */
export function diagnoseOwnEnding(
  ending: Heard & { readonly exitCode: number; readonly lastLines: readonly string[]; readonly dockerfile: string },
): PhaseFault {
  const { exitCode, step, errors, lastLines } = ending;
  const reason = errors.at(-1) ?? lastLines.at(-1) ?? `exit code ${exitCode}`;
  const text = errors.join('\n');
  const code = Number(EXIT_CODE.exec(text)?.[1] ?? exitCode);
  const fault = (error: VerenError, exit?: number) => new PhaseFault(error, exit, lastLines);
  if ([...errors, ...lastLines].some((line) => DISK_FULL.test(line)))
    return fault(new VerenError('BUILD_DISK_FULL', { phase: 'build' }));
  if (exitCode === 137 || KILLED.test(text)) return fault(new VerenError('BUILD_OUT_OF_MEMORY'), 137);
  if (PARSE.test(text)) return fault(new VerenError('DOCKERFILE_INVALID', { path: ending.dockerfile, reason }));
  // An image may be pulled at any FROM; what a step itself cannot reach is that step's failure.
  if (PULL.test(text) && !/^(?:RUN|ADD)\s/i.test(step ?? '')) {
    const row = MISSING.test(text) ? 'DOCKERFILE_BASE_MISSING' : 'BASE_IMAGE_UNAVAILABLE';
    return fault(new VerenError(row, { reason }));
  }
  return fault(new VerenError('DOCKERFILE_STEP_FAILED', { step: step ?? ending.dockerfile, reason }), code);
}

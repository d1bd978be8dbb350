import { z } from 'zod';
import { VerenError } from '../../contract/errors.ts';

const id = z
  .string()
  .regex(/^[1-9]\d{0,9}$/, 'must be the number of a user or group other than root')
  .transform(Number);
const path = z.string().startsWith('/', 'must be an absolute path');

/**
 * Variables of the image (or of the laptop's task runner) besides the job's, and those that the start of the builder
 * adds.
 */
export const ImageEnvSchema = z.object({
  PATH: z.string().min(1),
  /** The fresh folder of this build, made at the start of the fetch: source, home, tmp, cache, tools for it; control for us. */
  VEREN_WORK: path,
  VEREN_NODE: path,
  /** Folder with prepared package managers, `<name>@<version>/` each. New ones are added where it is writable. */
  VEREN_TOOLS: path,
  /** Folders in which the owner of a laptop has programs that sites are built with. Empty in an image. */
  VEREN_TOOL_PATH: z.string().default(''),
  VEREN_BUILD_UID: id.optional(),
  VEREN_BUILD_GID: id.optional(),
  /** Processes and threads that the build may have at once; only where it runs as a user of its own. */
  VEREN_BUILD_PROCESSES: id.default(4_096),
  /** Seconds that the last messages may take to reach a broker that is away. */
  VEREN_REPORT_WAIT: z.string().regex(/^\d+$/).transform(Number).default(60),
});
export type ImageEnv = z.infer<typeof ImageEnvSchema>;

/**
 * Checks an environment against the schemas and reports every fault at once, by name and without values.
 * Throws `VerenError('BUILDER_MISCONFIGURED')`.
 */
export function parseEnv<A extends z.ZodType, B extends z.ZodType>(
  raw: Record<string, string>,
  job: A,
  image: B,
): { job: z.output<A>; image: z.output<B> } {
  const a = job.safeParse(raw);
  const b = image.safeParse(raw);
  if (a.success && b.success) return { job: a.data, image: b.data };
  const issues = [...(a.error?.issues ?? []), ...(b.error?.issues ?? [])];
  const told = issues.map((issue) => {
    const name = String(issue.path[0] ?? 'environment');
    if (raw[name] === undefined) return `${name} is missing`;
    // The message of a fault inside the user's variables may contain their values.
    return /^(?:BUILD|INSTALL_ONLY|BUILD_ONLY)_ENV$/.test(name)
      ? `${name} must be a JSON object of variables`
      : `${name}: ${issue.message}`;
  });
  throw new VerenError('BUILDER_MISCONFIGURED', { reason: [...new Set(told)].join('; ') });
}

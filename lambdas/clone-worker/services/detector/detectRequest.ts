import type { BackendOverrides, CreateDeployment, FrontendOverrides } from '../../../../contract/api.ts';
import type { GitOptions } from '../../../../contract/deployment-options.ts';
import type { Lane } from '../../../../contract/lanes.ts';

export interface DetectRequest {
  /** Look only at this folder and below it; manifests above it still count. */
  readonly path?: string | undefined;
  readonly frontend?: false | FrontendOverrides | undefined;
  readonly backend?: false | BackendOverrides | undefined;
  /** Fields of the request that the project's settings have decided, e.g. `frontend.buildCommand`: for the evidence. */
  readonly fromProject?: readonly string[] | undefined;
  /** What a build will have besides the files of the commit: that is not warned of. */
  readonly git?: GitOptions | undefined;
  readonly publication?: CreateDeployment['publication'];
  /** The deployment has a git token. */
  readonly hasToken?: boolean | undefined;
  readonly lane?: Lane | undefined;
  /** ISO date (`2026-11-23`): Node lines past their end of life are avoided. */
  readonly today: string;
  /** Bytes of one manifest; a larger one is not read. */
  readonly maxFileBytes: number;
}

import type { FunctionEnv } from '../../../contract/function-env.ts';
import { type GitPolicy, LAPTOP_POLICY, PUBLIC_POLICY } from './gitPolicy.ts';

export type GitHosts = FunctionEnv<'api'>['GIT_HOSTS'];

/** Which git hosts may be read: public ones by https, or all of them (on an emulator). */
export const gitPolicy = (hosts: GitHosts): GitPolicy => (hosts === 'any' ? LAPTOP_POLICY : PUBLIC_POLICY);

import { analyzeRepository } from '../clone-worker/analyzeRepository.ts';
import type { Api } from '../shared/http/guard.ts';
import type { GitPolicy } from '../shared/repo/gitPolicy.ts';
import { type AnalyzerDeps, createAnalyzer } from './analyzer.ts';

export interface AnalyzerPorts extends Omit<AnalyzerDeps, 'analyze'> {
  /** Runs before the first analysis. */
  readonly ready: Promise<unknown>;
}

export const composeAnalyzer = ({ ready, ...ports }: AnalyzerPorts, settings: { readonly policy: GitPolicy }): Api =>
  createAnalyzer({
    ...ports,
    async analyze(request) {
      await ready;
      return analyzeRepository({ ...request, ...settings });
    },
  });

import type { ErrorCode, ErrorDetails } from '../../contract/errors.ts';
import type { AnalyzeInput, analyzeRepository } from '../../lambdas/clone-worker/analyzeRepository.ts';

export type Analysis = Awaited<ReturnType<typeof analyzeRepository>>;
/** What can be sent to another process. */
export type AnalysisInput = Omit<AnalyzeInput, 'signal' | 'clock' | 'resolve'>;
export type AnalysisRequest = Omit<AnalysisInput, 'policy' | 'workDir'>;

/** From the process that analyzes to the platform. */
export type AnalysisMessage =
  | { readonly type: 'child-started' | 'child-ended'; readonly pid: number }
  | { readonly type: 'analysis'; readonly analysis: Analysis }
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly details: ErrorDetails }
  | { readonly type: 'failed'; readonly stack: string };

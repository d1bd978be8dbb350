import type { FrameworkRules } from '../framework.ts';
import { nextjs } from './nextjs.ts';

/** Next.js with a data layer: configured, rendered and cached as that. */
export const blitzjs: FrameworkRules = { ...nextjs, slug: 'blitzjs' };

import type { FrameworkRules } from '../framework.ts';

export const docusaurus: FrameworkRules = { slug: 'docusaurus-2', documents: true };

/** Version 1, whose commands have other names. */
export const docusaurusOne: FrameworkRules = { slug: 'docusaurus', documents: true };

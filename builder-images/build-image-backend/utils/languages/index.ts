import type { RuntimeName, ServiceLanguageName } from '../../../../contract/runtimes.ts';
import { go } from './go.ts';
import type { BuilderLanguage } from './language.ts';
import { python } from './python.ts';

const LANGUAGES: Readonly<Record<ServiceLanguageName, BuilderLanguage>> = {
  python,
  go,
};

/** The language of a runtime that services have a template for; undefined for Node, and for what builds sites. */
export const builderLanguage = (runtime: RuntimeName): BuilderLanguage | undefined =>
  (LANGUAGES as Readonly<Partial<Record<RuntimeName, BuilderLanguage>>>)[runtime];

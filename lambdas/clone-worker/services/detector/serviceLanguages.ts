import type { ServiceLanguage } from './language.ts';
import { go } from './languages/go.ts';
import { python } from './languages/python.ts';

/** Languages besides JavaScript that services are built in, in the order in which they are asked. */
export const SERVICE_LANGUAGES: readonly ServiceLanguage[] = [python, go];

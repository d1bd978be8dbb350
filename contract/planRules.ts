/** The `rule` of a choice that the request itself makes. */
export const REQUEST_RULE = 'request';
/** The rule of what the settings of the project fix. */
export const PROJECT_RULE = 'project';
/** The rule of what a settings file of the repository fixes; the evidence names the file. */
export const SETTINGS_RULE = 'veren.json';

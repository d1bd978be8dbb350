import { UPLOAD_SCHEME } from '../../contract/names.ts';

/** Whether a deployment is of an uploaded folder: its files are from no repository. */
export const isUpload = (gitUrl: string): boolean => gitUrl.startsWith(UPLOAD_SCHEME);

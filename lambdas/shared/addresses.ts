import { createHash, createHmac } from 'node:crypto';

/** A label of a host name has at most 63 characters (RFC 1035). */
const MAX_LABEL = 63;
const SEPARATOR = '--';
const DEPLOYMENT_CHARACTERS = 12;
const BRANCH_CHARACTERS = 8;
const MAX_SLUG = 20;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** Five bits a character; 12 of them are 60 bits, which nobody guesses over the network. */
const base32 = (bytes: Buffer, length: number) =>
  Array.from({ length }, (_, i) => BASE32[(bytes.readUInt16BE((i * 5) >> 3) >> (11 - ((i * 5) & 7))) & 31]).join('');

const derive = (addressKey: string, what: string, length: number) =>
  base32(createHmac('sha256', addressKey).update(what).digest(), length);

/** The label of one deployment: the same for ever, and nobody without the project's key can make it. */
export const deploymentLabel = (addressKey: string, deploymentId: string): string =>
  derive(addressKey, `deployment:${deploymentId}`, DEPLOYMENT_CHARACTERS);

/** The label of a branch or pull request, which its newest deployment has: readable at its start, secret at its end. */
export function branchLabel(addressKey: string, branch: string): string {
  const slug = branch
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_SLUG)
    .replaceAll(/^-+|-+$/g, '');
  const secret = derive(addressKey, `branch:${branch}`, BRANCH_CHARACTERS);
  return slug === '' ? secret : `${slug}-${secret}`;
}

/**
 * The host label of a preview, `{label}--{projectId}`. A project whose id leaves too little room is shortened, with a hash
 * of the whole id, so that two of them never share a name. Project ids themselves hold no `--`.
 */
export function previewHost(label: string, projectId: string): string {
  const room = MAX_LABEL - label.length - SEPARATOR.length;
  if (projectId.length <= room) return label + SEPARATOR + projectId;
  const hash = base32(createHash('sha256').update(projectId).digest(), 6);
  return `${label}${SEPARATOR}${projectId.slice(0, room - hash.length - 1).replace(/-$/, '')}-${hash}`;
}

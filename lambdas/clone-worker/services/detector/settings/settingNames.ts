import { closest, distance } from 'fastest-levenshtein';
import { describeSettingsFile } from '../../../../../contract/settings-file.ts';

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly anyOf?: readonly Node[];
}

/** Fields of a request that no file may hold, and why. */
const REQUEST_ONLY = new Map([
  ['projectId', 'the request names the project'],
  ['gitUrl', 'the request names the repository'],
  ['ref', 'the request names what is deployed'],
  ['gitToken', 'no token belongs into a repository; give it with the request'],
  ['env', 'variables are given with the request, where they are kept encrypted'],
  ['cache', 'whether a deployment starts from the caches is said in its request'],
  ['lane', 'the platform decides it'],
]);
const MAX_COMPARED = 40;

let tree: Node | undefined;
const nodeOf = (path: readonly string[]): Node => {
  tree ??= describeSettingsFile() as Node;
  return path.reduce<Node>((node, name) => {
    const fields = fieldsOf(node);
    return Object.hasOwn(fields, name) ? fields[name]! : {};
  }, tree);
};
const fieldsOf = (node: Node): Readonly<Record<string, Node>> =>
  node.properties ?? node.anyOf?.find((branch) => branch.properties)?.properties ?? {};

/** Names of the settings in the object at a path of the file. */
export const namesAt = (path: readonly string[]): string[] => Object.keys(fieldsOf(nodeOf(path)));

/** What to say of a key that is no setting: where it belongs, the nearest name that is one, or all of them. */
export function adviseOnKey(path: readonly string[], key: string): string {
  const reason = REQUEST_ONLY.get(key);
  if (path.length === 0 && reason !== undefined) return `cannot be set in a file: ${reason}`;
  const names = namesAt(path);
  if (names.length === 0) return 'is no setting; remove it';
  const elsewhere = [[], ...namesAt([]).map((name) => [name])].find((at) => namesAt(at).includes(key));
  if (elsewhere !== undefined && elsewhere.length + path.length > 0)
    return `is no setting here; it belongs ${elsewhere.length === 0 ? 'to the top of the file' : `into "${elsewhere[0]}"`}`;
  const near = key.length <= MAX_COMPARED ? closest(key, names) : undefined;
  if (near !== undefined && distance(key.toLowerCase(), near.toLowerCase()) <= Math.max(2, near.length / 3))
    return `is no setting; did you mean "${near}"?`;
  return `is no setting; there are ${names.map((name) => `"${name}"`).join(', ')}`;
}

import { s3Keys } from '../../../contract/names.ts';
import { type OwnerDocument, OwnerDocumentSchema } from '../../../contract/people.ts';
import type { S3Calls } from '../adapters/aws/clients.ts';
import { openDocuments } from '../documents.ts';
import type { Clock } from '../ports.ts';

/** Members and tokens of the owners, one document each in the bucket. */
export interface OwnerStore {
  /** As the document was at most 30 s ago: how long a revoked token may go on in other processes. */
  readRecent(owner: string): Promise<OwnerDocument>;
  read(owner: string): Promise<OwnerDocument>;
  /**
   * Changes an owner as one step against other changes.
   * @param change Returns the same object to change nothing; may throw.
   */
  change(owner: string, change: (before: OwnerDocument) => OwnerDocument): Promise<OwnerDocument>;
}

const RECENT_MS = 30_000;

export interface OwnerStoreDeps {
  readonly s3: S3Calls;
  readonly bucket: string;
  readonly clock: Clock;
  /** False where the role may not list the bucket: S3 then answers AccessDenied for a key that does not exist. */
  readonly mayList?: boolean;
}

export function openOwnerStore(deps: OwnerStoreDeps): OwnerStore {
  const { clock } = deps;
  const documents = openDocuments(deps.s3, deps.bucket);
  const recent = new Map<string, { readonly document: Promise<OwnerDocument>; readonly at: number }>();
  const emptyOwner = (owner: string): OwnerDocument => ({ v: 1, owner, members: [], tokens: [] });

  const read = async (owner: string) => {
    const stored = await documents.read(s3Keys.owner(owner), OwnerDocumentSchema).catch((e: Error) => {
      if (deps.mayList === false && e.name === 'AccessDenied') return null;
      throw e;
    });
    return stored ?? emptyOwner(owner);
  };

  return {
    read,
    readRecent(owner) {
      const known = recent.get(owner);
      const age = known ? clock.now() - known.at : Number.POSITIVE_INFINITY;
      // A clock that was set back would otherwise make a document recent for hours.
      if (known && age >= 0 && age < RECENT_MS) return known.document;
      const entry = { document: read(owner), at: clock.now() };
      recent.set(owner, entry);
      entry.document.catch(() => recent.get(owner) === entry && recent.delete(owner));
      return entry.document;
    },
    async change(owner, change) {
      const document = await documents.change(s3Keys.owner(owner), OwnerDocumentSchema, (stored) => {
        const before = stored ?? emptyOwner(owner);
        const after = change(before);
        return after === before ? stored : after;
      });
      const after = document ?? emptyOwner(owner);
      recent.set(owner, { document: Promise.resolve(after), at: clock.now() });
      return after;
    },
  };
}

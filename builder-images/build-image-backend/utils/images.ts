/** An image that lies under a tag, as far as its place tells it. */
export interface FoundImage {
  readonly digest: string;
  /** Compressed, as a registry keeps it; on a laptop what the engine tells. */
  readonly bytes: number;
  /** Labels of the image, or annotations of its manifest. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Where users' images are put. */
export interface ImageStore {
  /** Null where nothing has the tag. Throws `VerenError` where the repository is missing or cannot be reached. */
  find(tag: string): Promise<FoundImage | null>;
}

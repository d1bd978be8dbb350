/** A file's precompressed variants are beside it, at its path and one of these. */
export const VARIANT_SUFFIX = { br: '.br', gzip: '.gz' } as const;

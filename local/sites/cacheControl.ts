/** Cache-Control of what a locked preview shows: caches that several people share may not keep it. */
export function forOneVisitor(cacheControl: string | undefined): string {
  const kept = (cacheControl ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && !/^(public|private|s-maxage)\b/i.test(part));
  return ['private', ...kept].join(', ');
}

/**
 * Waits for a state that has to come, however slow the machine is; a test's own timeout is no sentence. Throws where it does not.
 * @param look Gives what was waited for, or nothing yet.
 */
export async function eventually<T>(
  look: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  { withinMs = 60_000, everyMs = 50 }: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  for (const deadline = Date.now() + withinMs; ; ) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`it did not come within ${withinMs / 1_000} s: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

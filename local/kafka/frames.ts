/**
 * Splits a byte stream into frames: four bytes of length, then as many bytes. Memory grows with what has arrived,
 * never with what a length announces.
 * @param limit Greatest length of the next frame; asked anew for each.
 * @throws RangeError where a length is not valid: nothing that follows can be understood.
 */
export async function* readFrames(source: AsyncIterable<Buffer>, limit: () => number): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  let wanted: number | undefined;
  const takeBytes = (length: number): Buffer => {
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts, size);
    parts = all.length > length ? [all.subarray(length)] : [];
    size = all.length - length;
    return all.subarray(0, length);
  };
  for await (const chunk of source) {
    parts.push(chunk);
    size += chunk.length;
    while (true) {
      if (wanted === undefined) {
        if (size < 4) break;
        wanted = takeBytes(4).readInt32BE();
        if (wanted < 8 || wanted > limit()) throw new RangeError('The length of a frame is not valid.');
      }
      if (size < wanted) break;
      const frame = takeBytes(wanted);
      wanted = undefined;
      yield frame;
    }
  }
}

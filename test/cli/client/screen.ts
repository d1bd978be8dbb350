/** A terminal, as far as the display needs one: text, line feeds, "cursor up n" and "erase to the end". Throws on anything else. */
export class Screen {
  readonly columns: number;
  readonly rows = 24;
  #lines: string[] = [''];
  #at = 0;
  /** Nothing was written on this line since the cursor came to it. */
  #fresh = true;

  constructor(columns = 80) {
    this.columns = columns;
  }

  write(text: string): boolean {
    for (const [token] of text.matchAll(/\u001b\[\d*[A-Za-z]|\n|[^\u001b\n]+|\u001b/g)) {
      const csi = /^\u001b\[(\d*)([A-Z])$/i.exec(token);
      if (token === '\n') {
        this.#at += 1;
        this.#fresh = true;
        this.#lines[this.#at] ??= '';
      } else if (csi?.[2] === 'A') {
        this.#at -= Number(csi[1]);
        this.#fresh = true;
        if (this.#at < 0) throw new Error('the cursor left the screen');
      } else if (csi?.[2] === 'J') {
        this.#lines = [...this.#lines.slice(0, this.#at), ''];
      } else if (csi?.[2] === 'm') {
        // Colours take no room.
      } else if (token.startsWith('\u001b')) {
        throw new Error(`the terminal does not know ${JSON.stringify(token)}`);
      } else {
        if (this.#fresh && this.#lines[this.#at] !== '') throw new Error(`written over: ${this.#lines[this.#at]}`);
        this.#lines[this.#at] += token;
        this.#fresh = false;
      }
    }
    return true;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}

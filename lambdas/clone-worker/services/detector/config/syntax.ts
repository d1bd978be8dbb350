/** The part of JavaScript's syntax that configurations are written in. What is not understood is `unknown`. */
export type Expression =
  | { readonly type: 'literal'; readonly value: string | number | boolean | null }
  | { readonly type: 'template'; readonly texts: readonly string[]; readonly values: readonly Expression[] }
  | { readonly type: 'object'; readonly properties: readonly Property[] }
  | { readonly type: 'list'; readonly items: readonly Item[] }
  | { readonly type: 'name'; readonly name: string }
  | { readonly type: 'member'; readonly object: Expression; readonly name: string }
  | { readonly type: 'call'; readonly callee: Expression; readonly args: readonly Item[] }
  | { readonly type: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly type: 'conditional'; readonly test: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly type: 'not'; readonly value: Expression }
  | { readonly type: 'function'; readonly body: Expression | readonly ConfigStatement[] }
  | { readonly type: 'unknown' };

export interface Item {
  readonly value: Expression;
  readonly spread: boolean;
}
export type Property =
  | { readonly kind: 'value'; readonly key: string | Expression; readonly value: Expression }
  | { readonly kind: 'spread'; readonly value: Expression };

export type ConfigStatement =
  | { readonly type: 'declare'; readonly name: string; readonly value: Expression; readonly exported: boolean }
  /** `import a from 'm'`, `const {a} = require('m')`. */
  | { readonly type: 'import'; readonly names: readonly string[]; readonly module: string }
  /** `export default`, `module.exports =`; with a name `exports.name =`. */
  | { readonly type: 'export'; readonly name: string | undefined; readonly value: Expression }
  | { readonly type: 'return'; readonly value: Expression }
  | {
      readonly type: 'if';
      readonly test: Expression;
      readonly yes: readonly ConfigStatement[];
      readonly no: readonly ConfigStatement[];
    };

export const UNKNOWN_EXPRESSION: Expression = { type: 'unknown' };

import type { ComponentChildren } from 'preact';

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => ComponentChildren;
  /** The title is for screen readers only, e.g. above buttons. */
  readonly hideTitle?: boolean;
  readonly align?: 'end';
}

interface TableProps<T> {
  /** What it lists; read out, and not shown. */
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
}

/**
 * A table. On a narrow screen each row becomes a block, with its columns' titles before the cells; the
 * roles are told since a table that is no table in CSS would lose them.
 */
export function Table<T>({ caption, columns, rows, keyOf }: TableProps<T>) {
  return (
    <table class="table" role="table">
      <caption class="visually-hidden">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ title, hideTitle, align }) => (
            <th key={title} role="columnheader" scope="col" class={align && `align-${align}`}>
              <span class={hideTitle ? 'visually-hidden' : undefined}>{title}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr role="row" key={keyOf(row)}>
            {columns.map(({ title, cell, hideTitle, align }) => (
              <td key={title} role="cell" data-title={hideTitle ? undefined : title} class={align && `align-${align}`}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

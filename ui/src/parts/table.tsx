// A table whose columns sort by a click on their head.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

export interface Column<T> {
  name: string;
  cell: (row: T) => ComponentChildren;
  /** What it sorts by; a column without it does not sort. */
  by?: (row: T) => string | number | null;
  /** Figures stand right. */
  numeric?: boolean;
  /** The head is for screen readers alone: the cells speak for themselves. */
  silent?: boolean;
  /** Left out on narrow screens. */
  minor?: boolean;
}

interface Order {
  column: number;
  down: boolean;
}

export function Table<T>(props: { caption: string; columns: Column<T>[]; rows: T[]; rowKey: (row: T) => string | number; sort?: Order; rowClass?: (row: T) => string | undefined }) {
  const { caption, columns, rows, rowKey, rowClass } = props;
  const [order, setOrder] = useState<Order | null>(props.sort ?? null);
  const by = order && columns[order.column]?.by;
  const sorted = by ? rows.toSorted((a, b) => compare(by(a), by(b), order.down)) : rows;
  return (
    // A wide table scrolls by itself; it takes the focus so that keys can scroll it.
    <div class="table-scroll" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class="sr-only">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column, i) => (
              <Head key={column.name} column={column} order={order?.column === i ? order : null} toggle={() => setOrder(next(order, i))} />
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={rowKey(row)} class={rowClass?.(row)}>
              {columns.map((column) => (
                <td key={column.name} class={classes(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Head<T>({ column, order, toggle }: { column: Column<T>; order: Order | null; toggle: () => void }) {
  const sort = order ? (order.down ? "descending" : "ascending") : undefined;
  return (
    <th scope="col" class={classes(column)} aria-sort={sort}>
      {column.by ? (
        <button type="button" class="sort" onClick={toggle}>
          {column.name}
          <span aria-hidden="true">{order ? (order.down ? " ↓" : " ↑") : ""}</span>
        </button>
      ) : (
        <span class={column.silent ? "sr-only" : undefined}>{column.name}</span>
      )}
    </th>
  );
}

function classes<T>(column: Column<T>): string | undefined {
  return [column.numeric ? "num right" : "", column.minor ? "minor" : ""].filter(Boolean).join(" ") || undefined;
}

function next(order: Order | null, column: number): Order | null {
  if (order?.column !== column) return { column, down: false };
  return order.down ? null : { column, down: true };
}

/** What is unknown comes last, whichever way it sorts first. */
function compare(a: string | number | null, b: string | number | null, down: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const up = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  return down ? -up : up;
}

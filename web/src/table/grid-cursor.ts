/** Where the keyboard is in a grid: row -1 is the head, column 0 the tick boxes. */

export interface Cell {
  row: number;
  column: number;
}

export interface CursorAsks {
  size: () => { rows: number; columns: number };
  /** How many rows a page is. */
  page: () => number;
  /** The cursor was moved by a key. */
  move: () => void;
}

/** Make the cursor; `key` answers whether a key was one of its own. */
export function makeCursor(asks: CursorAsks): {
  get: () => Cell;
  set: (cell: Cell) => void;
  clamp: () => void;
  key: (event: KeyboardEvent) => boolean;
} {
  let cell: Cell = { row: 0, column: 1 };

  const set = ({ row, column }: Cell): void => {
    const { rows, columns } = asks.size();
    cell = { row: Math.min(Math.max(row, -1), rows - 1), column: Math.min(Math.max(column, 0), columns - 1) };
  };
  const key = (event: KeyboardEvent): boolean => {
    const { row, column } = cell;
    const { rows, columns } = asks.size();
    const far = event.ctrlKey || event.metaKey;
    const moves: Record<string, Cell> = {
      ArrowUp: { row: row - 1, column },
      ArrowDown: { row: row + 1, column },
      ArrowLeft: { row, column: column - 1 },
      ArrowRight: { row, column: column + 1 },
      PageUp: { row: Math.max(row - asks.page(), 0), column },
      PageDown: { row: row + asks.page(), column },
      Home: { row: far ? 0 : row, column: 0 },
      End: { row: far ? rows - 1 : row, column: columns - 1 },
    };
    const to = moves[event.key];
    if (!to || event.altKey) return false;
    event.preventDefault();
    set(to);
    asks.move();
    return true;
  };
  return { get: () => cell, set, clamp: () => set(cell), key };
}

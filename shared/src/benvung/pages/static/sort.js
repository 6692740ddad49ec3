// Sorts the rows of a table by the column whose heading is pressed: up, then down. Totals stay below, rows
// without a value come last, and the order is kept when live.js replaces the table.

const words = new Intl.Collator("vi", { numeric: true });
const orders = new Map(); // id of the table → [column, direction]

function valueOf(row, column, kind) {
  const cell = row.cells[column];
  if (!cell || cell.classList.contains("missing")) return null;
  const value = cell.dataset.value ?? cell.textContent.trim();
  return kind === "number" ? Number(value) : value;
}

function compare(a, b, kind) {
  if (kind === "number") return a - b;
  return kind === "date" ? (a < b ? -1 : a > b ? 1 : 0) : words.compare(a, b);
}

function sort(table, column, direction) {
  const heading = table.tHead.rows[0].cells[column];
  const kind = heading.querySelector("[data-sort]").dataset.sort;
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [row, valueOf(row, column, kind)]);
  rows.sort(([, a], [, b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return direction * compare(a, b, kind);
  });
  body.append(...rows.map(([row]) => row));
  for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  orders.set(table.id, [column, direction]);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("th [data-sort]");
  if (!button) return;
  const heading = button.closest("th");
  sort(button.closest("table"), heading.cellIndex, heading.ariaSort === "ascending" ? -1 : 1);
});

document.addEventListener("live:replaced", () => {
  for (const [id, [column, direction]] of orders) {
    const table = document.getElementById(id);
    if (table) sort(table, column, direction);
  }
});

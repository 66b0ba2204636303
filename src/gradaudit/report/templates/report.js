"use strict";
// The page is whole without this script: it finds models, sorts tables, and unfolds for print.

const models = Array.from(document.querySelectorAll("details.model"));

function unfold() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  const model = target && target.closest("details.model");
  if (model) { model.open = true; model.scrollIntoView(); }
}
window.addEventListener("hashchange", unfold);
window.addEventListener("beforeprint", () => models.forEach((m) => { m.open = true; }));
unfold();

const find = document.getElementById("find");
if (find && models.length > 1) {
  find.closest(".search").hidden = false;
  find.addEventListener("input", () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const model of models) {
      const text = model.dataset.words.toLowerCase();
      model.hidden = !words.every((word) => text.includes(word));
      shown += model.hidden ? 0 : 1;
    }
    document.getElementById("found").textContent = words.length ? `${shown} of ${models.length}` : "";
  });
}

function value(row, column) {
  const text = row.cells[column].textContent.trim();
  const number = parseFloat(text.replace(/\u202f/g, ""));
  return Number.isNaN(number) ? text : number;
}

function sort(table, column, head) {
  const up = head.getAttribute("aria-sort") !== "ascending";
  const rows = Array.from(table.tBodies[0].rows);
  rows.sort((a, b) => {
    const x = value(a, column), y = value(b, column);
    const order = typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? -1 : 1;
    return up ? order : -order;
  });
  table.tBodies[0].append(...rows);
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
}

for (const table of document.querySelectorAll("table")) {
  if (table.tBodies[0].rows.length < 4) continue;
  Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, column, head));
    head.append(button);
  });
}

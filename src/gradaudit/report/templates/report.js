"use strict";
// The page is whole without this script: it finds models, sorts tables, shows the values of marks in
// figures, and unfolds for print.

const models = Array.from(document.querySelectorAll("details.model"));

function unfold() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  const model = target && target.closest("details.model");
  if (model) { model.open = true; model.scrollIntoView(); }
}
window.addEventListener("hashchange", unfold);
let folded = [];
window.addEventListener("beforeprint", () => {
  folded = Array.from(document.querySelectorAll("details")).filter((m) => !m.open);
  folded.forEach((m) => { m.open = true; });
});
window.addEventListener("afterprint", () => folded.forEach((m) => { m.open = false; }));
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

const SVG = "http://www.w3.org/2000/svg";
const RADIUS = 7;  // pixels of a figure about a point

async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

function mark([x, y, width, height, text]) {
  const area = width || height;
  const shape = document.createElementNS(SVG, area ? "rect" : "circle");
  const sides = area ? { x, y, width, height } : { cx: x, cy: y, r: RADIUS };
  for (const [name, side] of Object.entries(sides)) shape.setAttribute(name, side);
  shape.setAttribute("role", "img");
  shape.setAttribute("aria-label", text);
  shape.setAttribute("tabindex", "-1");
  const title = document.createElementNS(SVG, "title");
  title.textContent = text;
  shape.append(title);
  return shape;
}

async function tell(svg) {
  const shapes = (await inflated(svg.dataset.tips)).map(mark);
  svg.append(...shapes);
  svg.setAttribute("tabindex", "0");
  const tip = svg.closest("figure").querySelector(".tip");
  tip.hidden = false;
  tip.textContent = "Point at a mark, or use the arrow keys, to see its values.";
  const say = (event) => {
    if (event.target !== svg) tip.textContent = event.target.getAttribute("aria-label");
  };
  svg.addEventListener("pointerover", say);
  svg.addEventListener("focusin", say);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = shapes.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : shapes.length - 1) : at + step;
    const shape = shapes[(next + shapes.length) % shapes.length];
    shape.focus({ preventScroll: true });
    shape.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
}

if ("DecompressionStream" in window && "IntersectionObserver" in window) {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((e) => e.isIntersecting)) {
      seen.unobserve(entry.target);
      tell(entry.target);
    }
  });
  document.querySelectorAll("svg[data-tips]").forEach((svg) => seen.observe(svg));
}

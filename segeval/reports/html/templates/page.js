"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
document.documentElement.classList.remove("no-script");

// Numbers as the tables show them: thousands apart, shares in two or three characters.
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
const percent = (share) => {
  if (!share) return "";
  if (share < 0.005) return "<1";
  return share >= 0.995 && share < 1 ? ">99" : String(Math.round(100 * share));
};
const short = (number) => {
  const size = [[1e9, "G"], [1e6, "M"], [1e3, "k"]].find(([least]) => number >= least);
  if (!size) return number ? String(number) : "";
  const scaled = number / size[0];
  return (scaled < 10 ? scaled.toFixed(1) : Math.floor(scaled)) + size[1];
};

// Tables are sorted by the title of a column; of many rows the first are shown, and can be filtered.
const FIRST = 20;
function arrange(table, compare) {
  table.tBodies[0].append(...all("tbody tr", table).sort(compare));
  all("thead th", table).forEach((header) => header.removeAttribute("aria-sort"));
}
function sortBy(header, up = header.getAttribute("aria-sort") !== "ascending") {
  const column = header.cellIndex;
  const table = header.closest("table");
  const text = new Intl.Collator("en", { numeric: true });
  arrange(table, (a, b) => {
    const [one, other] = [a, b].map((row) => row.cells[column]);
    const [x, y] = [one.dataset.value, other.dataset.value];
    if (x === undefined) return (up ? 1 : -1) * text.compare(one.textContent, other.textContent);
    if (x === "" || y === "") return (x === "") - (y === "");
    return up ? x - y : y - x;
  });
  header.setAttribute("aria-sort", up ? "ascending" : "descending");
  table.dispatchEvent(new Event("sorted"));
}
all(".sorts th button").forEach((button) =>
  button.addEventListener("click", () => sortBy(button.parentNode)));

function orderOf(table) {
  const header = table.querySelector("[aria-sort]");
  if (!header) return "";
  const up = header.getAttribute("aria-sort") === "ascending";
  if (!header.classList.contains("number")) return up ? "from A to Z" : "from Z to A";
  return `${up ? "lowest" : "highest"} ${header.textContent} first`;
}
function narrow(section) {
  const [field, worst, listed, said, table, more] =
    ["input", ".worst", ".listed", "[role=status]", "table", ".more"]
      .map((part) => section.querySelector(part));
  const ranking = table.querySelector("[aria-sort]");
  let whole = false;
  function show() {
    const text = field.value.trim().toLowerCase();
    const rows = all("tbody tr", table);
    const found = rows.filter((row) => row.cells[0].textContent.toLowerCase().includes(text));
    const seen = new Set(whole ? found : found.slice(0, FIRST));
    rows.forEach((row) => { row.hidden = !seen.has(row); });
    more.hidden = found.length <= FIRST;
    more.textContent = whole ? `Show the first ${FIRST} only` : `Show all ${grouped(found.length)}`;
    const what = field.dataset.noun + (text && ` with “${text}”`);
    const order = orderOf(table) || listed.textContent.toLowerCase();
    said.textContent = found.length
      ? `Shown: ${grouped(seen.size)} of ${grouped(found.length)} ${what}, ${order}.`
      : `No ${what}.`;
  }
  field.addEventListener("input", show);
  worst?.addEventListener("click", () => sortBy(ranking, true));
  listed.addEventListener("click", () => {
    arrange(table, (a, b) => a.dataset.place - b.dataset.place);
    show();
  });
  more.addEventListener("click", () => {
    whole = !whole;
    show();
    more.scrollIntoView({ block: "nearest" });
  });
  table.addEventListener("sorted", show);
  show();
}
all(".narrowing").forEach((bar) => narrow(bar.parentNode));

const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = document.getElementById("theme");
function color() {
  const chosen = document.documentElement.dataset.theme;
  theme.setAttribute("aria-pressed", String(chosen ? chosen === "dark" : dark.matches));
  document.dispatchEvent(new Event("recolored"));
}
theme.addEventListener("click", () => {
  const now = theme.getAttribute("aria-pressed") === "true";
  document.documentElement.dataset.theme = now ? "light" : "dark";
  color();
});
dark.addEventListener("change", color);
color();

all("#layers input").forEach((input) => input.addEventListener("change", () =>
  all("figure input").forEach((other) => {
    if (other.value === input.value) other.checked = true;
  })));

"use strict";
(() => {
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

  function sortBy(header) {
    const column = header.cellIndex;
    const rows = all("tbody tr", header.closest("table"));
    const up = header.getAttribute("aria-sort") !== "ascending";
    const text = new Intl.Collator("en", { numeric: true });
    const compare = (a, b) => {
      const [one, other] = [a, b].map((row) => row.cells[column]);
      const [x, y] = [one.dataset.value, other.dataset.value];
      if (x === undefined) return (up ? 1 : -1) * text.compare(one.textContent, other.textContent);
      if (x === "" || y === "") return (x === "") - (y === "");
      return up ? x - y : y - x;
    };
    rows[0]?.parentNode.append(...rows.sort(compare));
    all("th", header.parentNode).forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", up ? "ascending" : "descending");
  }
  all(".sorts th button").forEach((button) =>
    button.addEventListener("click", () => sortBy(button.parentNode)));

  all("#layers input").forEach((input) => input.addEventListener("change", () =>
    all("figure input").forEach((other) => {
      if (other.value === input.value) other.checked = true;
    })));

  let redraw = () => {};
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = document.getElementById("theme");
  function color() {
    const chosen = document.documentElement.dataset.theme;
    theme.setAttribute("aria-pressed", String(chosen ? chosen === "dark" : dark.matches));
    redraw();
  }
  theme.addEventListener("click", () => {
    const now = theme.getAttribute("aria-pressed") === "true";
    document.documentElement.dataset.theme = now ? "light" : "dark";
    color();
  });
  dark.addEventListener("change", color);
  color();

  if (!document.getElementById("matrix")) return;
  const matrix = JSON.parse(document.getElementById("matrix").textContent);
  const box = document.querySelector(".matrix");
  const table = box.querySelector("table");
  const canvas = box.querySelector("canvas");
  const rows = matrix.truth.length;
  const columns = matrix.prediction.length;
  const counts = matrix.truth.map(() => new Array(columns).fill(0));
  for (const [row, column, pixels] of matrix.cells) counts[row][column] = pixels;
  const largest = matrix.cells.reduce((most, cell) => Math.max(most, cell[2]), 1);
  let mode = "rows";
  let here = null;

  function share(row, column, kind = mode) {
    const sums = { rows: matrix.support[row], columns: matrix.predicted[column], counts: largest };
    return counts[row][column] / (sums[kind] || 1);
  }
  const step = (part) => (part ? Math.max(1, Math.ceil(Math.sqrt(part) * 10 - 1e-9)) : 0);

  function fillTable() {
    all("tbody tr", table).forEach((line, row) => all("td", line).forEach((cell, column) => {
      const part = share(row, column);
      cell.textContent = mode === "counts" ? short(counts[row][column]) : percent(part);
      cell.className = `h${step(part)}`;
    }));
  }
  function paintCanvas() {
    const colors = all(".scale i").map((sample) => getComputedStyle(sample).backgroundColor);
    [canvas.width, canvas.height] = [columns, rows];
    const context = canvas.getContext("2d");
    context.fillStyle = colors[0];
    context.fillRect(0, 0, columns, rows);
    for (const [row, column] of matrix.cells) {
      context.fillStyle = colors[step(share(row, column))];
      context.fillRect(column, row, 1, 1);
    }
  }
  function draw() {
    document.getElementById("most").textContent =
      mode === "counts" ? `${grouped(largest)} pixels` : "100 %";
    if (canvas) paintCanvas(); else fillTable();
    show();
  }
  function show() {
    if (!here) return;
    const [row, column] = here;
    const [truth, prediction] = [matrix.truth[row], matrix.prediction[column]];
    const [of, from] = [share(row, column, "rows"), share(row, column, "columns")]
      .map((part) => percent(part) || "0");
    document.getElementById("read").textContent =
      `${of} % of truth ${truth} is predicted as ${prediction}: ` +
      `${grouped(counts[row][column])} pixels, ${from} % of all predicted as ${prediction}.`;
    if (table) {
      all(".here", table).forEach((cell) => cell.classList.remove("here"));
      table.tBodies[0].rows[row].cells[column + 1].classList.add("here");
      return;
    }
    const cursor = box.querySelector(".cursor");
    cursor.hidden = false;
    Object.assign(cursor.style, {
      left: `${(100 * column) / columns}%`, top: `${(100 * row) / rows}%`,
      width: `${100 / columns}%`, height: `${100 / rows}%`,
    });
  }
  function point(row, column) {
    here = [Math.min(Math.max(row, 0), rows - 1), Math.min(Math.max(column, 0), columns - 1)];
    show();
  }

  const cells = box.querySelector(".cells");
  cells.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const move = steps[event.key];
    if (!move) return;
    event.preventDefault();
    if (here) point(here[0] + move[0], here[1] + move[1]); else point(0, 0);
    box.querySelector(".here")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
  const read = (event) => {
    if (canvas) {
      const frame = canvas.getBoundingClientRect();
      const row = Math.floor(((event.clientY - frame.top) / frame.height) * rows);
      point(row, Math.floor(((event.clientX - frame.left) / frame.width) * columns));
      return;
    }
    const cell = event.target.closest("tbody td");
    if (cell) point(cell.parentNode.sectionRowIndex, cell.cellIndex - 1);
  };
  cells.addEventListener("pointermove", read);
  cells.addEventListener("pointerdown", read);
  all("[name=cells]").forEach((input) => input.addEventListener("change", () => {
    mode = input.value;
    draw();
  }));

  redraw = draw;
  draw();
})();

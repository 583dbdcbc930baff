// The confusion matrix: a table up to some classes, a map of more.
function drawMatrix() {
  const matrix = JSON.parse(document.getElementById("matrix").textContent);
  const [SMALLEST, LARGEST, APART] = [4, 832, 12]; // pixels: a cell, the matrix, lines of names
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
  // The map of many classes: whole pixels for a cell, and as many names as have room.
  const [cursor, plot] = [".cursor", ".plot"].map((part) => box.querySelector(part));
  const strips = [[".down", "top", matrix.truth], [".across", "left", matrix.prediction]];
  let size = SMALLEST;
  function layOut() {
    const room = box.parentNode.clientWidth - box.querySelector(".down").offsetWidth;
    size = Math.max(SMALLEST, Math.floor(Math.min(LARGEST, room) / columns));
    plot.style.width = `${size * columns}px`;
    show();
  }
  function writeNames() {
    const every = Math.ceil(APART / size);
    strips.forEach(([selector, edge, names], side) => {
      const marked = here?.[side];
      const room = (k) => k === marked || (k % every === 0 && !(Math.abs(k - marked) < every));
      box.querySelector(selector).replaceChildren(...[...names.keys()].filter(room).map((k) => {
        const name = document.createElement("bdi");
        name.textContent = names[k];
        name.classList.toggle("here", k === marked);
        name.style[edge] = `${(100 * (k + 0.5)) / names.length}%`;
        return name;
      }));
    });
  }
  function paint() {
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
      mode === "counts" ? `${grouped(largest)}\u00a0pixels` : "100\u00a0%";
    if (canvas) paint(); else fillTable();
    show();
  }

  // What is known of the cell that is pointed at, beside it.
  const tip = document.getElementById("read");
  function exact(pixels, sum) {
    if (!sum) return "–";
    if (!pixels || pixels === sum) return pixels ? "100\u00a0%" : "0\u00a0%";
    const part = (100 * pixels) / sum;
    if (part < 0.01) return "<0.01\u00a0%";
    if (part >= 99.995) return ">99.99\u00a0%";
    return `${part.toFixed(2)}\u00a0%`;
  }
  function read(row, column) {
    const pixels = counts[row][column];
    const facts = {
      truth: matrix.truth[row],
      prediction: matrix.prediction[column],
      pixels: grouped(pixels),
      "of the true class": exact(pixels, matrix.support[row]),
      "of the predicted class": exact(pixels, matrix.predicted[column]),
    };
    tip.replaceChildren(...Object.entries(facts).map(([title, fact]) => {
      const line = document.createElement("div");
      const value = document.createElement("bdi");
      value.textContent = fact;
      line.append(Object.assign(document.createElement("span"), { textContent: title }), " ", value);
      return line;
    }));
  }
  const spot = () => cursor ?? box.querySelector("td.here");
  function place() {
    if (!here) return;
    const cell = spot().getBoundingClientRect();
    const frame = box.getBoundingClientRect();
    const right = document.documentElement.clientWidth - tip.offsetWidth - 8;
    const below = cell.bottom + 8;
    const above = cell.top - 8 - tip.offsetHeight;
    const top = below + tip.offsetHeight > innerHeight && above > 0 ? above : below;
    tip.style.left = `${Math.max(8, Math.min(cell.right + 8, right)) - frame.left}px`;
    tip.style.top = `${top - frame.top}px`;
  }
  function mark() {
    if (table) {
      all(".here", table).forEach((cell) => cell.classList.remove("here"));
      if (here) table.tBodies[0].rows[here[0]].cells[here[1] + 1].classList.add("here");
      return;
    }
    writeNames();
    cursor.hidden = !here;
    if (here) Object.assign(cursor.style, {
      left: `${(100 * here[1]) / columns}%`, top: `${(100 * here[0]) / rows}%`,
      width: `${100 / columns}%`, height: `${100 / rows}%`,
    });
  }
  function show() {
    mark();
    if (here) read(...here); else tip.replaceChildren();
    place();
  }
  function point(row, column) {
    here = [Math.min(Math.max(row, 0), rows - 1), Math.min(Math.max(column, 0), columns - 1)];
    show();
  }
  function leave() {
    here = null;
    show();
  }

  const cells = box.querySelector(".cells");
  const moves = {
    ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
    PageUp: [-10, 0], PageDown: [10, 0], Home: [0, -columns], End: [0, columns],
  };
  cells.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    if (here) point(here[0] + move[0], here[1] + move[1]); else point(0, 0);
    spot().scrollIntoView({ block: "nearest", inline: "nearest" });
    place();
  });
  function follow(event) {
    if (table) {
      const cell = event.target.closest("tbody td");
      if (cell) point(cell.parentNode.sectionRowIndex, cell.cellIndex - 1);
      return;
    }
    const frame = canvas.getBoundingClientRect();
    const row = Math.floor(((event.clientY - frame.top) / frame.height) * rows);
    const column = Math.floor(((event.clientX - frame.left) / frame.width) * columns);
    const strip = event.target.closest(".names, .corner")?.className;
    if (!strip) point(row, column);
    else if (strip.includes("down")) point(row, row);
    else if (strip.includes("across")) point(column, column);
  }
  cells.addEventListener("pointermove", follow);
  cells.addEventListener("pointerdown", follow);
  cells.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") leave(); });
  cells.addEventListener("focus", () => { if (!here) point(0, 0); });
  cells.addEventListener("blur", leave);
  cells.addEventListener("scroll", place);
  if (canvas) addEventListener("resize", layOut);
  all("[name=cells]").forEach((input) => input.addEventListener("change", () => {
    mode = input.value;
    draw();
  }));

  document.addEventListener("recolored", draw);
  if (canvas) layOut();
  draw();
}
if (document.getElementById("matrix")) drawMatrix();

"use strict";
// The list: only the rows that are seen are in the page; others are fetched as they come into view.

async function search(key) {
  found = { key, count: found.count, rank: null, rows: new Map(), asked: new Set() };
  const mine = found;
  const at_ = state.image === "" ? {} : { at: state.image };
  let answer;
  try {
    answer = await ask("api/images", { ...queryOf(state), limit: CHUNK, ...at_ });
  } catch {
    answer = { count: 0, rows: [], rank: null };
  }
  if (mine !== found) return;
  found.count = answer.count;
  found.rank = answer.rank ?? null;
  found.asked.add(0);
  keep(answer, 0);
  at("scroll").scrollTop = 0;
  at("list").replaceChildren();
  at("list").style.height = `${Math.min(found.count, MOST_ROWS) * ROW}px`;
  showStatus();
  showRows();
}

function keep(answer, offset) {
  answer.rows.forEach((row, index) => found.rows.set(offset + index, row));
}

async function findRank() {
  const mine = found;
  if (found.rank !== null && String(found.rows.get(found.rank)?.position) === state.image) return;
  const answer = await ask("api/images", { ...queryOf(state), limit: 0, at: state.image });
  if (mine === found) found.rank = answer.rank;
}

async function load(chunk) {
  const mine = found;
  if (mine.asked.has(chunk)) return;
  mine.asked.add(chunk);
  const offset = chunk * CHUNK;
  const answer = await ask("api/images", { ...queryOf(state), offset, limit: CHUNK });
  if (mine !== found) return;
  keep(answer, offset);
  showRows();
}

async function rowAt(rank) {
  if (!found.rows.has(rank)) {
    const mine = found;
    const answer = await ask("api/images", { ...queryOf(state), offset: rank, limit: 1 });
    if (mine !== found) return null;
    keep(answer, rank);
  }
  return found.rows.get(rank) ?? null;
}

function grouped(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
}

function showStatus() {
  const some = grouped(found.count);
  const all = `${grouped(run.images)} ${run.images === 1 ? "image" : "images"}`;
  at("status").textContent = found.count === run.images ? all : `${some} of ${all}`;
}

function showRows() {
  const scroll = at("scroll");
  const first = Math.max(0, Math.floor(scroll.scrollTop / ROW) - 5);
  const last = Math.min(found.count, MOST_ROWS, Math.ceil((scroll.scrollTop + scroll.clientHeight) / ROW) + 5);
  const there = new Map();
  for (const node of [...at("list").children]) {
    const rank = Number(node.dataset.rank);
    if (rank < first || rank >= last) node.remove();
    else there.set(rank, node);
  }
  let next = at("list").firstElementChild; // rows stand in order, for Tab and for screen readers
  for (let rank = first; rank < last; rank += 1) {
    const row = found.rows.get(rank);
    if (there.has(rank)) next = there.get(rank).nextElementSibling;
    else if (row) at("list").insertBefore(drawRow(row, rank), next);
    else load(Math.floor(rank / CHUNK));
  }
  for (const node of at("list").querySelectorAll(".row")) {
    if (node.dataset.position === state.image) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
  }
  fillThumbnails();
}

function drawRow(row, rank) {
  const filled = make("span");
  filled.style.width = `${100 * (row.score ?? 0)}%`;
  const title = make("bdi", {}, row.name);
  const two = run.runs.length === 2;
  const value = row.pixels ? `${row.pixels} px${two ? "" : ` · ${row.shown}`}` : row.shown;
  const better = row.difference.startsWith("+") ? "gained" : "lost";
  const difference = two ? [" ", make("span", { class: better }, row.difference)] : [];
  const position = String(row.position);
  const link = make(
    "a",
    { class: "row", href: addressOf({ ...state, image: position }), title: row.name },
    makeThumbnail(position),
    make("span", { class: "title" }, title),
    make("span", { class: "bar", "aria-hidden": "true" }, filled),
    make("span", { class: "value" }, value, ...difference),
  );
  const item = make("div", { role: "listitem", "aria-setsize": found.count, "aria-posinset": rank + 1 }, link);
  link.dataset.position = position;
  item.dataset.rank = rank;
  link.style.top = `${rank * ROW}px`;
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    found.rank = rank;
    go({ image: position }, state.image !== "");
  });
  return item;
}

function reveal(rank) {
  const scroll = at("scroll");
  const top = rank * ROW;
  if (top < scroll.scrollTop) scroll.scrollTop = top;
  else if (top + ROW > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = top + ROW - scroll.clientHeight;
  showRows();
}

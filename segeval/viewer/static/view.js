"use strict";
// The page of `segeval view`: state and controls; the other scripts stand beside it. Names go into
// the page as text, never as HTML; the address holds the state; the server filters and sorts.

const ROW = 56;
const CHUNK = 100;
const MOST_ROWS = 250000; // browsers do not scroll further than some 16 million pixels
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const EMPTY = { q: "", class: "", lowest: "", pair: "", group: "", order: "worst" };

const at = (id) => document.getElementById(id);
let run;
let state = { ...EMPTY, image: "", kind: "errors" };
let found = { key: null, count: 0, rank: null, rows: new Map(), asked: new Set() };
let shown = null; // what the server says of the open image

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (name === "color") node.style.background = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// A server that is busy says when to come back.
async function get(route, parameters) {
  for (;;) {
    const answer = await fetch(`${route}?${new URLSearchParams(parameters)}`);
    if (answer.status !== 503) return answer;
    await new Promise((done) => setTimeout(done, 1000 * Number(answer.headers.get("Retry-After"))));
  }
}

async function ask(route, parameters) {
  const answer = await get(route, parameters);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

// ---- state and address

function queryOf(some) {
  const given = Object.keys(EMPTY).filter((name) => some[name] && some[name] !== EMPTY[name]);
  return Object.fromEntries(given.map((name) => [name, some[name]]));
}

function addressOf(some) {
  const all = { ...queryOf(some) };
  if (run.class !== null && !some.class) all.class = "all";
  if (some.image !== "") all.image = some.image;
  if (some.kind !== "errors") all.kind = some.kind;
  return `#${new URLSearchParams(all)}`;
}

function isBelow(text, bound) {
  return /^\d{1,9}$/.test(text) && Number(text) < bound;
}

function fromAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const next = { ...EMPTY, image: "", kind: "errors" };
  for (const name of Object.keys(next)) if (given.has(name)) next[name] = given.get(name);
  if (!given.has("class") && run.class !== null) next.class = String(run.class);
  const [truth, predicted, more] = next.pair.split("-");
  if (!isBelow(next.class, run.classes.length)) next.class = "";
  if (!isBelow(next.image, run.images)) next.image = "";
  if (!isBelow(next.group, run.groups.length)) next.group = "";
  if (!isBelow(truth, run.classes.length) || !isBelow(predicted, run.classes.length + 1) || more !== undefined) next.pair = "";
  if (next.lowest !== "1" || !next.class) next.lowest = "";
  if (!run.kinds.includes(next.kind)) next.kind = "errors";
  if (!run.orders.some(([order]) => order === next.order)) next.order = EMPTY.order;
  return next;
}

function go(changes, replace = false) {
  const next = { ...state, ...changes };
  if (!next.class) next.lowest = "";
  history[replace ? "replaceState" : "pushState"](null, "", addressOf(next));
  return show(next);
}

async function show(next) {
  const before = state;
  state = next;
  showControls();
  const key = new URLSearchParams(queryOf(state)).toString();
  if (key !== found.key) await search(key);
  else if (state.image !== before.image && state.image !== "") await findRank();
  showOpen(before);
}

// ---- controls

function fill(id, options) {
  at(id).append(...options.map(([value, text]) => make("option", { value }, text)));
}

function showControls() {
  for (const name of ["class", "lowest", "pair", "group", "order"]) {
    const control = at(name);
    if (name === "pair" && state.pair && ![...control.options].some((o) => o.value === state.pair)) {
      const [truth, predicted] = state.pair.split("-").map((k) => run.classes[k]?.name ?? "no class");
      fill("pair", [[state.pair, `${truth} → ${predicted}`]]);
    }
    if (name === "order") {
      control.replaceChildren();
      fill("order", state.pair ? run.orders_of_pair : run.orders);
    }
    control.value = state[name];
  }
  if (document.activeElement !== at("filter")) at("filter").value = state.q;
  at("lowest").disabled = !state.class;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest("input, select");
  if (event.key === "Escape") {
    if (field) field.blur();
    else if (state.image !== "") close();
    return;
  }
  if (field) return;
  const move = event.shiftKey && state.image !== "" ? MOVES[event.key] : undefined;
  if (move) movePoint(...move);
  else if (event.key === "/") {
    if (document.body.classList.contains("open") && getComputedStyle(at("browse")).display === "none") close();
    at("filter").focus();
    at("filter").select();
  } else if (event.key === "ArrowRight") step(1);
  else if (event.key === "ArrowLeft") step(-1);
  else if (event.key === "z" && state.image !== "") enlarge();
  else if (/^[1-9]$/.test(event.key)) choose(run.kinds[Number(event.key) - 1]);
  else return;
  event.preventDefault();
}

function close() {
  const image = state.image;
  go({ image: "" }).then(() => at("list").querySelector(`[data-position="${image}"]`)?.focus());
}

async function start() {
  run = await ask("api/run", {});
  EMPTY.order = run.orders[0][0];
  at("runs").replaceChildren(...run.runs.map((name, index) => make("li", {}, make("strong", {}, "AB"[index]), ` ${name}`)));
  at("notes").replaceChildren(...run.notes.map((note) => make("li", {}, note)));
  makeSides();
  showPixel(null);
  startOpacity();
  at("lacking").textContent = run.lacking;
  at("lacking").hidden = !run.lacking;
  at("summary").replaceChildren(...run.summary.map(([title, value]) => make("span", {}, `${title} ${value}`)));
  at("signature").textContent = run.signature;
  fill("class", run.classes.map((row, index) => [index, row.name]));
  fill("pair", run.confusions.map((row) => [row.pair.join("-"), `${row.truth} → ${row.prediction} (${row.pixels})`]));
  fill("group", run.groups.map(([name, count], index) => [index, `${name} (${count})`]));
  at("groups").hidden = !run.groups.length;
  at("run-classes").replaceChildren(...classTable(run.columns.run, run.classes));
  at("run-confusions").replaceChildren(...confusions(run.confusions.slice(0, 12)));
  for (const name of ["class", "lowest", "pair", "group", "order"]) {
    at(name).addEventListener("change", () => go({ [name]: at(name).value }));
  }
  let typing;
  at("filter").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => go({ q: at("filter").value }, true), 120);
  });
  at("controls").addEventListener("submit", (event) => event.preventDefault());
  at("scroll").addEventListener("scroll", () => requestAnimationFrame(showRows), { passive: true });
  at("back").addEventListener("click", close);
  at("previous").addEventListener("click", () => step(-1));
  at("next").addEventListener("click", () => step(1));
  at("enlarge").addEventListener("click", () => enlarge());
  document.addEventListener("keydown", onKey);
  addEventListener("popstate", () => show(fromAddress()));
  addEventListener("resize", () => requestAnimationFrame(() => {
    showRows();
    showMarkers();
  }));
  await show(fromAddress());
}

start();

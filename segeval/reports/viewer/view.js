"use strict";
// The page of `segeval view`. Names go into the page as text, never as HTML; the address holds the
// state; the server filters and sorts.

const ROW = 44;
const CHUNK = 100;
const MOST_ROWS = 300000; // browsers do not scroll further than some 16 million pixels
const KINDS = ["photograph", "truth", "prediction", "errors"];
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

async function ask(route, parameters) {
  const answer = await fetch(`${route}?${new URLSearchParams(parameters)}`);
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
  if (!KINDS.includes(next.kind)) next.kind = "errors";
  if (!["worst", "best", "name"].includes(next.order)) next.order = "worst";
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

// ---- the list

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
  const [all, some] = [grouped(run.images), grouped(found.count)];
  at("status").textContent = found.count === run.images ? `${all} images` : `${some} of ${all} images`;
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
}

function drawRow(row, rank) {
  const filled = make("span");
  filled.style.width = `${100 * (row.score ?? 0)}%`;
  const title = make("bdi", {}, row.name);
  const value = row.pixels === null ? row.shown : `${row.pixels} px · ${row.shown}`;
  const position = String(row.position);
  const link = make(
    "a",
    { class: "row", href: addressOf({ ...state, image: position }), title: row.name },
    make("span", { class: "title" }, title),
    make("span", { class: "bar", "aria-hidden": "true" }, filled),
    make("span", { class: "value" }, value),
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

// ---- the open image

let steps = 0;
async function step(by) {
  const rank = found.rank === null ? 0 : found.rank + by;
  if (rank < 0 || rank >= found.count) return;
  steps += 1;
  const mine = steps;
  const opened = state.image !== "";
  found.rank = rank;
  const row = await rowAt(rank);
  if (row && mine === steps) await go({ image: String(row.position) }, opened);
}

function showOpen(before) {
  const open = state.image !== "";
  document.body.classList.toggle("open", open);
  at("overview").hidden = open;
  at("detail").hidden = !open;
  if (!open) {
    shown = null;
    wanted = null;
    document.title = "segeval view";
    showRows();
    return;
  }
  if (found.rank === null) showRows();
  else reveal(found.rank);
  at("rank").textContent = found.rank === null ? "not in the list" : `${grouped(found.rank + 1)} of ${grouped(found.count)}`;
  at("previous").disabled = !found.rank;
  at("next").disabled = found.rank !== null && found.rank + 1 >= found.count;
  if (before.image === "") {
    document.querySelector("main").scrollTop = 0;
    if (matchMedia("(max-width: 760px)").matches) at("name").focus();
  }
  showDetail();
}

async function showDetail() {
  const { image, class: chosen } = state;
  const given = chosen ? { image, class: chosen } : { image };
  showKinds();
  draw();
  let answer;
  try {
    answer = await ask("api/image", given);
  } catch (error) {
    if (state.image === image) say(error.message);
    return;
  }
  if (state.image !== image || state.class !== chosen) return;
  shown = answer;
  document.title = `${shown.name} · segeval view`;
  at("name").textContent = shown.name;
  const scores = shown.scores.map(([title, value]) => `${title} ${value}`);
  at("facts").textContent = [shown.subject, ...scores, shown.size, shown.note].filter(Boolean).join(" · ");
  showKinds();
  showLegend();
  at("classes").replaceChildren(
    headings("class", "IoU", "Dice", "precision", "recall", "pixels", "predicted"),
    make("tbody", {}, ...shown.classes.map((row) => make(
      "tr", {}, named(row.index), ...["iou", "dice", "precision", "recall", "pixels", "predicted"].map((name) => cell(row[name])),
    ))),
  );
  at("confusions").replaceChildren(...confusions(shown.confusions));
}

function showKinds() {
  at("kinds").replaceChildren(...KINDS.map((kind, index) => {
    const button = make("button", { type: "button", "aria-pressed": kind === state.kind, onclick: () => choose(kind) },
      `${kind} `, make("kbd", {}, String(index + 1)));
    button.dataset.kind = kind;
    button.disabled = kind === "photograph" && !(shown ? shown.photograph : run.photographs);
    return button;
  }));
}

function choose(kind) {
  if (state.image === "" || (kind === "photograph" && !run.photographs)) return;
  go({ kind }, true).then(() => at("kinds").querySelector(`[data-kind="${kind}"]`)?.focus({ preventScroll: true }));
}

function showLegend() {
  const rows = shown.legend[state.kind] ?? [];
  const wrong = state.kind === "errors" && !state.class;
  const lead = wrong ? [make("li", { class: "soft" }, rows.length ? "wrong, by true class:" : "all is right")] : [];
  at("legend").replaceChildren(...lead, ...rows.map((row) => make(
    "li", {}, make("span", { class: "swatch", color: row.color }), row.name, make("span", { class: "soft number" }, row.pixels),
  )));
}

// One picture is on its way at a time; the one that is wanted by then comes next.
let wanted = null;
let drawing = false;
async function draw() {
  const { image, kind, class: chosen } = state;
  wanted = new URLSearchParams(chosen ? { image, kind, class: chosen } : { image, kind }).toString();
  at("picture").classList.toggle("stale", at("picture").dataset.of !== wanted);
  if (drawing) return;
  drawing = true;
  while (wanted !== null && at("picture").dataset.of !== wanted) {
    const mine = wanted;
    try {
      const answer = await fetch(`picture?${mine}`);
      if (!answer.ok) throw new Error(await answer.text());
      const picture = await answer.blob();
      if (mine === wanted) put(picture, mine);
    } catch (error) {
      if (mine === wanted) say(error.message, mine);
    }
  }
  drawing = false;
  ahead();
}

function put(picture, of) {
  const node = at("picture");
  const old = node.src;
  node.src = URL.createObjectURL(picture);
  if (old) URL.revokeObjectURL(old);
  const given = new URLSearchParams(of);
  node.dataset.of = of;
  node.alt = `${given.get("kind")} of this image`;
  node.className = given.get("kind");
  node.hidden = false;
  at("message").hidden = true;
}

function say(message, of) {
  at("picture").hidden = true;
  at("picture").dataset.of = of ?? "";
  at("message").hidden = false;
  at("message").textContent = message.startsWith("Failed to fetch") ? "The server has ended." : message;
}

async function ahead() {
  if (found.rank === null || found.rank + 1 >= found.count || state.image === "") return;
  const { kind, class: chosen } = state;
  if (kind === "photograph") return; // not every image has one
  try {
    const row = await rowAt(found.rank + 1);
    if (!row) return;
    const given = chosen ? { image: row.position, kind, class: chosen } : { image: row.position, kind };
    await (await fetch(`picture?${new URLSearchParams(given)}`)).arrayBuffer();
  } catch { /* it is said when the image is opened */ }
}

// ---- tables

function headings(...names) {
  return make("thead", {}, make("tr", {}, ...names.map((name, index) =>
    make("th", { scope: "col", class: index ? "number" : "" }, name))));
}

function cell(text) {
  return make("td", { class: "number" }, text);
}

function named(index) {
  const known = run.classes[index];
  return make("td", {}, make("span", { class: "swatch", color: known.color }),
    make("button", { type: "button", onclick: () => go({ class: String(index) }) }, known.name));
}

function confusions(rows) {
  if (!rows.length) return [make("li", { class: "soft" }, "none")];
  return rows.map((row) => make("li", {},
    make("button", { type: "button", onclick: () => go({ pair: row.pair.join("-"), class: "", order: "worst" }) },
      `${row.truth} → ${row.prediction}`),
    make("div", { class: "soft" }, `${row.share} of ${row.truth} is predicted as ${row.prediction}: ${row.pixels} pixels`)));
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
  if (event.key === "/") {
    if (document.body.classList.contains("open") && getComputedStyle(at("browse")).display === "none") close();
    at("filter").focus();
    at("filter").select();
  } else if (event.key === "ArrowRight") step(1);
  else if (event.key === "ArrowLeft") step(-1);
  else if (event.key === "z" && state.image !== "") enlarge();
  else if ("1234".includes(event.key)) choose(KINDS[Number(event.key) - 1]);
  else return;
  event.preventDefault();
}

function close() {
  const image = state.image;
  go({ image: "" }).then(() => at("list").querySelector(`[data-position="${image}"]`)?.focus());
}

function enlarge(event) {
  const stage = at("stage");
  const picture = at("picture");
  const large = stage.classList.toggle("large");
  if (!large) {
    picture.style.width = "";
    return;
  }
  const fits = Math.min(stage.clientWidth / picture.naturalWidth, stage.clientHeight / picture.naturalHeight);
  const factor = Math.max(1, Math.ceil(2 * fits));
  picture.style.width = `${picture.naturalWidth * factor}px`;
  const [x, y] = event ? [event.offsetX / picture.clientWidth, event.offsetY / picture.clientHeight] : [0.5, 0.5];
  stage.scrollTo(x * (stage.scrollWidth - stage.clientWidth), y * (stage.scrollHeight - stage.clientHeight));
}

async function start() {
  run = await ask("api/run", {});
  at("summary").textContent = run.summary.slice(0, 3).map(([title, value]) => `${title} ${value}`).join(" · ");
  at("signature").textContent = run.signature;
  fill("class", run.classes.map((row, index) => [index, row.name]));
  fill("pair", run.confusions.map((row) => [row.pair.join("-"), `${row.truth} → ${row.prediction} (${row.pixels})`]));
  fill("group", run.groups.map(([name, count], index) => [index, `${name} (${count})`]));
  at("groups").hidden = !run.groups.length;
  at("run-classes").replaceChildren(headings("class", "IoU", "pixels"),
    make("tbody", {}, ...run.classes.map((row, index) => make("tr", {}, named(index), cell(row.iou), cell(row.pixels)))));
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
  at("stage").addEventListener("click", (event) => event.target === at("picture") && enlarge(event));
  document.addEventListener("keydown", onKey);
  addEventListener("popstate", () => show(fromAddress()));
  addEventListener("resize", () => requestAnimationFrame(showRows));
  await show(fromAddress());
}

start();

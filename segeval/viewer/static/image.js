"use strict";
// The open image: stepping, its scores and its confusions.

const LAYERS = ["boundary", "distances"]; // whose legends come with their pictures
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
    point(null);
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
  showDetail(before);
}

async function showDetail(before) {
  const { image, class: chosen } = state;
  const given = chosen ? { image, class: chosen } : { image };
  showKinds();
  showOpacity();
  if (image !== before.image) point(null);
  draw();
  let answer;
  try {
    answer = await ask("api/image", given);
  } catch (error) {
    if (state.image === image) sides.forEach((side) => say(side, error.message));
    return;
  }
  if (state.image !== image || state.class !== chosen) return;
  shown = answer;
  document.title = `${shown.name} · segeval view`;
  at("name").textContent = shown.name;
  const scores = shown.scores.map(([title, value]) => `${title} ${value}`);
  at("facts").textContent = [shown.subject, ...scores, shown.size, ...shown.notes].filter(Boolean).join(" · ");
  showKinds();
  showOpacity();
  showLegend();
  at("classes").replaceChildren(...classTable(run.columns.image, shown.classes));
  at("confusions").replaceChildren(...confusions(shown.confusions));
}

function showKinds() {
  at("kinds").replaceChildren(...run.kinds.map((kind, index) => {
    const button = make("button", { type: "button", "aria-pressed": kind === state.kind, onclick: () => choose(kind) },
      `${kind} `, make("kbd", {}, String(index + 1)));
    button.dataset.kind = kind;
    button.disabled = kind === "photograph" && !(shown ? shown.photograph : run.photographs);
    return button;
  }));
}

function choose(kind) {
  if (!run.kinds.includes(kind) || state.image === "" || (kind === "photograph" && !run.photographs)) return;
  go({ kind }, true).then(() => at("kinds").querySelector(`[data-kind="${kind}"]`)?.focus({ preventScroll: true }));
}

function showLegend() {
  for (const side of sides) {
    const { legend, scores } = shown.sides[side.index];
    if (legend[state.kind]) putLegend(side, legend[state.kind], state.kind === "errors" && !shown.subject);
    else if (LAYERS.includes(state.kind)) askLegend(side);
    else side.legend.replaceChildren();
    side.caption.replaceChildren(make("strong", {}, side.letter), ` ${run.runs[side.index]} `, make("span", { class: "soft number" }, ...scores));
  }
}

function putLegend(side, rows, wrong) {
  const lead = wrong ? [soft(rows.length ? "wrong, by true class:" : "all is right")] : [];
  side.legend.replaceChildren(...lead, ...rows.map(entry));
}

function soft(text) {
  return make("li", { class: "soft" }, text);
}

function entry({ color, name, pixels }) {
  return make("li", {}, make("span", { class: "swatch", color }), name, make("span", { class: "soft number" }, pixels));
}

async function askLegend(side) { // known once the picture is drawn
  const of = pictureOf(side, state.image);
  side.legend.replaceChildren();
  let layer;
  try {
    layer = await ask("api/layer", of);
  } catch {
    return; // the picture says what is wrong
  }
  if (!isSame(of, pictureOf(side, state.image))) return;
  const { lead, legend, scores, note, peak } = layer;
  const far = peak ? [make("li", {}, make("button", { type: "button", onclick: () => mark({ ...peak }) },
    `farthest pixel: x ${peak.x}, y ${peak.y}`))] : [];
  side.legend.replaceChildren(...scores.map(soft), ...far, ...[note, lead].filter(Boolean).map(soft), ...legend.map(entry));
}

// ---- tables

function classTable(columns, rows) { // titles by name
  const cells = (row) => Object.keys(columns).map((name) => cell(row[name]));
  return [headings("class", ...Object.values(columns)),
    make("tbody", {}, ...rows.map((row, index) => make("tr", {}, named(row.index ?? index), ...cells(row))))];
}

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

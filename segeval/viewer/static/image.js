"use strict";
// The open image: stepping, its picture, its scores and its confusions.

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
  const counts = { pixels: "pixels", predicted: "predicted" };
  at("classes").replaceChildren(...classTable(run.columns.image, counts, shown.classes));
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
  const wrong = state.kind === "errors" && !shown.subject;
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
      const answer = await get("picture", mine);
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
    await (await get("picture", given)).arrayBuffer();
  } catch { /* it is said when the image is opened */ }
}

// ---- tables

function classTable(scores, counts, rows) {
  const columns = { ...scores, ...counts }; // titles by name
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

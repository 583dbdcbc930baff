"use strict";
// The pictures of the open image, one of each run: what is shown, and what is on its way.

let sides = []; // the nodes of each run, the baseline first
let lead = null; // the side that is scrolled; the other one follows
let wanted = null; // what each side is to show
let drawing = false;
let factor = 0; // how large a pixel is shown, or 0 if the picture fits
let opacity = null; // of errors on photographs, in percent, once it is chosen
const OPAQUE = ["errors", "boundary"]; // what follows it

function makeSides() {
  const two = run.runs.length === 2;
  sides = (two ? ["A", "B"] : [""]).map((letter, index) => {
    const id = (name) => (letter === "A" ? `${name}-A` : name);
    const picture = make("img", { id: id("picture"), alt: "" });
    const message = make("p", { id: id("message"), class: "message", role: "alert", hidden: "" });
    const marker = make("span", { class: "marker", hidden: "" });
    const label = two ? `Picture of ${letter}, enlarged with z` : "Picture, enlarged with z";
    const stage = make("div", { id: id("stage"), class: "stage", role: "group", tabindex: "0", "aria-label": label },
      picture, marker, message);
    const caption = make("figcaption", two ? {} : { hidden: "" });
    const legend = make("ul", { id: id("legend"), class: "legend", "aria-label": two ? `Colours of ${letter}` : "Colours" });
    const side = { index, letter, picture, message, marker, stage, caption, legend };
    for (const event of ["pointerenter", "focus"]) stage.addEventListener(event, () => { lead = side; });
    stage.addEventListener("scroll", () => follow(side));
    picture.addEventListener("load", () => setWidth(side));
    watchPointer(side);
    return side;
  });
  at("sides").classList.toggle("two", two);
  at("sides").replaceChildren(...sides.map((side) => make("figure", {}, side.caption, side.stage, side.legend)));
}

function follow(side) {
  if (side !== lead) return;
  for (const { stage } of sides) if (stage !== side.stage) stage.scrollTo(side.stage.scrollLeft, side.stage.scrollTop);
}

function enlarge(picture, event) {
  const { stage, picture: first } = sides[0];
  const large = !stage.classList.contains("large");
  const fits = Math.min(stage.clientWidth / first.naturalWidth, stage.clientHeight / first.naturalHeight);
  factor = large ? Math.max(1, Math.ceil(2 * fits)) : 0;
  const [x, y] = event ? [event.offsetX / picture.clientWidth, event.offsetY / picture.clientHeight] : [0.5, 0.5];
  for (const side of sides) {
    side.stage.classList.toggle("large", large);
    setWidth(side);
    side.stage.scrollTo(x * (side.stage.scrollWidth - side.stage.clientWidth), y * (side.stage.scrollHeight - side.stage.clientHeight));
  }
  at("enlarge").setAttribute("aria-pressed", large);
}

function setWidth({ picture }) {
  picture.style.width = factor ? `${picture.naturalWidth * factor}px` : "";
  showMarkers();
}

// ---- opacity

function startOpacity() {
  at("opacity-control").hidden = !run.photographs;
  try {
    const kept = sessionStorage.getItem("opacity") ?? "";
    if (isBelow(kept, 101)) opacity = kept;
  } catch { /* it is not remembered */ }
  at("opacity").addEventListener("input", () => {
    opacity = at("opacity").value;
    try {
      sessionStorage.setItem("opacity", opacity);
    } catch { /* it is not remembered */ }
    showOpacity();
    draw();
  });
}

function showOpacity() {
  at("opacity").value = opacity ?? String(Math.round(100 * run.opacity));
  at("opacity-shown").textContent = `${at("opacity").value}\u00a0%`;
  at("opacity").disabled = !OPAQUE.includes(state.kind) || (shown !== null && !shown.photograph);
}

// ---- drawing: one picture is on its way at a time, and what is wanted by then comes next

function pictureOf(side, image) {
  const { kind, class: chosen } = state;
  const given = { image, kind };
  if (chosen) given.class = chosen;
  if (OPAQUE.includes(kind) && opacity !== null) given.opacity = opacity;
  if (sides.length > 1) given.run = side.index;
  return new URLSearchParams(given).toString();
}

function isSame(one, other) { // but for the opacity
  const plain = [one ?? "", other].map((text) => text.replace(/&opacity=\d+/, ""));
  return plain[0] === plain[1];
}

async function draw() {
  wanted = sides.map((side) => pictureOf(side, state.image));
  for (const { index, picture } of sides) picture.classList.toggle("stale", !isSame(picture.dataset.of, wanted[index]));
  if (drawing) return;
  drawing = true;
  for (;;) {
    const side = wanted === null ? undefined : sides.find(({ index, picture }) => picture.dataset.of !== wanted[index]);
    if (side === undefined) break;
    const mine = wanted[side.index];
    const isWanted = () => wanted !== null && mine === wanted[side.index];
    try {
      const answer = await get("picture", mine);
      if (!answer.ok) throw new Error(await answer.text());
      const picture = await answer.blob();
      if (isWanted()) put(side, picture, mine);
    } catch (error) {
      if (isWanted()) say(side, error.message, mine);
    }
  }
  drawing = false;
  await ahead();
  fillThumbnails();
}

function put(side, picture, of) {
  const node = side.picture;
  const old = node.src;
  node.src = URL.createObjectURL(picture);
  if (old) URL.revokeObjectURL(old);
  node.dataset.of = of;
  node.alt = `${new URLSearchParams(of).get("kind")} of this image${side.letter && ` in ${side.letter}`}`;
  node.className = new URLSearchParams(of).get("kind");
  node.hidden = false;
  side.message.hidden = true;
}

function say(side, message, of) {
  side.picture.hidden = true;
  side.picture.dataset.of = of ?? "";
  side.message.hidden = false;
  side.message.textContent = message.startsWith("Failed to fetch") ? "The server has ended." : message;
}

async function ahead() {
  if (found.rank === null || found.rank + 1 >= found.count || state.image === "") return;
  if (state.kind === "photograph") return; // not every image has one
  try {
    const row = await rowAt(found.rank + 1);
    for (const side of row ? sides : []) {
      if (!drawing) await (await get("picture", pictureOf(side, row.position))).arrayBuffer();
    }
  } catch { /* it is said when the image is opened */ }
}

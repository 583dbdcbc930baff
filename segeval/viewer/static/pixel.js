"use strict";
// The value under the pointer: of one pixel at a time, the one that is pointed at by then.

let pointed = null; // column and row in the masks, from 0
let told = null; // the pixel that is described
let asking = false;
let under = null; // the side that the mouse is on, whose pixel needs no mark

function watchPointer(side) {
  const { picture, stage } = side;
  for (const event of ["pointermove", "pointerdown"]) {
    picture.addEventListener(event, ({ clientX, clientY, pointerType }) => {
      under = pointerType === "mouse" ? side : null;
      point(pixelAt(picture, clientX, clientY));
    });
  }
  stage.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && point(null));
  picture.addEventListener("click", (event) => event.pointerType !== "touch" && enlarge(picture, event));
}

function placeOf(picture) { // of the pixels of a mask, within the margins of the picture
  const box = picture.getBoundingClientRect();
  const [width, height] = [picture.naturalWidth, picture.naturalHeight];
  const scale = Math.min(box.width / width, box.height / height);
  return { left: box.left + (box.width - scale * width) / 2, top: box.top + (box.height - scale * height) / 2, scale, width, height };
}

function pixelAt(picture, clientX, clientY) {
  const place = placeOf(picture);
  const [x, y] = [Math.floor((clientX - place.left) / place.scale), Math.floor((clientY - place.top) / place.scale)];
  return x >= 0 && y >= 0 && x < place.width && y < place.height ? { x, y } : null;
}

function movePoint(across, down) {
  const side = sides.find(({ picture }) => !picture.hidden && picture.naturalWidth);
  if (!side) return;
  const { width, height } = placeOf(side.picture);
  const { x, y } = pointed ?? { x: Math.floor(width / 2), y: Math.floor(height / 2) };
  mark({ x: Math.min(width - 1, Math.max(0, x + across)), y: Math.min(height - 1, Math.max(0, y + down)) });
}

function mark(pixel) { // on every side
  under = null;
  point(pixel);
  for (const { marker } of sides) marker.scrollIntoView({ block: "nearest", inline: "nearest" });
}

async function point(pixel) {
  pointed = pixel;
  at("pixel").setAttribute("aria-live", under ? "off" : "polite");
  showMarkers();
  if (pointed === null) showPixel(null);
  if (asking) return;
  asking = true;
  while (pointed !== null && pointed !== told) {
    const [mine, { image }] = [pointed, state];
    let answer = null;
    try {
      answer = await ask("api/pixel", { image, ...mine });
    } catch { /* the picture says what is wrong */ }
    if (image === state.image && pointed !== null) showPixel(answer);
    told = mine;
  }
  asking = false;
}

function showMarkers() {
  for (const side of sides) {
    const { picture, marker, stage } = side;
    marker.hidden = pointed === null || side === under || picture.hidden || !picture.naturalWidth;
    if (marker.hidden) continue;
    const { left, top, scale } = placeOf(picture);
    const box = stage.getBoundingClientRect();
    const size = Math.max(scale, 7);
    const from = (start, number) => `${start + (number + 0.5) * scale - size / 2}px`;
    marker.style.left = from(left - box.left - stage.clientLeft + stage.scrollLeft, pointed.x);
    marker.style.top = from(top - box.top - stage.clientTop + stage.scrollTop, pointed.y);
    marker.style.width = marker.style.height = `${size}px`;
  }
}

function showPixel(answer) {
  if (answer === null) {
    at("pixel").replaceChildren(make("span", { class: "soft" }, "Point at the picture for the values of a pixel; Shift with an arrow key moves."));
    return;
  }
  const { x, y, runs } = answer;
  const same = JSON.stringify(runs[0].truth) === JSON.stringify(runs.at(-1).truth);
  const parts = same ? [...valueOf("truth", runs[0].truth)] : [];
  runs.forEach(({ truth, prediction }, index) => {
    const { letter } = sides[index];
    if (!same) parts.push(...valueOf(`truth of ${letter}`, truth));
    parts.push(...valueOf(letter || "prediction", prediction));
  });
  const words = [make("span", { class: "number" }, `x ${x}, y ${y}`), ...parts];
  at("pixel").replaceChildren(...words.flatMap((word) => [word, " "]));
}

function valueOf(title, { value, class: name, color }) {
  const swatch = color ? [make("span", { class: "swatch", color })] : [];
  const words = value === name || value === "" ? name : `${name} (${value})`;
  return [make("span", {}, make("span", { class: "soft" }, `${title} `), ...swatch, ` ${words}`)];
}

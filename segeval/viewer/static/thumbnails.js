"use strict";
// Small pictures in the rows that are seen: one is on its way at a time, and the last ones are kept.

const MOST_THUMBNAILS = 500;
const thumbnails = new Map(); // addresses by what they show, those not seen for longest first
let filling = false;

function makeThumbnail(image) {
  const given = { image, kind: "thumbnail" };
  if (state.class) given.class = state.class;
  const node = make("img", { class: "thumbnail", alt: "", hidden: "" });
  node.dataset.of = new URLSearchParams(given).toString();
  showThumbnail(node);
  return make("span", { class: "frame", "aria-hidden": "true" }, node);
}

function showThumbnail(node) {
  const { of } = node.dataset;
  const address = thumbnails.get(of);
  if (!address) return;
  thumbnails.delete(of);
  thumbnails.set(of, address);
  node.src = address;
  node.hidden = false;
}

async function fillThumbnails() {
  if (filling) return;
  filling = true;
  try {
    for (let node = nextThumbnail(); node && !drawing; node = nextThumbnail()) {
      const { of } = node.dataset;
      const answer = await get("picture", of);
      keepThumbnail(of, answer.ok ? URL.createObjectURL(await answer.blob()) : "");
      at("list").querySelectorAll(".thumbnail").forEach(showThumbnail);
    }
  } catch { /* the server has ended, which the picture says */ }
  filling = false;
}

function nextThumbnail() {
  const { top, bottom } = at("scroll").getBoundingClientRect();
  if (top === bottom) return undefined;
  const lacking = [...at("list").querySelectorAll(".row")].filter((row) => !thumbnails.has(row.querySelector("img").dataset.of));
  const seen = lacking.find((row) => {
    const box = row.getBoundingClientRect();
    return box.bottom > top && box.top < bottom;
  });
  return (seen ?? lacking[0])?.querySelector("img");
}

function keepThumbnail(of, address) {
  thumbnails.set(of, address);
  for (const [oldest, unused] of thumbnails) {
    if (thumbnails.size <= MOST_THUMBNAILS) return;
    if (unused) URL.revokeObjectURL(unused);
    thumbnails.delete(oldest);
  }
}

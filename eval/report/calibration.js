"use strict";
// The page of a calibration: heat maps of layers and scales, heads on demand, sorted curves,
// stability. Arrays have the shapes of calibration.h5. Whatever carries data-tip says it when
// pointed at.

const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 340, HEAT = 16, DASH = "\u2013";

const $ = id => document.getElementById(id);
const clean = text => String(text).replace(/[\u0000-\u001f\u007f-\u009f]/g, " ");
const mean = list => list.reduce((a, b) => a + b, 0) / list.length;
const range = n => Array.from({length: n}, (_, i) => i);

function make(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.map(c => c instanceof Node ? c : document.createTextNode(clean(c))));
  return node;
}
const h = (tag, attributes, ...children) => make(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) =>
  make(document.createElementNS(SVG, tag), attributes, children);
const label = (x, y, anchor, value) => svg("text", {x, y, "text-anchor": anchor}, value);
const drawing = (height, name, ...children) => svg("svg",
  {viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": name}, ...children);

// Three significant digits.
function short(v) {
  if (!Number.isFinite(v)) return DASH;
  if (v === 0) return "0";
  const text = Math.abs(v) < 1e-4 ? v.toExponential(1) : Number(v.toPrecision(3)).toString();
  return text.replace("-", "\u2212");
}

// ------------------------------------------------------------------------ figures

const scales = data.schedule.length, layers = data.z[0][0][0].length;
const heads = data.current_ratio[0][0][0].length;
const keys = data.schedule.map(([a, b]) => a * b)
  .map((_, si, n) => n.slice(0, si + 1).reduce((a, b) => a + b));

// of(chosen)(si, layer): the figure of a layer; head(chosen)(si, layer, head), where there is one.
// zero: is a score around 0.
const byHead = table => ({
  head: c => (si, l, head) => table(c)[si][l][head],
  of: c => (si, l) => mean(table(c)[si][l])
});
const figures = [
  {name: "Z-score", zero: true, of: c => (si, l) => data.z[c.top][c.kind][si][l]},
  {name: "ASI", of: c => (si, l) => data.asi[c.top][c.kind][si][l]},
  {name: "ASI, renormalised", of: c => (si, l) => data.asi_renormalised[c.top][c.kind][si][l]},
  {name: "Attention on the current map (CAR)", ...byHead(c => data.current_ratio[c.kind])},
  {name: "Attention on the K' best before (HTK)", ...byHead(c => data.history_topk[c.top][c.kind])},
  {name: "Entropy over ln of the keys",
    head: c => (si, l, head) => si ? data.entropy[c.kind][si][l][head] / Math.log(keys[si]) : 0,
    of: c => (si, l) => si ? mean(data.entropy[c.kind][si][l]) / Math.log(keys[si]) : 0},
  {name: "Column variance", ...byHead(c => data.column_variance[c.kind])}
];
const kinds = ["conditional", "unconditional"].slice(0, data.current_ratio.length);
const chosen = {figure: 0, top: data.tops.indexOf(data.top), kind: 0, budget: 0, layer: 0};
const budget = () => data.budgets[chosen.budget];
const isDrafter = (si, l) => data.budgets.length > 0 && budget().drafter[si][l] === 1;

// Where the figures are drawn from the right row: the first scale has no history, hence no score.
const firstScale = () => figures[chosen.figure].head ? 0 : 1;

// ---------------------------------------------------------------------- heat maps

// rows(si)[column] numbers; tip(si, column); mark(si, column): is outlined; choose(column) answers
// to a click and to Enter on the cell that the arrow keys have reached.
function heatMap(name, {columns, title, value, zero, tip, mark, choose, first}) {
  const left = 26, height = 15, width = (WIDTH - left) / columns;
  const all = range(scales - first).flatMap(i => range(columns).map(c => value(first + i, c)));
  const most = Math.max(...all.map(Math.abs), 1e-30), low = zero ? 0 : Math.min(...all, most);
  const node = drawing((scales - first) * height + 36, name);
  const step = columns <= 12 ? 1 : columns <= 24 ? 4 : 8;

  for (let si = first; si < scales; si++) {
    const y = (si - first) * height;
    for (let c = 0; c < columns; c++) {
      const v = value(si, c);
      const tone = zero
        ? {class: v > 0 ? "more" : "less", "fill-opacity": 0.08 + 0.92 * Math.abs(v) / most}
        : {class: "h" + Math.round((v - low) / Math.max(most - low, 1e-30) * (HEAT - 1))};
      const cell = svg("rect", {x: left + c * width + 0.6, y: y + 0.6, width: width - 1.2,
        height: height - 1.2, "data-column": c, "data-tip": tip(si, c, short(v)), ...tone});
      if (mark && mark(si, c)) cell.classList.add("drafter");
      node.append(cell);
    }
    node.append(label(left - 7, y + 11, "end", si + 1));
  }
  for (let c = 0; c < columns; c += step)
    node.append(label(left + (c + 0.5) * width, (scales - first) * height + 13, "middle",
      title === "source scale" ? c + 1 : c));
  node.append(label((left + WIDTH) / 2, (scales - first) * height + 30, "middle", title));
  if (choose) answer(node, columns, choose);
  return node;
}

function answer(node, columns, choose) {
  const cells = node.querySelectorAll("rect"), moves = {
    ArrowUp: -columns, ArrowDown: columns, ArrowLeft: -1, ArrowRight: 1};
  let at = -1;
  node.classList.add("answers");
  node.setAttribute("tabindex", "0");
  node.addEventListener("click", event => {
    const cell = event.target.closest("rect");
    if (cell) choose(Number(cell.dataset.column));
  });
  node.addEventListener("keydown", event => {
    if (event.key === "Enter" && at >= 0) choose(Number(cells[at].dataset.column));
    if (!moves[event.key]) return;
    event.preventDefault();
    if (at >= 0) cells[at].classList.remove("on");
    at = at < 0 ? 0 : Math.min(Math.max(at + moves[event.key], 0), cells.length - 1);
    cells[at].classList.add("on");
    showTip(cells[at]);
  });
}

function drawMaps() {
  const f = figures[chosen.figure], c = chosen, l = c.layer;
  const say = (si, layer, v) => `scale ${si + 1}, layer ${layer}: ${v}` +
    (isDrafter(si, layer) ? ", drafter" : "") +
    (data.budgets.length ? `, in ${short(100 * budget().chosen[si][layer])} % of resamples` : "");

  $("layer-title").textContent = f.name;
  $("layer-map").replaceChildren(heatMap(`${f.name} by layer and scale`, {columns: layers,
    title: "layer", value: f.of(c), zero: f.zero, tip: say, mark: isDrafter, first: firstScale(),
    choose: layer => { chosen.layer = layer; draw(); }}));
  $("head-card").hidden = !f.head;
  if (f.head) {
    const value = f.head(c);
    $("head-title").textContent = `${f.name}, heads of layer ${l}`;
    $("head-map").replaceChildren(heatMap(`${f.name} by head, layer ${l}`, {columns: heads,
      title: "head", value: (si, head) => value(si, l, head), first: 0,
      tip: (si, head, v) => `scale ${si + 1}, head ${head}: ${v}`}));
  }
  $("source-title").textContent = `Where layer ${l} looks`;
  $("source-map").replaceChildren(heatMap(`attention of layer ${l} by source scale`, {
    columns: scales, title: "source scale", value: (si, s) => data.mass[c.kind][si][l][s], first: 0,
    tip: (si, s, v) => `scale ${si + 1} on scale ${s + 1}: ${v} of its attention`}));
}

// ------------------------------------------------------------------------- curves

// points: {x, y, tip, on}; edge: a place on the x axis with a line.
function curve(name, points, {xTitle, edge, low, high, joined}) {
  const box = {left: 56, right: WIDTH - 8, top: 10, bottom: 172};
  const xs = points.map(p => p.x), ys = points.map(p => p.y);
  const yLow = low ?? Math.min(...ys), yHigh = high ?? Math.max(...ys, yLow + 1e-9);
  const xLow = Math.min(...xs), xHigh = Math.max(...xs, xLow + 1);
  const x = v => box.left + (v - xLow) / (xHigh - xLow) * (box.right - box.left);
  const y = v => box.bottom - (v - yLow) / (yHigh - yLow) * (box.bottom - box.top);
  const line = points.map((p, i) => `${i ? "L" : "M"}${x(p.x)} ${y(p.y)}`).join("");

  return drawing(212, name,
    ...[yLow, (yLow + yHigh) / 2, yHigh].flatMap(v => [
      svg("path", {class: "g", d: `M${box.left} ${y(v)}H${box.right}`}),
      label(box.left - 8, y(v) + 4, "end", short(v))]),
    svg("path", {class: "a", d: `M${box.left} ${box.bottom}H${box.right}`}),
    ...(edge === undefined ? []
      : [svg("path", {class: "d", d: `M${x(edge)} ${box.top}V${box.bottom}`})]),
    svg("g", {class: "s0"}, ...(joined ? [svg("path", {class: "p", d: line})] : []),
      ...points.map(p => svg("circle", {class: "m" + (p.on ? " s1" : ""), cx: x(p.x), cy: y(p.y),
        r: points.length > 100 ? 2.5 : 4, "data-tip": p.tip}))),
    label(box.left, box.bottom + 19, "start", short(xLow)),
    label(box.right, box.bottom + 19, "end", short(xHigh)),
    label((box.left + box.right) / 2, box.bottom + 34, "middle", xTitle));
}

function drawCurves() {
  const z = data.z[chosen.top][chosen.kind], last = data.column_variance[chosen.kind][scales - 1];
  const ranked = range(scales).filter(si => si >= budget().first_scale)
    .flatMap(si => range(layers).map(l => ({v: z[si][l], si, l})))
    .sort((a, b) => a.v - b.v);
  const drafters = ranked.filter(p => isDrafter(p.si, p.l)).length;
  const heads = last.flatMap((row, l) => row.map((v, head) => ({v, l, head})))
    .sort((a, b) => b.v - a.v);

  $("z-curve").replaceChildren(curve("sorted Z-scores", ranked.map((p, i) => ({x: i + 1, y: p.v,
    on: isDrafter(p.si, p.l), tip: `scale ${p.si + 1}, layer ${p.l}: ${short(p.v)}`})),
  {xTitle: "pair", edge: drafters + 0.5}));
  $("variance-curve").replaceChildren(curve("sorted column variances", heads.map((p, i) => ({
    x: i + 1, y: p.v, tip: `layer ${p.l}, head ${p.head}: ${short(p.v)}`})),
  {xTitle: "head", low: 0}));
}

// ---------------------------------------------------------------------- stability

function bar(name, share) {
  const fill = h("i", {style: `width: ${Math.round(100 * share)}%`});
  return h("div", {class: "mix"}, h("span", {class: "name"}, name),
    h("span", {class: "s0"}, h("span", {class: "bar", style: "width: 100%"}, fill)),
    h("span", {class: "num"}, short(share)));
}

function drawStability() {
  const b = budget();
  const rows = [["unconditional rows", b.overlap_unconditional], ["both rows", b.overlap_both],
    ["one seed of several", b.overlap_one_seed], 
    ...(b.others || []).map((name, i) => [name, b.overlap_with_others[i]])];

  $("size-curve").replaceChildren(curve("overlap by number of prompts", b.prompts.map((n, i) => ({
    x: n, y: b.overlap_by_prompts[i], tip: `${n} prompts: ${short(b.overlap_by_prompts[i])}`})),
  {xTitle: "prompts of a resample", low: 0, high: 1, joined: true}));
  $("choices").replaceChildren(
    ...data.tops.map((name, t) => bar(`K' ${name}`, b.overlap_by_top[t])),
    ...rows.filter(([, share]) => share >= 0).map(([name, share]) => bar(name, share)));
}

// -------------------------------------------------------------------------- start

// "9\u201312: 0, 23; 13: 0"
function setText(b) {
  const at = si => range(layers).filter(l => b.drafter[si][l]).join(", ") || "none";
  const parts = [];
  for (let si = b.first_scale, end; si < scales; si = end) {
    for (end = si + 1; end < scales && at(end) === at(si);) end++;
    parts.push(`scale${end - si > 1 ? `s ${si + 1}${DASH}${end}` : ` ${si + 1}`}: ${at(si)}`);
  }
  return parts.join("; ");
}

function showTip(target) {
  const tip = $("tip"), box = target.getBoundingClientRect();
  tip.textContent = target.dataset.tip;
  tip.hidden = false;
  const left = box.left + box.width / 2 - tip.offsetWidth / 2;
  const above = box.top - tip.offsetHeight - 6;
  tip.style.left = `${Math.min(Math.max(4, left), innerWidth - tip.offsetWidth - 4)}px`;
  tip.style.top = `${above > 4 ? above : box.bottom + 6}px`;
}

function choice(id, names, key) {
  $(id).append(...names.map((name, i) => h("option", {value: i}, name)));
  $(id).value = chosen[key];
  $(id).addEventListener("change", () => { chosen[key] = Number($(id).value); draw(); });
}

function draw() {
  drawMaps();
  if (!data.budgets.length) return;
  drawCurves();
  drawStability();
}

function start() {
  const [rows, columns] = data.schedule[scales - 1];
  document.title = `skv calibration of ${data.model || "a model"}`;
  $("title").textContent = clean(`${data.model || "Model"}, ${16 * columns} \u00d7 ${16 * rows}`);
  $("lead").textContent = clean(`${data.pictures} picture${data.pictures === 1 ? "" : "s"}, ` +
    `${data.queries || "all"} queries of a head at each scale; ranked by ${data.index}, ` +
    `K' ${data.top}`);
  $("sets").append(...data.budgets.map(b => h("tr", {}, h("th", {scope: "row"}, `${b.percent} %`),
    h("td", {}, b.tokens), h("td", {class: "wrap"}, setText(b)),
    h("td", {}, short(b.overlap_by_prompts[b.prompts.length - 1])),
    h("td", {}, `${Math.round(100 * b.same_set)} %`))));
  choice("figure", figures.map(f => f.name), "figure");
  choice("top", data.tops, "top");
  choice("rows", kinds, "kind");
  choice("budget", data.budgets.map(b => `${b.percent} %`), "budget");
  $("maps").hidden = false;
  for (const id of ["drafters", "curves", "stability"]) $(id).hidden = !data.budgets.length;
  document.addEventListener("pointerover", event => {
    const target = event.target.closest("[data-tip]");
    if (target) showTip(target); else $("tip").hidden = true;
  });
  document.addEventListener("keydown", event => {
    if (event.key === "Escape") $("tip").hidden = true;
  });
  draw();
}

start();

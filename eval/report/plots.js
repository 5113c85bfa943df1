// Drawings: quality against memory, means by scale, heat maps, one path's numbers against
// another's. Whatever carries data-tip says it when pointed at.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 340, LABEL_HEIGHT = 15;
const HEAT = 16, RAMP = 14; // steps of the colours .h0 ... and .q0 ... of style.css

const MARKERS = [
  "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", "m-3.8-3.8h7.6v7.6h-7.6z", "m0-5l4.8 8.6h-9.6z",
  "m0-5.2l5.2 5.2-5.2 5.2-5.2-5.2z", "m0 5l4.8-8.6h-9.6z",
  "m-5.4-1.7h3.7v-3.7h3.4v3.7h3.7v3.4h-3.7v3.7h-3.4v-3.7h-3.7z"
];

function svg(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.map(c => typeof c === "string" ? document.createTextNode(clean(c)) : c));
  return node;
}

const drawing = (height, label, ...children) =>
  svg("svg", {viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label}, ...children);
const text = (x, y, anchor, value, style) =>
  svg("text", {x, y, "text-anchor": anchor, ...(style && {class: style})}, String(value));

// --------------------------------------------------------------------------- axes

// About `wanted` round numbers between low and high.
function ticks(low, high, wanted) {
  const raw = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find(s => s * power >= raw * 0.7) * power;
  const out = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++)
    out.push(k * step);
  return out;
}

function logTicks(low, high) {
  const factors = high / low > 200 ? [1] : [1, 2, 5], out = [];
  for (let decade = 10 ** Math.floor(Math.log10(low)); decade <= high; decade *= 10)
    for (const f of factors)
      if (decade * f >= low * 0.999 && decade * f <= high * 1.001) out.push(decade * f);
  return out;
}

function tickText(v, step) {
  return real(v, step >= 1 ? 0 : Math.min(9, Math.ceil(-Math.log10(step) - 1e-9)));
}

// {x, y} from numbers to places; box: left, right, top, bottom; range: xLow, xHigh, yLow, yHigh,
// log.
function axes(box, range) {
  const share = x => range.log
    ? Math.log(x / range.xLow) / Math.log(range.xHigh / range.xLow)
    : (x - range.xLow) / (range.xHigh - range.xLow);
  return {...box, ...range,
    x: v => box.left + share(v) * (box.right - box.left),
    y: v => box.bottom - (v - range.yLow) / (range.yHigh - range.yLow) * (box.bottom - box.top)};
}

function yAxis(a) {
  const at = ticks(a.yLow, a.yHigh, 4), step = at.length > 1 ? at[1] - at[0] : 1;
  return at.flatMap(v => [
    svg("path", {class: "g", d: `M${a.left} ${a.y(v)}H${a.right}`}),
    text(a.left - 8, a.y(v) + 4, "end", tickText(v, step))]);
}

function xAxis(a, title, at) {
  const marks = at || (a.log ? logTicks(a.xLow, a.xHigh) : ticks(a.xLow, a.xHigh, 5));
  const step = marks.length > 1 ? marks[1] - marks[0] : 1;
  return [svg("path", {class: "a", d: `M${a.left} ${a.bottom}H${a.right}`}),
    ...marks.flatMap(v => [
      svg("path", {class: "a", d: `M${a.x(v)} ${a.bottom}v5`}),
      text(a.x(v), a.bottom + 19, "middle", tickText(v, a.log ? v : step))]),
    text((a.left + a.right) / 2, a.bottom + 38, "middle", title)];
}

// Names beside their points, pushed apart: labels are {x, y, tone, text} and, where colours come
// again, {shape}: the marker before the name.
function labels(list, a) {
  const sorted = [...list].sort((l, r) => l.y - r.y);
  let floor = a.bottom;
  sorted.forEach((l, i) => { if (i) l.y = Math.max(l.y, sorted[i - 1].y + LABEL_HEIGHT); });
  for (const l of [...sorted].reverse()) {
    l.y = Math.min(l.y, floor);
    floor = l.y - LABEL_HEIGHT;
  }
  return sorted.map(l => svg("g", {class: l.tone},
    ...(l.shape === undefined ? [] : [svg("path", {class: "m",
      d: `M${l.x + 15} ${l.y}${MARKERS[l.shape % MARKERS.length]}`})]),
    text(l.x + (l.shape === undefined ? 9 : 24), l.y + 4, "start", cut(l.text, 24), "l")));
}

const line = points => points.map((p, i) => (i ? "L" : "M") + p.join(" ")).join("");

// ---------------------------------------------------------------- quality, memory

// One metric of all paths that have it against their caches; null where there is nothing to draw.
function qualityPlot(metric) {
  const drawn = paths.filter(p => Number.isFinite(metricOf(p, metric).v) && p.last > 0);
  if (!drawn.length) return null;
  const value = p => metricOf(p, metric).v * metric.times, size = p => p.last / MIB;
  const format = metricFormat(metric, drawn.map(p => metricOf(p, metric).v));
  const least = Math.min(...drawn.map(size)), far = Math.max(...drawn.map(size));
  const most = Math.max(far, full / MIB), log = most / least > 5;
  const bounds = p => (spreadOf(p, metric) || []).slice(1).map(v => v * metric.times);
  const all = drawn.flatMap(p => [value(p), ...bounds(p)]);
  const low = Math.min(...all), high = Math.max(...all);
  const air = high > low ? (high - low) * 0.1 : Math.max(Math.abs(high) * 0.1, 1e-6);
  const box = {left: 48, right: WIDTH - 8, top: 12, bottom: 212};
  const range = {log, xLow: log ? least / 1.25 : 0, xHigh: most * (log ? 1.08 : 1.04),
    yLow: metric.lower && low >= 0 ? 0 : low - air, yHigh: high + air};
  let a = axes(box, range);
  if (a.x(far) > a.right - 96) a = axes({...box, right: box.right - 96}, range);

  const front = metric.better ? paretoFront(drawn, size, value, metric.lower) : [];
  const say = p => `${p.name}: ${short(size(p))} MiB, ${format.full(metricOf(p, metric).v)}` +
    (bounds(p).length ? `, 95 % of resamples from ${format.full(spreadOf(p, metric)[1])} to ` +
      format.full(spreadOf(p, metric)[2]) : "") +
    (front.includes(p) ? "; no path is better with less" : "");
  const names = [];
  const lines = series.map(s => {
    const members = s.paths.filter(p => drawn.includes(p)).sort((p, q) => p.last - q.last);
    if (!members.length) return null;
    const end = members[members.length - 1];
    names.push({x: a.x(size(end)), y: a.y(value(end)), tone: s.tone, text: s.name,
      ...(manySeries && {shape: s.shape})});
    return svg("g", {class: s.tone},
      svg("path", {class: "p", d: line(members.map(p => [a.x(size(p)), a.y(value(p))]))}),
      ...members.filter(p => bounds(p).length).map(p => svg("path", {class: "w",
        d: `M${a.x(size(p))} ${a.y(bounds(p)[0])}V${a.y(bounds(p)[1])}`})),
      ...members.map(p => svg("path", {class: "m", d: `M${a.x(size(p))} ${a.y(value(p))}` +
        MARKERS[s.shape % MARKERS.length], "data-tip": say(p)})));
  }).filter(Boolean);
  const edge = full > 0 ? [
    svg("path", {class: "d", d: `M${a.x(full / MIB)} ${a.bottom}V${a.top}`}),
    text(a.x(full / MIB) - 6, a.top + 8, "end", "full cache")] : [];
  const steps = front.map((p, i) => i ? `H${a.x(size(p))}V${a.y(value(p))}`
    : `M${a.x(size(p))} ${a.y(value(p))}`).join("");
  const best = front.length > 1 ? [svg("path", {class: "front", d: steps}),
    ...front.map(p => svg("circle", {class: "front", cx: a.x(size(p)), cy: a.y(value(p)), r: 7.5}))]
    : [];
  return drawing(
    256, `${metric.title} against cache`, ...yAxis(a),
    ...xAxis(a, "cache of a picture after the last cut, MiB"), ...edge, ...best,
    ...lines, ...labels(names, a));
}

// --------------------------------------------------------------------- by scale

const withScales = m => measured.filter(p => finite(scalesOf(p, m)).length > 1);

// "10 %" of scalekv-10 and of scalekv-10-fp8, what tells it from its series' others.
function budgetText(p) {
  const rest = p.name.startsWith(p.policy + "-") ? p.name.slice(p.policy.length + 1) : "";
  const budget = p.type && rest.endsWith("-" + p.type) ? rest.slice(0, -1 - p.type.length) : rest;

  return /^\d+$/.test(budget) ? `${budget}${HARD}%` : p.name;
}

// The paths of series s in its colour, the others in grey.
function scalePlot(m, s) {
  const drawn = withScales(m), own = drawn.filter(p => p.series === s);
  const value = v => v * m.times, format = metricFormat(m, drawn.flatMap(p => scalesOf(p, m)));
  const points = p => scalesOf(p, m).map((v, si) => [si, v]).filter(([, v]) => Number.isFinite(v));
  const all = drawn.flatMap(points).map(([, v]) => value(v));
  const last = Math.max(...drawn.map(p => scalesOf(p, m).length)) - 1;
  const low = Math.min(...all), high = Math.max(...all, low + 1e-6);
  const range = m.percent
    ? {yLow: Math.min(90, 10 * Math.floor(low / 10)), yHigh: Math.max(100, high)}
    : {yLow: low - 0.1 * (high - low), yHigh: high + 0.1 * (high - low)};
  const box = {left: 44, right: WIDTH - 64, top: 10, bottom: 172};
  const a = axes(box, {xLow: 0, xHigh: last, ...range});
  const path = (p, style) => svg("path", {class: style,
    d: line(points(p).map(([si, v]) => [a.x(si), a.y(value(v))]))});
  const names = own.map(p => {
    const [si, v] = points(p)[points(p).length - 1];
    return {x: a.x(si), y: a.y(value(v)), tone: s.tone, text: budgetText(p)};
  });

  return drawing(214, `${m.title} by scale`, ...yAxis(a),
    ...xAxis(a, "scale", Array.from({length: last + 1}, (_, si) => si)),
    ...drawn.filter(p => p.series !== s).map(p => path(p, "f")),
    svg("g", {class: s.tone}, ...own.map(p => path(p, "p")),
      ...own.flatMap(p => points(p).map(([si, v]) => svg("circle", {class: "hit", cx: a.x(si),
        cy: a.y(value(v)), r: 7, "data-tip": `${p.name}, scale ${si}: ${format.full(v)}`})))),
    ...labels(names, a));
}

// -------------------------------------------------------------------- heat maps

const ramp = (si, n) => n < 2 ? 0 : Math.floor((si * (RAMP - 1) + (n - 1) / 2) / (n - 1));

// Steps by the square root: late scales have a hundred times the tokens of early ones.
const heatStep = (tokens, most) =>
  Math.round(Math.sqrt(Math.min(1, Math.max(0, tokens) / most)) * (HEAT - 1));

// rows: a list of numbers of every scale, one a column; columns: what they are ("layer" or "head");
// cell(si, column): attributes of its rectangle, with data-tip; mean(si): what stands behind the
// row; choose(column), if given, answers to a click and to Enter. Arrow keys move from cell to
// cell.
function heatMap(label, rows, {columns, cell, mean, choose}) {
  const left = 26, height = 15, n = rows[0].length, right = WIDTH - 44;
  const width = (right - left) / n, step = n <= 12 ? 1 : n <= 24 ? 4 : 8;
  const node = drawing(rows.length * height + 36, label);

  rows.forEach((row, si) => {
    row.forEach((_, column) => node.append(svg("rect", {x: left + column * width, y: si * height,
      width: Math.max(width - (n > 24 ? 0 : 0.6), 1), height: height - 1,
      "data-scale": si, "data-column": column, ...cell(si, column)})));
    node.append(text(left - 7, si * height + 11, "end", si),
      text(WIDTH, si * height + 11, "end", mean(si)));
  });
  const below = rows.length * height;
  for (let column = 0; column < n; column += step)
    node.append(text(left + (column + 0.5) * width, below + 14, "middle", column));
  node.append(text((left + right) / 2, below + 31, "middle", columns),
    text(WIDTH, below + 14, "end", "mean"));
  node.setAttribute("tabindex", "0");
  node.addEventListener("keydown", event => moveCell(node, event, rows.length, n));
  if (choose) answer(node, choose);
  return node;
}

function answer(node, choose) {
  const chosen = cell => { if (cell) choose(Number(cell.dataset.column)); };
  node.classList.add("answers");
  node.addEventListener("click", event => chosen(event.target.closest("rect")));
  node.addEventListener("keydown", event => {
    if (event.key === "Enter") chosen(node.querySelector("rect.on"));
  });
}

function moveCell(node, event, nScales, nColumns) {
  const moves = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
  const move = moves[event.key], cells = node.querySelectorAll("rect");
  if (!move) return;
  event.preventDefault();
  const on = node.querySelector("rect.on");
  const si = on ? Number(on.dataset.scale) + move[0] : 0;
  const column = on ? Number(on.dataset.column) + move[1] : 0;
  const next = cells[Math.min(Math.max(si, 0), nScales - 1) * nColumns +
    Math.min(Math.max(column, 0), nColumns - 1)];
  if (on) on.classList.remove("on");
  next.classList.add("on");
  showTip(next);
}

// What a cell of a layer or head says: its tokens and, if there is a bound, the most it may hold.
const tokensText = (si, length, capacity) => `${count(length)} of ${count(sequence[si])} tokens` +
  (capacity < 0 ? "" : `, room for ${count(capacity)}`);

function lengthMap(p, most, choose) {
  return heatMap(`${p.name}: tokens by layer and scale`, p.length, {columns: "layer", choose,
    cell: (si, layer) => ({class: "h" + heatStep(p.length[si][layer], most),
      "data-tip": `${p.name}, scale ${si}, layer ${layer}: ` +
        tokensText(si, p.length[si][layer], p.capacity[si][layer])}),
    mean: si => count(sum(p.length[si]) / p.layers)});
}

function headMap(p, layer, most) {
  const rows = p.length.map((_, si) => p.headLengths(si, layer));
  return heatMap(`${p.name}: tokens by head and scale, layer ${layer}`, rows, {columns: "head",
    cell: (si, head) => ({class: "h" + heatStep(rows[si][head], most),
      "data-tip": `${p.name}, scale ${si}, layer ${layer}, head ${head}: ` +
        tokensText(si, rows[si][head], p.capacityOf(si, layer, head))}),
    mean: si => count(sum(rows[si]) / p.heads)});
}

const percentOf = share => percent(share, share > 0.9995 ? 0 : 1);

// least: the smallest share of all maps, which is the darkest.
function recallMap(p, least) {
  const rows = data.recall.paths[p.index].table;
  const step = v => Math.round((1 - v) / Math.max(1 - least, 1e-9) * (HEAT - 1));
  return heatMap(`${p.name}: recall by layer and scale`, rows, {columns: "layer",
    cell: (si, layer) => ({class: "h" + Math.min(HEAT - 1, Math.max(0, step(rows[si][layer]))),
      "data-tip": `${p.name}, scale ${si}, layer ${layer}: ${percent(rows[si][layer], 2)} of the ` +
        "attention"}),
    mean: si => percentOf(sum(rows[si]) / rows[si].length)});
}

// Where one path keeps more than the other, in the colours of B (more in B) and A.
function differenceMap(a, b) {
  const n = Math.min(a.length.length, b.length.length);
  const rows =
    a.length.slice(0, n).map((row, si) => row.map((v, layer) => b.length[si][layer] - v));
  const most = Math.max(1, ...rows.flat().map(Math.abs));
  const cell = (si, layer) => {
    const v = rows[si][layer];
    return {class: v > 0 ? "more" : v < 0 ? "less" : "h0",
      "fill-opacity": v ? 0.15 + 0.85 * Math.sqrt(Math.abs(v) / most) : 1,
      "data-tip": `scale ${si}, layer ${layer}: ${a.name} ${count(a.length[si][layer])}, ` +
        `${b.name} ${count(b.length[si][layer])} tokens`};
  };
  const mean = si => {
    const v = sum(rows[si]) / rows[si].length;
    return (v > 0.5 ? "+" : "") + count(Math.abs(v) < 0.5 ? 0 : v);
  };
  return heatMap(
    `tokens of ${b.name} less those of ${a.name}`, rows, {columns: "layer", cell, mean});
}

// ------------------------------------------------------------- row against row

// A metric of every row: path a to the right, path b upwards; rows: those shown.
function rowPlot(metric, a, b, rows) {
  const points = rows.map(row => ({row, x: rowValue(a, metric, row), y: rowValue(b, metric, row)}))
    .filter(p => Number.isFinite(p.x) && Number.isFinite(p.y));
  if (!points.length) return null;
  const format = metricFormat(metric, points.flatMap(p => [p.x, p.y]));
  const all = points.flatMap(p => [p.x, p.y]).map(v => v * metric.times);
  const low = Math.min(...all), high = Math.max(...all);
  const air = high > low ? (high - low) * 0.08 : Math.max(Math.abs(high) * 0.1, 1e-6);
  const box = axes({left: 52, right: WIDTH - 10, top: 10, bottom: 240},
    {xLow: low - air, xHigh: high + air, yLow: low - air, yHigh: high + air});
  return drawing(284, `${metric.title}: ${b.name} against ${a.name}`, ...yAxis(box),
    ...xAxis(box, a.name),
    svg("path", {class: "d",
      d: line([[box.x(box.xLow), box.y(box.yLow)], [box.x(box.xHigh), box.y(box.yHigh)]])}),
    text(box.left + 8, box.top + 10, "start", b.name),
    svg("g", {class: `${b.series.tone} ${points.length > 300 ? "many" : ""}`}, ...points.map(p =>
      svg("circle", {class: "m", cx: box.x(p.x * metric.times), cy: box.y(p.y * metric.times),
        r: points.length > 300 ? 2.5 : 4, "data-tip":
      `${p.row.id}: ${a.name} ${format.full(p.x)}, ${b.name} ${format.full(p.y)}`}))));
}

"use strict";
// The data of the page, and the numbers that follow from it.

const data = JSON.parse(document.getElementById("data").textContent);
const MIB = 1048576;
const DASH = "\u2013", MINUS = "\u2212", TIMES = "\u00d7", NARROW = "\u202f", HARD = "\u00a0";
const MINUS_3 = "\u207b\u00b3";

// ------------------------------------------------------------------------ numbers

// JSON has no infinities: they come as texts, and what is not known as null.
const number = v =>
  v === null || v === undefined ? NaN : v === "inf" ? Infinity : v === "-inf" ? -Infinity : v;

function real(v, digits) {
  if (Number.isNaN(v)) return DASH;
  if (!Number.isFinite(v)) return v < 0 ? MINUS + "\u221e" : "\u221e";
  const text = Math.abs(v) < 1e15 ? Math.abs(v).toFixed(digits) : Math.abs(v).toExponential(2);
  return v < 0 && Number(text) !== 0 ? MINUS + text : text;
}

// Three significant digits, without an exponent between 0.0001 and a million.
function short(v) {
  const size = Math.abs(v);
  if (!Number.isFinite(v) || size === 0) return real(v, 0);
  if (size < 1e-4 || size >= 1e6) return v.toExponential(2).replace("-", MINUS);
  return real(v, Math.max(0, 2 - Math.floor(Math.log10(size * 1.0005))));
}

// A whole number, its digits in groups of three from 10,000 on.
function count(v) {
  const digits = String(Math.abs(Math.round(v)));
  const grouped = digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, NARROW);
  return Number.isFinite(v) ? (v < 0 ? MINUS : "") + grouped : DASH;
}

const percent = (v, digits) => Number.isFinite(v) ? real(100 * v, digits) + HARD + "%" : DASH;
const finite = list => list.filter(Number.isFinite);
const sum = list => list.reduce((a, b) => a + b, 0);

// Decimals that leave `significant` digits of the size given.
function decimals(size, significant) {
  if (!(size > 0) || !Number.isFinite(size)) return 0;
  return Math.min(6, Math.max(0, significant - 1 - Math.floor(Math.log10(size))));
}

// Control characters would be invisible, or worse.
const clean = text => String(text).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, " ");
const capital = text => text.charAt(0).toUpperCase() + text.slice(1);
const cut = (text, n) => text.length > n ? text.slice(0, n) + "\u2026" : text;

// -------------------------------------------------------------------------- paths

const paths = data.paths;
const reference = data.reference;

// Tokens of scales 0 to si: the bits say it, the first scale being one token; without bits the
// longest cache does, which is all of them where a path keeps everything.
const sequence = paths[0].length.map((_, si) => Math.max(...paths.map(p => Math.max(
  p.scale_offset && si + 1 < p.scale_offset.length ? p.scale_offset[si + 1] / p.scale_offset[1] : 0,
  ...(p.length[si] || [0])))));

// A layer's bytes: of a token and, where codes are scaled by map, of a map's scales. Two cuts whose
// lengths do not grow like their number tell them apart; elsewhere there are tokens alone.
function layerBytes(p, layer) {
  const n = si => p.length[si][layer], b = si => p.bytes[si][layer];
  const si = p.length.findIndex((_, i) => n(i) !== (i + 1) * n(0));
  const token = si < 0 ? (n(0) > 0 ? b(0) / n(0) : NaN)
    : (b(si) - (si + 1) * b(0)) / (n(si) - (si + 1) * n(0));
  return {token, map: b(0) - token * n(0)};
}

function addCache(p) {
  const layers = p.length[0].map((_, layer) => layerBytes(p, layer));
  const tokens = length => sum(layers.map(({token}, layer) => token * length(layer)));
  const maps = si => (si + 1) * sum(layers.map(l => l.map));
  const scales = sequence.filter((_, si) => si < p.length.length);
  const bound = (si, layer) =>
    p.capacity[si][layer] < 0 ? sequence[si] : Math.min(sequence[si], p.capacity[si][layer]);
  const last = scales.length - 1;

  p.planned = Math.max(...scales.map((_, si) => tokens(layer => bound(si, layer)) + maps(si)));
  p.peak = Math.max(...scales.map((_, si) => sum(p.bytes[si])));
  p.last = sum(p.bytes[last]);
  p.tokens = sum(p.length[last]) / p.layers;
  p.full = tokens(() => sequence[last]) + maps(last);
  p.share = tokens(layer => p.length[last][layer]) / tokens(() => sequence[last]);
  p.inactive = p.settings.policy !== "full" &&
    scales.every((_, si) => p.length[si].every(n => n >= sequence[si]));
}

// Where the heads of some layer differ, `heads` is their number, 0 elsewhere.
function addHeads(p) {
  const {heads, length, capacity} = p.by_head;
  const of = (table, mean) => (si, layer, head) => table ? table[si][layer][head] : mean[si][layer];

  p.headsLeftOut = [length, capacity].includes("left out");
  p.heads = p.headsLeftOut ? 0 : heads;
  p.lengthOf = of(length, p.length);
  p.capacityOf = of(capacity, p.capacity);
  p.headLengths = (si, layer) =>
    Array.from({length: p.heads}, (_, head) => p.lengthOf(si, layer, head));
}

// The layer whose heads differ most after any cut.
function widestLayer(p) {
  const spread = p.length[0].map((_, layer) => Math.max(...p.length.map((_, si) => {
    const lengths = p.headLengths(si, layer);
    return Math.max(...lengths) - Math.min(...lengths);
  })));
  return spread.indexOf(Math.max(...spread));
}

function addTimes(p) {
  const {phases, seconds, pictures, all_first} = p.times;
  const all = sum(seconds), transformer = seconds[phases.split(",").indexOf("transformer")];

  p.imagesPerSecond = all > 0 && pictures > 0 ? pictures / all : NaN;
  p.transformerSeconds = transformer > 0 && pictures > 0 ? transformer / pictures : NaN;
  p.phaseText = phases.split(",").map((name, i) =>
    `${clean(name)} ${short(seconds[i] / pictures)} s`).join(", ");
  p.allFirst = all_first;
}

// Paths of one policy, options and type are one series: one colour, one line of a plot.
const series = [];
paths.forEach((p, i) => {
  const type = clean(p.settings.kv_dtype || "");
  const key = JSON.stringify([p.settings.policy, p.settings.options || {}, type]);
  let s = series.find(other => other.key === key);

  addCache(p);
  addHeads(p);
  addTimes(p);
  p.index = i;
  p.name = clean(p.name);
  p.policy = clean(p.settings.policy || "");
  p.type = type;
  p.compared = i !== reference;
  p.measured = p.compared && p.result !== null;
  if (!s) series.push(s = {key, paths: [], name: p.policy + (type && `, ${type}`)});
  s.paths.push(p);
  p.series = s;
});
series.filter(s => series.some(o => o !== s && o.name === s.name))
  .forEach(s => { s.name = s.paths[0].name; });
series.filter(s => !(reference >= 0 && s.paths.includes(paths[reference])))
  .forEach((s, i) => { s.tone = "s" + i % 6; s.shape = i + Math.floor(i / 6); });
series.filter(s => !s.tone).forEach(s => { s.tone = "sr"; s.shape = 0; });

const manySeries = series.length > 7; // more than there are colours: markers tell them apart
const full = Math.max(0, ...finite(paths.map(p => p.full)));
const measured = paths.filter(p => p.measured);
const compared = paths.filter(p => p.compared);

// ------------------------------------------------------------------------ metrics

const metrics = data.metrics.map((m, i) => ({...m, index: i, title: capital(clean(m.title)),
  long_name: clean(m.long_name), lower: m.better === "lower", times: m.percent ? 100 : 1,
  units: m.percent ? "%" : m.units === "1" ? "" : clean(m.units),
  better: m.better === "lower" || m.better === "higher" ? `${m.better} is better` : "",
  pairs: measured.some(p => p.result.values[i].rows)}));

// Recall stands among the metrics; it is of the path's cache, not of its pictures.
const recallOf = p => data.recall ? data.recall.paths[p.index] : null;
if (data.recall)
  metrics.push({name: "recall", title: "Recall", index: -1, kind: "set", lower: false, times: 100,
    percent: true, units: "%", better: "higher is better", pairs: false,
    long_name: "share of the full cache\u2019s attention that falls on tokens still held, mean " +
      `over layers and scales after the first, of ${data.recall.pictures} pictures`,
    of: p => recallOf(p) ? recallOf(p).mean : NaN});

// A path's number of a metric; the reference has some against other pictures. One identical pair
// makes a mean infinite: then `differing`, the mean of the others, stands for it.
function metricOf(p, m) {
  if (m.of) return {v: m.of(p), starred: false};
  if (!p.result) return {v: NaN, starred: false};
  const {all, differing} = p.result.values[m.index];
  const instead = !Number.isFinite(number(all)) && Number.isFinite(number(differing));
  return {v: number(instead ? differing : all), starred: instead && !Number.isNaN(number(all))};
}

// [mean, low, high] of 95 in 100 resamples of the prompts, of a path or (less) of its numbers less
// those of ScaleKV's path with the same budget; null where that is not known.
const spreadOf = (p, m) => (valueOf(p, m) || {interval: null}).interval;
const lessOf = (p, m) => (valueOf(p, m) || {less: null}).less;
const valueOf = (p, m) => m.of ? recallOf(p) : p.result ? p.result.values[m.index] : null;
const partner = p => p.result && p.result.scalekv >= 0 ? paths[p.result.scalekv] : null;

// The paths that no other beats in both memory and the metric, the smallest first.
function paretoFront(list, size, value, lower) {
  const better = (a, b) => lower ? a < b : a > b, front = [];
  for (const p of [...list].sort((p, q) => size(p) - size(q) ||
      (better(value(p), value(q)) ? -1 : 1)))
    if (!front.length || better(value(p), value(front[front.length - 1]))) front.push(p);
  return front;
}

// How a metric's numbers are written: `show` in a column headed by `units`, in thousandths where
// all are small, and `full` with its units wherever it stands alone.
function metricFormat(m, values) {
  const most = m.times * Math.max(0, ...finite(values).map(Math.abs));
  const factor = most > 0 && most < 0.02 ? 1000 : 1, digits = decimals(most * factor, 4);
  const written = (v, f, n) => v === Infinity ? "identical" : real(v * m.times * f, n);
  return {
    units: factor === 1 ? m.units : `10${MINUS_3}${m.units && " " + m.units}`,
    show: v => written(v, factor, digits),
    full: v => written(v, 1, factor === 1 ? digits : digits + 3) +
      (Number.isFinite(v) && m.units ? HARD + m.units : ""),
  };
}

// Scores of benchmarks: each benchmark with the scores of its paths.
const benchmarks = [];
data.scores.forEach(s => {
  let b = benchmarks.find(other => other.evaluator === s.evaluator);
  if (!b) benchmarks.push(b = {...s, scores: new Map(), title: clean(s.benchmark),
    units: s.units === "1" ? "" : clean(s.units)});
  b.scores.set(paths[s.path], s);
});
const scoreOf = (b, p) => b.scores.has(p) ? number(b.scores.get(p).score) : NaN;

// Means by scale; empty for a metric that has none.
const scalesOf = (p, m) => p.measured && p.result.values[m.index].scales
  ? p.result.values[m.index].scales.map(number) : [];

// --------------------------------------------------------------------------- rows

data.rows.forEach((row, i) => {
  row.index = i;
  row.id = clean(row.id);
  row.prompt = clean(row.prompt);
  row.text = (row.id + "\n" + row.prompt).toLowerCase();
});
const rowOf = new Map(data.rows.map(row => [row.row, row]));
const rowValue = (p, m, row) => p.measured && p.result.values[m.index].rows
  ? number(p.result.values[m.index].rows[row.index]) : NaN;
const pictureOf = (path, row) => data.pictures.find(p => p.path === path && p.row === row);

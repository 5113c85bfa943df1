// The sections of the page. Texts from files become text nodes, never markup.

const $ = id => document.getElementById(id);

// h("td", {class: "n", onclick: f}, "text", node, ...)
function h(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false)
      node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter(c => c !== null && c !== undefined)
    .map(c => c instanceof Node ? c : document.createTextNode(clean(c))));
  return node;
}

const dot = s => h("i", {class: "dot " + s.tone});
const foreign = value => h("bdi", {}, value); // its direction ends with it
const show = (id, ...nodes) => { $(id).replaceChildren(...nodes.filter(Boolean)); };
const reveal = id => { $(id).hidden = false; };

// -------------------------------------------------------------------------- table

// columns: {title, units, value(row), show(row), text, wrap, tip}; value sorts (numbers or, with
// `text`, strings), show is what the cell holds. The first column heads its row. limit: rows at
// first. Returns {node, filter(keep)}.
function table(columns, rows, {label, limit = Infinity}) {
  const body = h("tbody"), more = h("button", {type: "button", class: "more"});
  let sorted = -1, down = false, keep = () => true, shown = limit;

  const compare = (a, b) => {
    const c = columns[sorted], x = c.value(a), y = c.value(b);
    if (c.text) return (down ? -1 : 1) * (x < y ? -1 : x > y ? 1 : 0);
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return x === y ? 0 : (down ? y > x : x > y) ? 1 : -1;
  };
  const cell = (c, row, i) => h(i ? "td" : "th", {scope: i ? undefined : "row",
    class: [c.text && "t", c.wrap && "wrap"].filter(Boolean).join(" ") || undefined}, c.show(row));
  function draw() {
    const kept = rows.filter(keep);
    if (sorted >= 0) kept.sort(compare);
    body.replaceChildren(...kept.slice(0, shown).map(row =>
      h("tr", {}, columns.map((c, i) => cell(c, row, i)))));
    more.hidden = kept.length <= shown;
    more.textContent =
      `Show ${count(Math.min(limit, kept.length - shown))} more of ${count(kept.length)}`;
    heads.forEach((head, i) => head.setAttribute("aria-sort",
      i !== sorted ? "none" : down ? "descending" : "ascending"));
  }
  // numbers begin with the largest, texts and what is better low with the smallest
  function sortBy(i) {
    const first = !columns[i].text && !columns[i].low;
    if (sorted !== i) [sorted, down] = [i, first];
    else if (down === first) down = !first;
    else sorted = -1;
    draw();
  }
  const heads = columns.map(
    (c, i) =>
      h("th", {scope: "col", class: c.text ? "t" : undefined},
        c.title &&
          h("button", {type: "button", title: c.tip || "Sort", onclick: () => sortBy(i)}, c.title,
            h("small", {}, c.units || HARD))));
  more.addEventListener("click", () => { shown += limit; draw(); });
  draw();
  return {
    node:
      h("div", {},
        h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": label},
          h("table", {}, h("thead", {}, h("tr", {}, heads)), body)),
        more),
    filter: f => {
      keep = f;
      shown = limit;
      draw();
    },
  };
}

// --------------------------------------------------------------------------- head

const formulaWeights = String(data.config.transformer || "").startsWith("formula:");
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;

function tile(name, value, units, below) {
  return h("div", {class: "tile"}, h("span", {}, name),
    h("b", {}, value, " ", h("small", {}, units)), h("span", {}, below));
}

function tiles() {
  const first = metrics.find(m => m.pairs), done = data.n_rows - data.n_failed - data.n_missing;
  const small = [...compared].sort((a, b) => a.last - b.last)[0];
  const close = first && measured.filter(p => !p.inactive && Number.isFinite(metricOf(p, first).v))
    .sort((a, b) => (first.lower ? 1 : -1) * (metricOf(a, first).v - metricOf(b, first).v))[0];
  return h("div", {class: "tiles"},
    tile("Pictures of each path", count(done), "", `${data.samples} a prompt` +
      (data.n_failed ? `, ${count(data.n_failed)} failed` : "")),
    full > 0 ? tile("Full cache of a picture", short(full / MIB), "MiB",
      "all tokens but the last scale\u2019s") : null,
    small ? tile("Smallest cache", short(small.last / MIB), "MiB", small.name) : null,
    close ? tile(`Closest, by ${first.title}`, short(metricOf(close, first).v * first.times),
      first.units, close.name) : null);
}

// What a reader must know before believing the numbers.
function warnings() {
  const list = [], total = data.n_rows;
  const of = (paths, words) => {
    if (paths.length) list.push(words + (paths.length > 2 && paths.length === compared.length
      ? "every path" : paths.map(p => p.name).join(", ")) + ".");
  };
  if (formulaWeights)
    list.push(
      "The model\u2019s weights are made by a formula, not trained: its pictures " +
      "show patterns, and no quality can be read from them.");
  if (data.n_failed)
    list.push(`${count(data.n_failed)} of ${count(total)} pictures failed; they are listed ` +
      "at the end.");
  if (data.n_truncated)
    list.push(
      `${count(data.n_truncated)} of ${count(total)} pictures have a prompt that ` +
      "was cut to 512 tokens.");
  if (data.metrics_file === "none" && paths.length > 1)
    list.push(
      "There is no metrics.h5 yet: skv eval " +
      "measures how far the paths are from the reference.");
  if (data.metrics_file === "old")
    list.push(
      "metrics.h5 is of other pictures than run.h5 (another " +
      "run, or another reference) and was left out: run skv eval again.");
  if (data.n_old_scores)
    list.push(
      "Scores in metrics.json are of other pictures and were left out: " +
      "run skv export, the evaluator and skv scores again.");
  benchmarks.forEach(b => of(
    paths.filter(p => b.scores.has(p) && b.scores.get(p).pictures < b.scores.get(p).of),
    `Some pictures have no result of ${b.title}: `));
  if (data.networks === "none")
    list.push("Evaluated without networks: metrics that need one are missing.");
  if (data.metrics_file === "read") of(compared.filter(p => !p.measured),
    "No numbers, because they were made after the evaluation or were not part of it: ");
  of(
    paths.filter(p => p.inactive), "Never cut anything, because the budget exceeds the sequence: ");
  of(measured.filter(p => p.result.identical > 0 && !p.inactive),
    "Some pictures are identical to the reference\u2019s: ");
  const fid = metrics.find(m => m.name === "fid");
  if (fid) of(measured.filter(p => Number.isFinite(metricOf(p, fid).v) && p.result.pairs < 2049),
    "Fewer than 2049 pairs, so FID is biased and its covariance singular: ");
  if (against) of(paths.filter(p => Number.isFinite(metricOf(p, against).v) &&
    p.result.pairs < 2049), "Fewer than 2049 pictures, so FID against others is biased: ");
  return list.length ? h("ul", {class: "warn"}, list.map(text => h("li", {}, text))) : null;
}

const against = metrics.find(m => m.name === "fid_against");
const madeUp = metrics.filter(m => m.formula).map(m => m.title);
const inWords = list => list.length < 2 ? list.join("")
  : `${list.slice(0, -1).join(", ")} and ${list[list.length - 1]}`;

function head() {
  const prompts = data.n_rows / data.samples, lead = [];

  document.title = "skv report: " + paths.slice(0, 3).map(p => p.name).join(", ") +
    (paths.length > 3 ? ", \u2026" : "");
  if (formulaWeights) lead.push(cut(data.config.transformer.slice(8), 60) + ", ");
  lead.push(plural(paths[0].layers, "layer"));
  if (data.picture_size) lead.push(`, ${data.picture_size.join(` ${TIMES} `)} pixels`);
  if (reference >= 0 && paths.length > 1)
    lead.push(", compared with the path ", h("b", {}, paths[reference].name));
  show(
    "head", h("p", {class: "eye"}, "skv report"),
    h("h1", {}, `${plural(paths.length, "cache path")}, ${plural(prompts, "prompt")}`),
    h("p", {class: "lead"}, lead),
    against && h("p", {class: "lead"}, foreign(against.long_name), "."),
    data.partial &&
      h("div", {class: "loud", role: "alert"}, h("b", {}, "Only a part of the run is here"),
        h("span", {}, foreign(data.partial), ". The other rows are in no number.")),
    madeUp.length &&
      h("div", {class: "loud", role: "alert"},
        h("b", {}, `${inWords(madeUp)} ${madeUp.length > 1 ? "mean" : "means"} nothing here`),
        h("span", {}, "Computed with networks that a formula filled, for tests: these numbers " +
          "say nothing about quality. Give skv eval the real weights.")),
    tiles(), warnings());
}

// -------------------------------------------------------------------- cache paths

// Figures of a path, as columns of the table and as rows of the comparison.
function figures() {
  const plain = (title, units, value, extra) => {
    const least = Math.min(...finite(paths.map(value)).filter(v => v > 0));
    const digits = Math.min(4, decimals(least, least >= 1 ? 3 : 2));
    return {title, units, value, text: v => real(v, digits), ...extra};
  };
  const list = [
    {title: "Tokens a layer", value: p => p.tokens, text: count, low: true},
    plain("Cache planned", "MiB", p => p.planned / MIB, {low: true}),
    plain("Cache taken", "MiB", p => p.peak / MIB, {low: true}),
    {title: "Share of all tokens", value: p => p.share, text: v => percent(v, 1), low: true,
      bar: true}];

  if (paths.some(p => p.pool_bytes))
    list.push(plain("Pool of a group", "MiB",
      p => p.pool_bytes === undefined ? NaN : p.pool_bytes / MIB, {low: true}));
  list.push(plain("Speed", "images/s", p => p.imagesPerSecond),
    plain("Transformer", "s/image", p => p.transformerSeconds, {low: true}));
  for (const m of metrics) {
    const value = p => metricOf(p, m).v;
    const format = metricFormat(m, paths.map(value));
    if (paths.some(p => !Number.isNaN(value(p))))
      list.push({title: m.title, units: format.units, value, text: format.show, low: m.lower,
        metric: m, tip: [m.long_name, m.better].filter(Boolean).join("; ")});
  }
  for (const b of benchmarks)
    list.push({title: b.title, units: b.units, value: p => scoreOf(b, p),
      text: v => real(v, b.digits)});
  if (measured.some(p => p.result.identical > 0)) list.push({title: "Identical pairs",
    value: p => p.measured ? p.result.identical : NaN, text: count});
  return list;
}

function figureCell(f, p) {
  const text = f.text(f.value(p)) + (f.metric && metricOf(p, f.metric).starred ? "*" : "");
  if (!f.bar || !Number.isFinite(p.share)) return text;
  const fill = h("i");
  fill.style.width = `${100 * Math.min(1, p.share)}%`;
  return [h("span", {class: "bar " + p.series.tone}, fill), h("span", {class: "pc"}, text)];
}

function pathSection(list) {
  const tag = p => !p.compared ? "reference" : p.inactive ? "never cut" : "";
  const name = {title: "Path", text: true, value: p => p.name, show: p =>
    [dot(p.series), foreign(p.name),
      ...[p.type, tag(p)].map(t => t ? h("span", {class: "tag"}, t) : null)]};
  const columns = [name, ...list.map(f => ({...f, text: false, show: p => f.title === "Transformer"
    ? h("span", {"data-tip": p.phaseText}, figureCell(f, p)) : figureCell(f, p)}))];
  show("path-table", table(columns, paths, {label: "Cache paths"}).node);
  $("warm-up").textContent = paths[0].allFirst
    ? "Every group was its rank\u2019s first, so warming up is in it."
    : "The ranks\u2019 first groups, which warm up, are left out.";
  $("starred").hidden = !metrics.some(m => measured.some(p => metricOf(p, m).starred));
  reveal("paths");
}

// ------------------------------------------------------------------------- scores

// Names of the categories of a benchmark, fine ones or not, in the order of the first path.
function categoryNames(b, fine) {
  const all = [...b.scores.values()].flatMap(s => s.categories.filter(c => c.fine === fine));
  return [...new Set(all.map(c => c.name))];
}

const categoryOf = (b, p, name) =>
  number((b.scores.get(p).categories.find(c => c.name === name) || {score: null}).score);

function scoreTable(b, columns, fine) {
  const rows = paths.filter(p => b.scores.has(p));
  const name = {title: "Path", text: true, value: p => p.name,
    show: p => [dot(p.series), foreign(p.name)]};
  const figure = f => ({...f, show: p => f.text(f.value(p)), text: false});
  const category = key => figure({title: clean(key), units: b.units,
    value: p => categoryOf(b, p, key), text: v => real(v, b.digits)});
  return table([name, ...columns.map(figure), ...categoryNames(b, fine).map(category)], rows,
    {label: b.title}).node;
}

function benchmarkCard(b) {
  const all = [...b.scores.values()], digits = v => real(v, b.digits);
  const published = p => number(b.scores.get(p).published);
  const columns = [
    {title: "Score", units: b.units, value: p => scoreOf(b, p), text: digits},
    {title: "Published", units: b.units, value: published, text: digits},
    {title: "Cache taken", units: "MiB", value: p => p.peak / MIB, text: short, low: true},
    {title: "Time", units: "s/image", value: p => 1 / p.imagesPerSecond, text: short, low: true}];
  if (all.some(s => s.pictures < s.of)) columns.push({title: "Pictures without a result",
    value: p => b.scores.get(p).of - b.scores.get(p).pictures, text: count, low: true});
  if (!all.some(s => s.published !== null)) columns.splice(1, 1);
  return h("div", {class: "card"}, h("h3", {}, b.title),
    b.fault ? h("p", {class: "note fault"}, clean(b.fault), ".") : null,
    scoreTable(b, columns, false),
    categoryNames(b, true).length ? h("details", {}, h("summary", {}, "Finer categories"),
      scoreTable(b, [], true)) : null);
}

function benchmarkSection() {
  if (!benchmarks.length) return;
  show("benchmark-tables", ...benchmarks.map(benchmarkCard));
  reveal("benchmarks");
}

// ------------------------------------------------------------------------- drawings

function card(title, aside, drawn) {
  return h("div", {class: "card"}, h("h3", {}, title, h("span", {}, aside)), drawn);
}

// Of the paths that have a partner, every metric with numbers by prompt.
function differenceSection() {
  const rows = paths.filter(p => partner(p) && metrics.some(m => lessOf(p, m)));
  if (!rows.length) return;
  const column = m => {
    const format = metricFormat(m, rows.flatMap(p => lessOf(p, m) || []));
    const signed = v => (v > 0 ? "+" : "") + format.show(v);
    const sure = ([, low, high]) => low > 0 || high < 0;
    return {title: m.title, units: format.units, low: m.lower, tip: m.long_name,
      value: p => lessOf(p, m) ? lessOf(p, m)[0] : NaN,
      show: p => lessOf(p, m) ? [signed(lessOf(p, m)[0]), sure(lessOf(p, m)) ? " \u2022 " : " ",
        h("small", {}, lessOf(p, m).slice(1).map(signed).join(` to `))] : DASH};
  };
  show("difference-table", table([
    {title: "Path", text: true, value: p => p.name,
      show: p => [dot(p.series), foreign(p.name)]},
    {title: "ScaleKV\u2019s", text: true, value: p => partner(p).name,
      show: p => foreign(partner(p).name)},
    ...metrics.filter(m => rows.some(p => lessOf(p, m))).map(column)], rows,
  {label: "Differences to ScaleKV"}).node);
  reveal("differences");
}

function qualitySection() {
  const cards = metrics.map(m => [m, qualityPlot(m)])
    .filter(([, drawn]) => drawn)
    .map(([m, drawn]) => card(m.title, [m.units, m.better].filter(Boolean).join(", "), drawn));
  if (!cards.length) return;
  show("quality-plots", ...cards);
  $("quality-plots").classList.toggle("large", manySeries);
  differenceSection();
  reveal("quality");
}

// Where heads differ: the heads of one layer, at first the one where they differ most.
function cacheMaps(p, most) {
  if (!p.heads) return lengthMap(p, most);
  const heads = h("div", {class: "heads", "aria-live": "polite"});
  const choose = layer =>
    heads.replaceChildren(h("h4", {}, `Heads of layer ${layer}`), headMap(p, layer, most));
  choose(widestLayer(p));
  return [lengthMap(p, most, choose), heads];
}

function cacheSection() {
  const most = Math.max(1, ...sequence);
  const steps = Array.from({length: HEAT}, (_, i) => h("i", {class: "h" + i}));
  const marks = [0, 1, 2, 3, 4].map(i => {
    const mark = h("span", {}, count((i / 4) ** 2 * most));
    mark.style.left = `${2 + 24 * i}%`;
    return mark;
  });
  show(
    "heat-key",
    h("div", {class: "keyed"}, h("div", {class: "key"}, steps), h("div", {class: "ticks"}, marks)));
  const size = p => `${short(p.last / MIB)} MiB` +
    (Number.isFinite(p.share) ? `, ${percent(p.share, 1)}` : "");
  show("heat-maps", ...paths.map(p =>
    card([dot(p.series), foreign(p.name)], size(p), cacheMaps(p, most))));
  const leftOut = paths.filter(p => p.headsLeftOut);
  $("heads-note").hidden = !paths.some(p => p.heads);
  $("heads-left-out").textContent = leftOut.length
    ? `The heads of ${inWords(leftOut.map(p => p.name))} would make this page too large; ` +
      "run.h5 has them." : "";
  reveal("cache");
}

function recallSection() {
  if (!data.recall) return;
  const drawn = paths.filter(p => data.recall.paths[p.index] && p.series.tone !== "sr");
  if (!drawn.length) return;
  const table = p => data.recall.paths[p.index].table;
  const least = Math.min(...drawn.flatMap(p => table(p).flat()));
  $("recall-pictures").textContent = plural(data.recall.pictures, "picture");
  show("recall-maps", ...drawn.map(p => card([dot(p.series), foreign(p.name)],
    `${percent(data.recall.paths[p.index].mean, 1)} on average`, recallMap(p, least))));
  reveal("recall");
}

function sourceSection() {
  const withKept = paths.filter(p => p.kept && sum(p.kept) > 0);
  if (!withKept.length) return;
  const most = Math.max(...withKept.map(p => p.kept.length));
  show("source-key", h("div", {class: "key"}, h("span", {}, "scale 0"),
    Array.from({length: most}, (_, si) => h("i", {class: "q" + ramp(si, most)})),
    h("span", {}, `scale ${most - 1}`)));
  show("source-bars", ...withKept.map(p => {
    const all = sum(p.kept);
    const parts = p.kept.map((n, si) => {
      const share = n / all;
      if (share < 0.0005) return null;
      const part = h("i", {class: "q" + ramp(si, p.kept.length), "data-tip":
        `${p.name}, made at scale ${si}: ${real(n, 1)} tokens, ${percent(share, 1)}`},
      share >= 0.045 ? String(si) : null);
      part.style.flex = String(share);
      return part;
    });
    return h("div", {class: "mix"}, h("span", {class: "name"}, dot(p.series), foreign(p.name)),
      h("span", {class: "stack"}, parts), h("span", {class: "num"}, `${count(all)} tokens`));
  }));
  reveal("sources");
}

function scaleSection() {
  const drawn = m => series.filter(s => s.paths.some(p => withScales(m).includes(p)));
  const cards = metrics.filter(m => m.kind === "scale").flatMap(m => drawn(m).map(s =>
    card([dot(s), foreign(s.name)], [m.title, m.units].filter(Boolean).join(", "),
      scalePlot(m, s))));
  if (!cards.length) return;
  show("scale-plots", ...cards);
  reveal("scales");
}

// ----------------------------------------------------------------------- settings

// Where the run comes from: a line for each of the last times that it was started.
function starts() {
  const all = data.starts || [];
  const words = (v, n) => foreign(cut(typeof v === "string" ? v : "not known", n));
  const pairs = v =>
    words(Object.entries(v || {}).map(([key, x]) => `${key} ${x}`).join(", "), 800);
  return all.slice(-20).map((s, i, some) =>
    h("p", {class: "start"}, `Start ${all.length - some.length + i + 1} of ${all.length}, `,
      words(s.started, 40), ": ", h("code", {}, words(s.command, 2000)), " in ",
      h("code", {}, words(s.folder, 400)),
      `; ranks: ${cut(String(s.ranks ?? "not known"), 20)}, by host: `, pairs(s.hosts), "; skv ",
      words(s.build, 200), "; ", pairs(s.libraries), "."));
}

function settingsSection() {
  const value = v => {
    if (v === null) return DASH;
    if (Array.isArray(v) && v.length === 1) return value(v[0]);
    if (typeof v === "number") return String(Number(v.toPrecision(7)));
    return typeof v === "string" ? v : JSON.stringify(v);
  };
  const item = (key, v) =>
    h("div", {}, h("dt", {}, cut(key, 60)), h("dd", {}, foreign(cut(value(v), 400))));
  show(
    "config", item("device", paths[0].device),
    ...Object.entries(data.config).map(([key, v]) => item(key, v)));
  const column = (title, f) => ({title, text: true, value: f, show: p => foreign(f(p))});
  const wide = (title, f) =>
    ({title, text: true, wrap: true, value: f, show: p => h("code", {}, foreign(f(p)))});
  const columns = [column("Path", p => p.name), wide("Digest", p => p.digest),
    column("Device", p => p.device),
    wide("Settings", p => cut(JSON.stringify(p.settings), 1500))];
  show("path-settings", table(columns, paths, {label: "Settings of each path"}).node);
  show(
    "foot", `Made by skv ${clean(data.skv)} from run.h5, settings digest `,
    h("code", {}, data.config_digest), ".", ...starts());
  reveal("settings");
}

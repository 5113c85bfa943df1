// What answers to a reader: tips, the enlarged pictures, the two chosen paths, the filter; and the
// start of it all.

// ---------------------------------------------------------------------------- tip

function showTip(target) {
  const tip = $("tip"), box = target.getBoundingClientRect();
  tip.textContent = target.dataset.tip;
  tip.hidden = false;
  const width = tip.offsetWidth, height = tip.offsetHeight;
  const left = Math.min(Math.max(4, box.left + box.width / 2 - width / 2), innerWidth - width - 4);
  const above = box.top - height - 6;
  tip.style.left = `${Math.max(0, left)}px`;
  tip.style.top = `${above > 4 ? above : box.bottom + 6}px`;
}

function watchTips() {
  const hide = () => { $("tip").hidden = true; };
  document.addEventListener("pointerover", event => {
    const target = event.target.closest("[data-tip]");
    if (target) showTip(target); else hide();
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", event => { if (event.key === "Escape") hide(); });
  addEventListener("scroll", hide, {passive: true});
}

// ------------------------------------------------------------------------- viewer

// Pictures of one row in one place: {label, picture} each. The space bar and a click go back and
// forth between the shown one and the one before it.
const viewer = {states: [], at: 0, before: 0};

function showState(i) {
  if (i !== viewer.at) viewer.before = viewer.at;
  viewer.at = i;
  const {label, src, width, height} = viewer.states[i];
  const image = $("viewer-picture").firstElementChild;
  image.src = src;
  image.alt = label;
  image.style.aspectRatio = `${width} / ${height}`;
  image.style.width = `min(88vw, ${Math.round(62 * width / height)}vh, ${3 * width}px)`;
  [...$("viewer-states").children].forEach((b, k) => b.setAttribute("aria-pressed", k === i));
}

function openViewer(states, at, row) {
  viewer.states = states;
  viewer.at = at;
  viewer.before = states.length < 2 ? at : at ? 0 : 1;
  $("viewer-title").replaceChildren(foreign(row.id));
  $("viewer-text").replaceChildren(foreign(row.prompt), h("br"), `Seed ${row.seed}`);
  $("viewer-states").replaceChildren(...states.map((s, i) =>
    h("button", {type: "button", onclick: () => showState(i)}, s.label)));
  showState(at);
  if (!$("viewer").open) $("viewer").showModal();
  $("viewer-picture").focus();
}

function watchViewer() {
  const flick = () => showState(viewer.before);
  $("viewer-picture").addEventListener("click", flick);
  $("viewer").addEventListener("click", event => {
    if (event.target === $("viewer")) $("viewer").close();
  });
  $("viewer").addEventListener("keydown", event => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key], n = viewer.states.length;
    if (step) showState((viewer.at + step + n) % n);
    else if (event.key === " ") flick();
    else return;
    event.preventDefault();
  });
}

const state = (path, row, key = "picture", label = paths[path].name) => {
  const found = pictureOf(path, row);
  if (!found || !found[key]) return null;
  return {label, src: found[key], width: found.width, height: found.height};
};

// The reference's picture of a row and those of the given paths, as far as they are in the page.
const statesOf = (row, chosen) => [reference, ...chosen.filter(i => i !== reference)]
  .filter(i => i >= 0).map(i => state(i, row)).filter(Boolean);

function thumbnail(states, i, row) {
  const {label, src, width, height} = states[i];
  return h("figure", {}, h("button", {type: "button", onclick: () => openViewer(states, i, row)},
    h("img", {src, width, height, alt: label})), h("figcaption", {}, foreign(label)));
}

// ----------------------------------------------------------------------- pictures

const filters = []; // called with a test of rows whenever the filter changes

const filtered = (node, row) => {
  filters.push(keep => { node.hidden = !keep(row); });
  return node;
};

function pickRow(pick, number, i) {
  const p = paths[pick.path], row = rowOf.get(number), n = pick.rows.length;
  const what = pick.alike ? "All alike" : n === 1 ? "The only one"
    : i === 0 ? "Best" : i === n - 1 ? "Worst" : "Median";
  const states = [
    ...statesOf(number, [pick.path]),
    state(pick.path, number, "difference", `difference ${TIMES} ${data.difference_factor}`)
  ].filter(Boolean);
  const numbers = metrics.filter(m => m.pairs && !Number.isNaN(rowValue(p, m, row))).map(m => {
    const format = metricFormat(m, data.rows.map(r => rowValue(p, m, r)));
    return h("div", {}, h("dt", {}, m.title), h("dd", {}, format.full(rowValue(p, m, row))));
  });
  return filtered(h("div", {class: "pick"}, h("h4", {}, what), h("p", {}, foreign(row.prompt)),
    h("div", {class: "shots"}, states.length ? states.map((_, k) => thumbnail(states, k, row))
      : h("p", {class: "soft"}, "Pictures were not stored.")),
    h("dl", {}, numbers, h("div", {}, h("dt", {}, "Picture"), h("dd", {}, foreign(row.id))),
      h("div", {}, h("dt", {}, "Seed"), h("dd", {}, row.seed)))), row);
}

function pickSection() {
  if (!data.picks.length) return;
  const by = [...new Set(data.picks.map(k => metrics[k.metric].title))].join(" or ");
  $("pick-note").textContent =
    `By ${by} against the reference. Differences are those of the colour channel that ` +
    `differs most, times ${data.difference_factor}.`;
  show("pick-list", ...data.picks.map(k => {
    const p = paths[k.path];
    return h("details", {class: "card", open: data.picks.length <= 8 || k === data.picks[0]},
      h("summary", {}, dot(p.series), foreign(p.name),
        h("span", {}, Number.isFinite(p.share) ? `${percent(p.share, 1)} of the cache` : null)),
      h("div", {class: "picks"}, k.rows.map((number, i) => pickRow(k, number, i))));
  }));
  reveal("picks");
}

function commonSection() {
  const rows = data.common.filter(number => statesOf(number, paths.map(p => p.index)).length);
  if (!rows.length) return;
  show("common-grid", ...rows.map(number => {
    const row = rowOf.get(number), order = [reference, ...paths.map(p => p.index)];
    const states =
      [...new Set(order)].filter(i => i >= 0).map(i => state(i, number)).filter(Boolean);
    return filtered(
      h("div", {class: "card strip"},
        h("p", {}, h("b", {}, foreign(row.id)), " ", foreign(row.prompt)),
        h("div", {class: "shots", tabindex: "0", role: "region", "aria-label": row.id},
          states.map((_, i) => thumbnail(states, i, row)))),
      row);
  }));
  reveal("common");
}

// ------------------------------------------------------------------ two paths, rows

const chosen = {a: Math.max(0, reference), b: 0, metric: metrics.find(m => m.pairs)};
let keepRow = () => true;

function drawComparison(list) {
  const a = paths[chosen.a], b = paths[chosen.b];
  const cell = (f, p) => h("td", {}, figureCell({...f, bar: false}, p));
  const change = f => {
    const d = f.value(b) - f.value(a);
    return h("td", {}, Number.isFinite(d) ? (d > 0 ? "+" : "") + f.text(d) : DASH);
  };
  const column = p => h("th", {scope: "col"}, dot(p.series), foreign(p.name));
  show(
    "compare-figures",
    h("div", {class: "scroll"},
      h("table", {},
        h("thead", {},
          h("tr", {}, h("th", {scope: "col"}, ""), column(a), column(b),
            h("th", {scope: "col"}, `B ${MINUS} A`))),
        h("tbody", {},
          list.map(
            f =>
              h("tr", {}, h("th", {scope: "row"}, f.title, " ", h("small", {}, f.units)),
                cell(f, a), cell(f, b), change(f)))))));
  show(
    "compare-heat",
    h("h3", {}, "Tokens, B less A",
      h("span", {}, h("i", {class: "chip more"}), " more in B ", h("i", {class: "chip less"}),
        " more in A")),
    differenceMap(a, b));
  const m = chosen.metric, drawn = m && rowPlot(m, a, b, data.rows.filter(keepRow));
  $("compare-rows").hidden = !m;
  if (m)
    show(
      "compare-rows", h("h3", {}, `${m.title} of each row`, h("span", {}, m.better)),
      drawn ||
        h("p", {class: "soft"},
          "There is nothing to draw: choose two paths that were measured " +
            "against the reference, and rows that differ from it."));
  drawRows(a, b, m);
}

let rowTable = null;

function drawRows(a, b, m) {
  const columns = [
    {title: "Id", text: true, value: row => row.id, show: row => foreign(row.id)},
    {title: "Prompt", text: true, wrap: true, value: row => row.prompt,
      show: row => foreign(cut(row.prompt, 160))}];
  if (m) {
    const format =
      metricFormat(m, data.rows.flatMap(row => [rowValue(a, m, row), rowValue(b, m, row)]));
    const value = p => row => rowValue(p, m, row), change = row => value(b)(row) - value(a)(row);
    [["A", a], ["B", b]].forEach(([side, p]) => columns.push({title: side,
      units: [m.title, format.units].filter(Boolean).join(", "), tip: p.name, low: m.lower,
      value: value(p), show: row => format.show(value(p)(row))}));
    columns.push({title: `B ${MINUS} A`, units: format.units, value: change,
      show: row => Number.isFinite(change(row))
        ? (change(row) > 0 ? "+" : "") + format.show(change(row)) : DASH});
  }
  columns.push({title: "Seed", value: row => Number(row.seed), show: row => row.seed});
  columns.push({title: "", value: () => 0, show: row => {
    const states = statesOf(row.row, [a.index, b.index]);
    return states.length > 1 ? h("button", {type: "button", class: "small",
      onclick: () => openViewer(states, states.length - 1, row)}, "Look") : null;
  }});
  rowTable =
    table(columns, data.rows.filter(row => row.error === null), {label: "Every row", limit: 25});
  rowTable.filter(keepRow);
  show("row-table", rowTable.node);
  const there = data.n_rows - data.n_missing;
  $("row-note").textContent = (data.rows.length < there
    ? `${count(data.rows.length)} of ${count(there)} rows are in this page; ` +
      "all are in run.h5 and metrics.h5. " : "") +
    (m ? "Paths A and B and the metric are those chosen above." : "");
}

function compareSection(list) {
  const options = side =>
    paths.map(p => h("option", {value: p.index, selected: chosen[side] === p.index}, p.name));
  const pairs = metrics.filter(m => m.pairs);
  const draw = () => drawComparison(list);

  if (measured.length > 1) [chosen.a, chosen.b] = measured.slice(0, 2).map(p => p.index);
  else chosen.b = (compared[0] || paths[0]).index;
  show("path-a", ...options("a"));
  show("path-b", ...options("b"));
  show("metric", ...pairs.map(m => h("option", {value: m.index}, m.title)));
  $("metric-choice").hidden = !pairs.length;
  $("path-a").addEventListener("change", () => { chosen.a = Number($("path-a").value); draw(); });
  $("path-b").addEventListener("change", () => { chosen.b = Number($("path-b").value); draw(); });
  $("metric").addEventListener("change", () => {
    chosen.metric = metrics[$("metric").value];
    draw();
  });
  $("swap").addEventListener("click", () => {
    [chosen.a, chosen.b] = [chosen.b, chosen.a];
    $("path-a").value = chosen.a;
    $("path-b").value = chosen.b;
    draw();
  });
  filters.push(keep => { keepRow = keep; draw(); });
  draw();
  if (paths.length > 1) reveal("compare");
  reveal("rows");
}

function failedSection() {
  const failed = data.rows.filter(row => row.error !== null);
  if (!failed.length) return;
  const column = (title, key, wrap) => ({title, text: true, wrap, value: row => row[key],
    show: row => foreign(cut(clean(row[key]), 200))});
  const drawn = table(
    [column("Picture", "id"), column("Prompt", "prompt", true), column("Reason", "error", true)],
    failed, {label: "Failed pictures", limit: 25});
  $("failed-note").textContent = "They are in no number above." + (failed.length < data.n_failed
    ? ` The first ${count(failed.length)} of ${count(data.n_failed)}; all are in run.h5.` : "");
  show("failed-table", drawn.node);
  filters.push(drawn.filter);
  reveal("failed");
}

// ------------------------------------------------------------------ filter, start

function watchFilter() {
  const update = () => {
    const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const keep = row => words.every(word => row.text.includes(word));
    filters.forEach(filter => filter(keep));
    $("found").textContent = words.length
      ? `${count(data.rows.filter(keep).length)} of ${count(data.rows.length)}` : "";
  };
  $("filter").addEventListener("input", update);
}

function bar() {
  const sections = [...document.querySelectorAll("main > section")].filter(s => !s.hidden);
  show("links", ...sections.map(s => h("a", {href: "#" + s.id}, s.dataset.short)));
  reveal("bar");
}

const list = figures();
head();
pathSection(list);
benchmarkSection();
qualitySection();
compareSection(list);
cacheSection();
recallSection();
sourceSection();
scaleSection();
pickSection();
commonSection();
if (!$("picks").hidden || !$("common").hidden) reveal("pictures");
failedSection();
settingsSection();
bar();
watchTips();
watchViewer();
watchFilter();

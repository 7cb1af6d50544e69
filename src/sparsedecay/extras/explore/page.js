"use strict";
const runs = JSON.parse(document.getElementById("data").textContent).runs;
const at = (id) => document.getElementById(id);
const chosen = { run: 0, epoch: 0, curve: "mse", matrix: "A2" };
const INK = 5000;  // area of all neurons together, square pixels
const COLOURS = { "1": "#D55E00", "-1": "#0072B2" };
const LOOK = { margin: { l: 62, r: 14, t: 8, b: 44 }, showlegend: false, hovermode: "closest" };
const QUIET = { displayModeBar: false, responsive: true };
// matplotlib's inferno, with black for what does not count
const INFERNO = ["#000000", "#420a68", "#781c6d", "#a52c60", "#cf4446", "#ed6925", "#fb9b06",
  "#f7d13d", "#fcffa4"].map((colour, i, all) => [i / (all.length - 1), colour]);
const BEYOND = 1.5;  // radii of the data that offsets are drawn to
const grouped = (n) => n.toLocaleString("en-US");
const short = (x) => x === null ? "–" : Number(x).toPrecision(3);

function fill(select, entries, value) {
  select.replaceChildren(...entries.map(([key, text]) => new Option(text, key)));
  select.value = value;
}

function run() { return runs[chosen.run]; }
function milestone() { return run().milestones[chosen.epoch]; }

function draw(id, traces, layout) {
  Plotly.react(id, traces, { ...LOOK, ...layout }, QUIET);
}

function trajectory() {
  const [x, y] = run().curves[chosen.curve];
  const log = y.every((v) => v === null || v > 0) && !chosen.curve.includes("sparsity");
  const now = milestone().epoch;
  draw("trajectory", [{ x, y, mode: "lines", line: { color: "#333", width: 1.3 } }], {
    xaxis: { title: { text: "epoch" } },
    yaxis: { title: { text: chosen.curve }, type: log ? "log" : "linear", exponentformat: "power",
      ...(log ? { dtick: 1 } : {}) },
    shapes: [{ type: "line", x0: now, x1: now, yref: "paper", y0: 0, y1: 1,
      line: { color: "#D55E00", width: 2 } }],
  });
}

function picture() {
  const m = milestone().matrices[chosen.matrix];
  const [rows, columns] = m.shape;
  const bytes = Uint8Array.from(atob(m.cells), (c) => c.charCodeAt(0));
  const z = [...Array(rows)].map((_, i) => [...bytes.subarray(i * columns, (i + 1) * columns)]);
  const places = (n, cells) => [...Array(cells)].map((_, i) => (i + 0.5) * n / cells + 0.5);
  const log = Math.log10(Math.max(m.largest / m.threshold, 1.0001));
  const marks = [0, 85, 170, 255];
  at("about-matrix").textContent = `${chosen.matrix}, ${grouped(m.rows)} × ${grouped(m.columns)}, rows ` +
    `and columns by decreasing norm; black: at most ${m.threshold}; largest ${short(m.largest)}`;
  draw("picture", [{ type: "heatmap", z, x: places(m.columns, columns), y: places(m.rows, rows),
    zmin: 0, zmax: 255, colorscale: INFERNO, hoverinfo: "x+y",
    colorbar: { thickness: 12, tickvals: marks,
      ticktext: marks.map((v) => short(m.threshold * 10 ** (log * v / 255))) } }], {
    xaxis: { title: { text: "column" }, constrain: "domain" },
    yaxis: { title: { text: "row" }, autorange: "reversed" },
  });
}

function neurons() {
  const n = milestone().neurons, one = run().dimension === 1;
  const whole = n.mass.reduce((sum, m) => sum + m, 0) || 1;
  const count = n.count.reduce((sum, c) => sum + c, 0);
  const text = n.mass.map((m, i) => `${n.count[i]} neurons, mass ${short(m)}`);
  const traces = [];
  if (one) {
    const x = n.x.flatMap((v) => [v, v, null]), y = n.y.flatMap((v) => [0, v, null]);
    traces.push({ x, y, mode: "lines", line: { color: "#999", width: 1 }, hoverinfo: "skip" });
  } else {
    const degrees = [...Array(91)].map((_, i) => 4 * i - 180);
    const x = [], y = [];
    for (const [a, b] of run().points.slice(0, 100)) {
      for (const t of degrees) {
        x.push(t);
        y.push(a * Math.cos(t * Math.PI / 180) + b * Math.sin(t * Math.PI / 180));
      }
      x.push(null);
      y.push(null);
    }
    traces.push({ x, y, mode: "lines", line: { color: "#e2e2e2", width: 1 }, hoverinfo: "skip" });
  }
  traces.push({ x: n.x, y: n.y, mode: "markers", text, hovertemplate: "%{text}<extra></extra>",
    marker: { color: n.sign.map((s) => COLOURS[s]), opacity: 0.8, sizemin: 1.5, sizemode: "area",
      size: n.mass.map((m) => one ? 60 : INK * m / whole), sizeref: 1,
      line: { color: "white", width: 0.5 } } });
  const radius = BEYOND * Math.max(...run().points.map((p) => Math.hypot(...p)), 1e-9);
  const beyond = one ? 0 : n.y.filter((t) => Math.abs(t) > radius).length;
  const outside = beyond ? `; ${beyond} places lie beyond` : "";
  const plane = run().dimension > 2 ?
    `; seen in the plane that holds ${Math.round(100 * run().share)} % of the squared mass` : "";
  at("about-neurons").textContent = `${grouped(count)} neurons in ${grouped(n.mass.length)} places, mass ` +
    `${short(whole)}; orange positive, blue negative${outside}${plane}`;
  draw("neurons", traces, one ?
    { xaxis: { title: { text: "crease" } }, yaxis: { title: { text: "mass, with the sign of v" } } } :
    { xaxis: { title: { text: "direction (degrees)" }, range: [-180, 180], dtick: 90 },
      yaxis: { title: { text: "offset of the crease" }, range: [-radius, radius] } });
}

function func() {
  const f = milestone().function, r = run();
  const traces = [];
  let told = "";
  if (r.dimension === 2) {
    const all = r.targets.map((t) => t[0]);
    const scale = { colorscale: "RdBu", zmin: Math.min(...all), zmax: Math.max(...all) };
    traces.push({ type: "heatmap", x: f.x, y: f.y, z: f.z, ...scale, colorbar: { thickness: 12 } });
    traces.push({ x: r.inputs.map((p) => p[0]), y: r.inputs.map((p) => p[1]), mode: "markers",
      marker: { color: all, colorscale: "RdBu", cmin: scale.zmin, cmax: scale.zmax, size: 7,
        line: { color: "black", width: 0.8 } } });
    told = "the first output, and the data in the same colours";
  } else {
    const names = r.dimension === 1 ? ["f"] : ["along the leading axis", "along the second axis"];
    const outputs = f.lines.length / names.length;
    f.lines.forEach((y, i) => traces.push({ x: f.x, y, mode: "lines", name: outputs > 1 ?
      `${names[Math.floor(i / outputs)]}, output ${i % outputs + 1}` : names[Math.floor(i / outputs)] }));
    if (r.dimension === 1) {
      r.targets[0].forEach((_, i) => traces.push({ x: r.inputs.map((p) => p[0]), mode: "markers",
        y: r.targets.map((t) => t[i]), name: "data", marker: { color: "#D55E00", size: 5 } }));
      told = "and the data";
    } else {
      told = "along the two axes that neurons are seen in, through the mean of the data";
    }
  }
  at("about-function").textContent = told;
  draw("function", traces, { xaxis: { title: { text: r.dimension > 2 ? "distance" : "x" } },
    yaxis: { title: { text: r.dimension === 2 ? "x2" : "f" } }, showlegend: r.dimension > 2,
    legend: { orientation: "h", y: 1.12 } });
}

function show() {
  const m = milestone();
  at("run").value = chosen.run;
  at("epoch").value = chosen.epoch;
  at("before").disabled = chosen.epoch === 0;
  at("after").disabled = chosen.epoch === run().milestones.length - 1;
  trajectory();
  if (m.diverged) {
    at("told").textContent = "This run has diverged.";
    for (const id of ["picture", "neurons", "function"]) draw(id, [], {});
    return;
  }
  if (!(chosen.matrix in m.matrices)) chosen.matrix = Object.keys(m.matrices)[0];
  at("matrix").value = chosen.matrix;
  const s = m.summary;
  const test = s.test_mse === null ? "" : `, test MSE ${short(s.test_mse)}`;
  at("told").textContent = `MSE ${short(s.mse)}${test}, average sparsity ${short(s.average_sparsity)}, ` +
    `active neurons ${m.active.map(grouped).join(" and ")}, regularizer ${short(s.regularizer_value)}`;
  picture();
  neurons();
  func();
}

function choose(number) {
  const old = runs[chosen.run].milestones[chosen.epoch].epoch;
  chosen.run = number;
  const epochs = run().milestones.map((m) => m.epoch);
  chosen.epoch = epochs.includes(old) ? epochs.indexOf(old) : epochs.length - 1;
  fill(at("epoch"), epochs.map((e, i) => [i, grouped(e)]), chosen.epoch);
  const curves = Object.keys(run().curves);
  if (!curves.includes(chosen.curve)) chosen.curve = curves[0];
  fill(at("curve"), curves.map((c) => [c, c.replaceAll("_", " ")]), chosen.curve);
  const whole = run().milestones.find((m) => !m.diverged);
  fill(at("matrix"), Object.keys(whole ? whole.matrices : {}).map((m) => [m, m]), chosen.matrix);
  show();
}

function step(by) {
  const next = chosen.epoch + by;
  if (next < 0 || next >= run().milestones.length) return;
  chosen.epoch = next;
  show();
}

fill(at("run"), runs.map((r, i) => [i, r.title]), 0);
at("run").onchange = (e) => choose(Number(e.target.value));
at("epoch").onchange = (e) => { chosen.epoch = Number(e.target.value); show(); };
at("curve").onchange = (e) => { chosen.curve = e.target.value; trajectory(); };
at("matrix").onchange = (e) => { chosen.matrix = e.target.value; show(); };
at("before").onclick = () => step(-1);
at("after").onclick = () => step(1);
document.onkeydown = (e) => {
  if (e.target.tagName !== "SELECT") step({ ArrowLeft: -1, ArrowRight: 1 }[e.key] || 0);
};
chosen.epoch = runs[0].milestones.length - 1;
choose(0);
at("trajectory").on("plotly_click", (event) => {
  const distance = run().milestones.map((m) => Math.abs(m.epoch - event.points[0].x));
  chosen.epoch = distance.indexOf(Math.min(...distance));
  show();
});

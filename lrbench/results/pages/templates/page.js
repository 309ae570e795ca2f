// The page's one script: filter bar, tables that sort and copy themselves, the explorer of every run, a slider along paths.
// The page reads without it: whatever needs it is made or shown here. What users named is only ever set as text.
"use strict";
(() => {
  // ---- what the page says

  const read = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");
  const told = read("page-data") ?? { optimizers: [], tasks: [] };
  const block = read("explorer-data");
  const tables = [...document.querySelectorAll(".table table.data")];
  const roles = [...new Set((block?.roles ?? []).flatMap((several) => several.split(", ")))];

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  // An optimizer's colour, which the page's styles have by day and by night: for styles, and for a canvas, which knows no variables.
  const property = (colour) => `--c-${colour.slice(1)}`;
  const paint = (colour) => `var(${property(colour)}, ${colour})`;
  const ink = (colour) => css(property(colour), colour);

  // ---- what the reader chose; it is kept in the URL: #off=1.4&task=2&x=evaluations&linear=x.y&lr=0.01..0.1&seed=3&role=trial&sort=ranking-0.2.desc

  const defaults = () => ({ off: new Set(), task: 0, x: "steps", linear: new Set(), lr: [0, Infinity], seed: null, role: null, sort: new Map() });
  const state = defaults();
  const shows = []; // functions that make a part of the page show the state

  function change(edit) {
    edit(state);
    const text = written();
    history.replaceState(null, "", location.href.split("#")[0] + (text && `#${text}`));
    shows.forEach((show) => show());
  }

  function written() {
    const { off, task, x, linear, lr, seed, role, sort } = state;
    const pairs = [
      ["off", [...off].sort((a, b) => a - b).join(".")],
      ["task", task || ""],
      ["x", x === "steps" ? "" : x],
      ["linear", [...linear].sort().join(".")],
      ["lr", lr[0] > 0 || lr[1] < Infinity ? `${lr[0] || ""}..${lr[1] < Infinity ? lr[1] : ""}` : ""],
      ["seed", seed ?? ""],
      ["role", role ?? ""],
      ...[...sort].map(([name, [column, order]]) => ["sort", `${name}.${column}.${order}`]),
    ];
    return new URLSearchParams(pairs.filter(([, text]) => text !== "")).toString();
  }

  // Takes from the hash what is a choice on this page, and the default for everything else.
  function restore() {
    const hash = new URLSearchParams(location.hash.slice(1));
    const places = (text, count) => (text ?? "").split(".").filter((part) => /^\d{1,6}$/.test(part) && Number(part) < count).map(Number);
    Object.assign(state, defaults(), { off: new Set(places(hash.get("off"), told.optimizers.length)), lr: bounds(hash.get("lr")) });
    state.task = places(hash.get("task"), told.tasks.length)[0] ?? 0;
    state.x = hash.get("x") === "evaluations" ? "evaluations" : "steps";
    state.linear = new Set((hash.get("linear") ?? "").split(".").filter((axis) => axis === "x" || axis === "y"));
    state.seed = block?.runs.seed.find((seed) => String(seed) === hash.get("seed")) ?? null;
    state.role = roles.find((role) => role === hash.get("role")) ?? null;
    for (const text of hash.getAll("sort")) {
      const [, name, column, order] = /^(.+)\.(\d{1,4})\.(asc|desc)$/.exec(text) ?? [];
      const table = tables.find((table) => table.dataset.name === name);
      if (table && Number(column) < table.tHead.rows[0].cells.length) state.sort.set(name, [Number(column), order]);
    }
    shows.forEach((show) => show());
  }

  function bounds(text) {
    const [low, high, more] = (text ?? "").split("..");
    const numbers = [low || "0", high || "Infinity"].map(Number);
    return high !== undefined && more === undefined && numbers[0] >= 0 && numbers[1] >= numbers[0] ? numbers : [0, Infinity];
  }

  // ---- filter bar: what is drawn or told of each optimizer, and which one is lit

  const drawn = []; // [element, its optimizers, whether one of them is enough to show it]: parts of figures, rows of tables

  // An id ends in its optimizers: "...-optimizer-2-optimizer-5" needs both, "...-any-optimizer-6-optimizer-7" one of them.
  function collect() {
    for (const part of document.querySelectorAll("figure.chart [data-optimizer], figure.chart [id*='optimizer-'], tr[data-optimizer]")) {
      const [, any, ends] = /(-any)?((?:-optimizer-\d+)+)$/.exec(part.id) ?? [];
      const owners = (part.dataset.optimizer ?? ends)?.match(/\d+/g)?.map(Number) ?? [];
      if (owners.length) drawn.push([part, owners, Boolean(any)]);
    }
  }

  function filterBar() {
    const bar = document.getElementById("filter-bar");
    if (!bar || told.optimizers.length < 2) return;
    const boxes = told.optimizers.map((_, i) => element("input", { type: "checkbox", onchange: (event) => turn([i], event.target.checked) }));
    const every = told.optimizers.map((_, i) => i);
    const turn = (some, on) => change(({ off }) => some.forEach((i) => (on ? off.delete(i) : off.add(i))));
    const labels = told.optimizers.map(({ name, colour }, i) => {
      const swatch = element("span", { class: "swatch" });
      swatch.style.background = paint(colour);
      return element("label", { "data-optimizer": i, title: name }, boxes[i], swatch, element("span", { class: "name" }, name));
    });
    const all = element("button", { type: "button", onclick: () => turn(every, true) }, "all");
    const none = element("button", { type: "button", onclick: () => turn(every, false) }, "none");
    const set = element("fieldset", {}, element("legend", {}, "Optimizers shown"), ...labels, all, none);
    bar.append(element("form", { id: "filter", onsubmit: (event) => event.preventDefault() }, set));
    shows.push(() => {
      boxes.forEach((box, i) => (box.checked = !state.off.has(i)));
      const off = (optimizer) => state.off.has(optimizer);
      drawn.forEach(([part, owners, any]) => part.classList.toggle("off", any ? owners.every(off) : owners.some(off)));
    });
  }

  const lights = [(lit) => drawn.forEach(([part, owners, any]) => part.classList.toggle("lit", owners.includes(lit) && !any))];

  function lighting() {
    let lit = null;
    const light = (event) => {
      const owner = event.target.closest?.("#filter [data-optimizer], tr[data-optimizer]");
      const next = owner && event.type !== "focusout" && event.type !== "mouseleave" ? Number(owner.dataset.optimizer) : null;
      if (next !== lit) lights.forEach((show) => show(next));
      lit = next;
    };
    for (const type of ["mouseover", "focusin", "focusout"]) document.addEventListener(type, light);
    document.documentElement.addEventListener("mouseleave", light);
  }

  // ---- tables: sort

  const MISSING = new Set(["", "–", "-", "not reached"]);
  let collator = null; // made when a column of words is sorted: making it takes milliseconds
  const compareWords = (a, b) => (collator ??= new Intl.Collator("en", { sensitivity: "base" })).compare(a, b);
  const cellText = (cell) => cell.textContent.replace(/\s+/g, " ").trim();

  // What a printed number sorts by: [number, -1 below it | 0 | 1 above it]; 3/10 is a share; null where the text is no number.
  function sortKey(text) {
    if (text.startsWith("one rate")) return [0, 0]; // of a tolerance in decades
    const [, sign, digits, whole] = /^([<≤>≥]?) ?([+-−]?(?:inf|\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?))(?:\/(\d+))?(?![\w.])/i.exec(text) ?? [];
    if (digits === undefined) return null;
    const number = Number(digits.replace(/,/g, "").replace("−", "-").replace(/inf/i, "Infinity"));
    return [whole ? number / Number(whole) : number, { "<": -1, ">": 1 }[sign] ?? 0];
  }

  function sorted(rows, column, order) {
    const texts = new Map(rows.map((row) => [row, cellText(row.cells[column])]));
    const known = rows.filter((row) => !MISSING.has(texts.get(row)));
    const keys = new Map(known.map((row) => [row, sortKey(texts.get(row))]));
    const numeric = known.every((row) => keys.get(row));
    const compared = (a, b) => (numeric ? difference(keys.get(a), keys.get(b)) : natural(texts.get(a), texts.get(b)));
    known.sort((a, b) => (order === "desc" ? compared(b, a) : compared(a, b)));
    return [...known, ...rows.filter((row) => MISSING.has(texts.get(row)))];
  }

  const difference = ([a, beyondA], [b, beyondB]) => (a < b ? -1 : a > b ? 1 : beyondA - beyondB);

  // Compares texts piece by piece, numbers in them as numbers: lr=0.02 before lr=0.1.
  function natural(a, b) {
    const pieces = (text) => text.split(/(\d+(?:\.\d+)?(?:e[+-]?\d+)?)/);
    const others = pieces(b);
    const compared = pieces(a).map((piece, i) => (i % 2 && piece - others[i]) || compareWords(piece, others[i] ?? ""));
    return compared.find((sign) => sign) ?? a.length - b.length;
  }

  function sortable(table) {
    const name = table.dataset.name;
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    const printed = [...body.rows];
    const next = { undefined: "asc", asc: "desc", desc: undefined };
    heads.forEach((head, column) => {
      const click = () => {
        const [old, order] = state.sort.get(name) ?? [];
        const turned = next[old === column ? order : undefined];
        change(({ sort }) => (turned ? sort.set(name, [column, turned]) : sort.delete(name)));
      };
      head.replaceChildren(element("button", { type: "button", class: "sort", onclick: click }, ...head.childNodes));
    });
    shows.push(() => {
      const [column, order] = state.sort.get(name) ?? [];
      heads.forEach((head, i) => head.setAttribute("aria-sort", i === column ? { asc: "ascending", desc: "descending" }[order] : "none"));
      body.append(...(order ? sorted(printed, column, order) : printed));
    });
  }

  // ---- tables: copy

  const TEX = new Map([
    ..."&%$#_{}".split("").map((character) => [character, `\\${character}`]),
    ...Object.entries({ "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" }),
    ...Object.entries({ "<": "\\textless{}", ">": "\\textgreater{}" }),
    ...Object.entries({ "≤": "$\\leq$", "≥": "$\\geq$", "×": "$\\times$", κ: "$\\kappa$", µ: "\\textmu{}", "–": "--", "…": "\\dots{}" }),
  ]);
  const tex = (text) => [...text].map((character) => TEX.get(character) ?? character).join("");
  const markdown = (text) => text.replace(/[\\`*_<>|[\]&~]/g, "\\$&");

  const FORMATS = {
    Markdown: ([head, ...rows], right) => {
      const rules = right.map((numbers) => (numbers ? "---:" : ":---"));
      return [head.map(markdown), rules, ...rows.map((row) => row.map(markdown))].map((row) => `| ${row.join(" | ")} |`).join("\n");
    },
    LaTeX: ([head, ...rows], right) => {
      const line = (row) => `${row.map(tex).join(" & ")} \\\\`;
      const columns = right.map((numbers) => (numbers ? "r" : "l")).join("");
      const middle = [line(head), "\\midrule", ...rows.map(line)];
      return [`\\begin{tabular}{${columns}}`, "\\toprule", ...middle, "\\bottomrule", "\\end{tabular}"].join("\n");
    },
    CSV: (rows) => rows.map((row) => row.map((text) => `"${text.replace(/"/g, '""')}"`).join(",")).join("\n"),
  };

  function copyable(table) {
    const place = table.closest(".table").querySelector(".copy");
    if (!place) return;
    const said = element("span", { role: "status", class: "said" });
    const copy = async (format) => {
      const rows = [table.tHead.rows[0], ...table.tBodies[0].rows].filter((row) => !row.classList.contains("off"));
      const right = [...rows[0].cells].map((cell) => cell.classList.contains("right"));
      const text = FORMATS[format](rows.map((row) => [...row.cells].map(cellText)), right);
      said.textContent = "";
      said.textContent = (await copied(`${text}\n`)) ? "copied" : "this browser does not let a page copy";
    };
    const buttons = Object.keys(FORMATS).map((format) => element("button", { type: "button", onclick: () => copy(format) }, format));
    place.append("copy as ", ...buttons, said);
  }

  async function copied(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const hidden = element("textarea", { class: "unseen", "aria-hidden": "true" });
      const before = document.activeElement;
      hidden.value = text;
      document.body.append(hidden);
      hidden.select();
      const done = document.execCommand("copy");
      hidden.remove();
      before?.focus();
      return done;
    }
  }

  // ---- explorer: the block unpacked; its format is in explorer.py

  async function unpacked(text) {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const planes = new Uint8Array(await new Response(stream).arrayBuffer());
    const length = planes.length / 4;
    const numbers = new Int32Array(length);
    for (let i = 0, sum = 0; i < length; i++) {
      const zigzag = planes[i] | (planes[i + length] << 8) | (planes[i + 2 * length] << 16) | (planes[i + 3 * length] << 24);
      numbers[i] = sum += (zigzag >>> 1) ^ -(zigzag & 1);
    }
    return numbers;
  }

  // The runs as their columns tell; `grid` is a number until their curves are there.
  function allRuns() {
    const { task, setting, status, role, optimizer, seed, lr, grid } = block.runs;
    const run = (_, i) => ({
      ...{ task: task[i], setting: setting[i], status: status[i], role: role[i], optimizer: optimizer[i], seed: seed[i], lr: lr[i] },
      ...{ grid: grid[i], codes: null },
    });
    return grid.map(run);
  }

  // Gives each run its grid and its codes.
  async function addCurves(runs) {
    const numbers = await unpacked(block.numbers);
    let at = 0;
    const piece = (length) => numbers.subarray(at, (at += length));
    const grids = block.grids.map(({ length, unit }) => {
      const steps = piece(length);
      return { steps, evaluations: Float64Array.from(piece(length), (whole) => whole * unit) };
    });
    for (const run of runs) Object.assign(run, { codes: piece(block.grids[run.grid].length), grid: grids[run.grid] });
  }

  const gapOf = (code) => (code === block.zero ? 0 : code === block.lost ? Infinity : 10 ** (code / block.levels));

  // ---- explorer: axes. uPlot sees coordinates, which are linear; an axis turns values into these and back

  const linearAxis = (unit) => ({ to: (x) => x / unit, from: (at) => at * unit, ticks: evenTicks });
  const logAxis = () => ({ to: Math.log10, from: (at) => 10 ** at, ticks: powers });
  const START = 0.4; // decades: the width that a logarithmic axis gives to what is before the first update
  const startAxis = (first) => ({
    to: (x) => (x < first ? (START * x) / first : START + Math.log10(x / first)),
    from: (at) => (at < START ? (at * first) / START : first * 10 ** (at - START)),
    ticks: (low, high, most) => [...(low <= 0 ? [0] : []), ...powers(Math.max(low, first), high, most)],
  });

  function evenTicks(low, high, most) {
    const rough = (high - low) / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= rough);
    const first = Math.ceil(low / step - 1e-9);
    return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  }

  function powers(low, high, most) {
    const first = Math.ceil(Math.log10(low) - 1e-9);
    const last = Math.floor(Math.log10(high) + 1e-9);
    if (last > first) {
      const stride = Math.ceil((last - first) / (most - 1));
      return Array.from({ length: Math.floor((last - first) / stride) + 1 }, (_, i) => Number(`1e${first + i * stride}`));
    }
    const fine = [first - 1, last].flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
    const within = [...new Set(fine)].filter((tick) => tick >= low && tick <= high);
    return within.length > 1 ? within : evenTicks(low, high, most);
  }

  const RAISED = Object.fromEntries([..."-0123456789"].map((character, i) => [character, [..."⁻⁰¹²³⁴⁵⁶⁷⁸⁹"][i]]));

  function tickText(x) {
    const size = Math.abs(x);
    if (size === 0 || (size >= 1e-3 && size < 1e4)) return String(Number(x.toPrecision(6)));
    const [digits, power] = x.toExponential().split("e");
    const short = String(Number(Number(digits).toPrecision(4)));
    const raised = `10${[...String(Number(power))].map((character) => RAISED[character]).join("")}`;
    return short === "1" ? raised : `${short}·${raised}`;
  }

  const thousands = (whole) => String(whole).replace(/\B(?=(\d{3})+$)/g, ",");
  const gapText = (gap) => (gap === 0 ? "0" : gap === Infinity ? "inf" : gap >= 1e-3 && gap < 1e4 ? String(Number(gap.toPrecision(2))) : power(gap));
  const power = (x) => x.toExponential(1).replace("e+", "e");

  // ---- explorer: drawing. uPlot draws the axes, zooms and follows the pointer; the runs are drawn on two canvases of our own in its plot area,
  // `below` all that are shown, `above` what is lit or picked. A series of uPlot's a run would take seconds.

  const HEIGHT = 420; // CSS pixels
  const FEW = 30; // runs that are drawn wider than a device pixel, which takes 30 times as long
  const BEYOND = Math.log10(30); // decades above the highest start: what a diverged run does further up is off the axes
  const css = (name, otherwise = "gray") => getComputedStyle(document.documentElement).getPropertyValue(name).trim() || otherwise;

  // The task's axes, and the coordinates that show all of it.
  function frame(runs) {
    const known = (code) => code !== block.lost && code !== block.zero;
    const xs = [...new Set(runs.map((run) => run.grid[state.x]))];
    const first = Math.min(...xs.map((x) => x.find((value) => value > 0) ?? Infinity));
    const last = Math.max(...xs.map((x) => x[x.length - 1]), 1e-9);
    let [low, high, top] = [Infinity, -Infinity, -Infinity];
    for (const { codes } of runs) {
      if (known(codes[0])) top = Math.max(top, codes[0]);
      for (const code of codes) if (known(code)) [low, high] = [Math.min(low, code), Math.max(high, code)];
    }
    if (low > high) [low, high] = [0, 0];
    high = Math.min(high, top > -Infinity ? top + BEYOND * block.levels : high);
    const x = state.linear.has("x") || first >= last ? linearAxis(1) : startAxis(first);
    const y = state.linear.has("y") ? linearAxis(gapOf(high)) : logAxis();
    const margin = 0.03 * Math.max(high - low, block.levels / 10);
    const whole = state.linear.has("y") ? [0, 1.03] : [(low - margin) / block.levels, (high + margin) / block.levels];
    return { x, y, whole: { x: [x.to(0), x.to(last)], y: whole } };
  }

  // Where the runs' points are in a plot area of so many pixels.
  function pixels(plot, axes, width, height) {
    const { x, y } = plot.scales;
    const perX = width / (x.max - x.min);
    const perY = height / (y.max - y.min);
    const columns = new Map();
    const xs = (run) => {
      const values = run.grid[state.x];
      if (!columns.has(values)) columns.set(values, Float32Array.from(values, (value) => (axes.x.to(value) - x.min) * perX));
      return columns.get(values);
    };
    const far = 10 * height; // a gap of 0 on a logarithmic axis
    const log = (code) => (code === block.zero ? far : height - (code / block.levels - y.min) * perY);
    const linear = (code) => height - (axes.y.to(gapOf(code)) - y.min) * perY;
    return { xs, y: state.linear.has("y") ? linear : log };
  }

  function trace(context, { grid, codes }, { xs, y }, width) {
    const columns = xs({ grid });
    let pen = false;
    context.beginPath();
    for (let i = 0; i < codes.length; i++) {
      if (codes[i] === block.lost || columns[i + 1] < 0) pen = false;
      else if (pen) context.lineTo(columns[i], y(codes[i]));
      else {
        context.moveTo(columns[i], y(codes[i]));
        pen = true;
      }
      if (columns[i] > width) break;
    }
    context.stroke();
  }

  // Draws runs on a cleared canvas of the plot area. willReadFrequently: drawn by the CPU, which is faster here where the GPU is only emulated.
  function strokes(canvas, { plot, axes }, runs, alpha, thickness) {
    const { width, height } = plot.bbox;
    const where = pixels(plot, axes, width, height);
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.globalAlpha = alpha;
    context.lineWidth = runs.length > FEW ? 1 : thickness * devicePixelRatio;
    context.lineJoin = "bevel";
    const inks = told.optimizers.map(({ colour }) => ink(colour));
    for (const run of runs) {
      context.strokeStyle = inks[run.optimizer];
      trace(context, run, where, width);
    }
    return { context, where };
  }

  // The nearest of the runs to a point in CSS pixels of the plot area, and its nearest step; null where none is near.
  function nearest(runs, where, left, top) {
    let best = { distance: 60, run: null, place: 0 };
    const places = new Map();
    for (const run of runs) {
      const columns = where.xs(run);
      if (!places.has(columns)) places.set(columns, below(columns, left));
      const i = places.get(columns);
      const ends = [i, Math.min(i + 1, columns.length - 1)].filter((place) => run.codes[place] !== block.lost);
      if (!ends.length) continue;
      const [from, to] = [ends[0], ends[ends.length - 1]];
      const share = from === to ? 0 : Math.min(Math.max((left - columns[from]) / (columns[to] - columns[from]), 0), 1);
      const [start, end] = [where.y(run.codes[from]), where.y(run.codes[to])];
      const distance = Math.hypot(Math.abs(start + share * (end - start) - top), Math.max(columns[from] - left, left - columns[to], 0));
      if (distance < best.distance) best = { distance, run, place: share < 0.5 ? from : to };
    }
    return best.run && best;
  }

  function below(columns, at) {
    let [low, high] = [0, columns.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (columns[middle] <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // ---- explorer: its parts on the page

  // A control with its label; read: state -> value, write: (state, value) -> state changed.
  function choice(label, options, read, write) {
    const select = element("select", { id: idOf(label), onchange: () => change((state) => write(state, select.value)) });
    select.append(...options.map(([value, text]) => element("option", { value }, text)));
    shows.push(() => (select.value = read(state)));
    return element("span", {}, element("label", { for: select.id }, label), " ", select);
  }

  function tick(label, axis) {
    const turned = ({ linear }) => (box.checked ? linear.delete(axis) : linear.add(axis));
    const box = element("input", { type: "checkbox", id: idOf(label), onchange: () => change(turned) });
    shows.push(() => (box.checked = !state.linear.has(axis)));
    return element("span", {}, box, " ", element("label", { for: box.id }, label));
  }

  function bound(label, side, free, placeholder) {
    const chosen = ({ lr }) => {
      lr[side] = input.value === "" ? free : Math.max(Number(input.value), 0);
      lr.sort((low, high) => low - high);
    };
    const input = element("input", { type: "number", min: 0, step: "any", placeholder, id: idOf(label), onchange: () => change(chosen) });
    shows.push(() => (input.value = state.lr[side] === free ? "" : state.lr[side]));
    return element("span", {}, element("label", { for: input.id }, label), " ", input);
  }

  const idOf = (label) => `explorer-${label.replace(" ", "-")}`;

  function controls(reset) {
    const tasks = block.tasks.map((label, i) => [i, label]);
    const axes = [["steps", "steps"], ["evaluations", "gradient evaluations"]];
    const seeds = [...new Set(block.runs.seed)].sort((a, b) => a - b).map((seed) => [seed, seed]);
    const rates = block.runs.lr.some((lr) => lr !== null);
    const one = (state, value) => (state.seed = value === "" ? null : Number(value));
    const only = (state, value) => (state.role = value || null);
    const parts = [
      tasks.length > 1 && choice("task", tasks, ({ task }) => task, (state, value) => (state.task = Number(value))),
      choice("x", axes, ({ x }) => x, (state, value) => (state.x = value)),
      tick("log x", "x"),
      tick("log gap", "y"),
      rates && bound("lr from", 0, 0, "lowest"),
      rates && bound("lr to", 1, Infinity, "highest"),
      seeds.length > 1 && choice("seed", [["", "all"], ...seeds], ({ seed }) => seed ?? "", one),
      roles.length > 1 && choice("runs", [["", "all"], ...roles.map((role) => [role, role])], ({ role }) => role ?? "", only),
    ];
    return element("form", { class: "controls", onsubmit: (event) => event.preventDefault() }, ...parts.filter(Boolean), reset);
  }

  function explorer() {
    const section = document.getElementById("explorer");
    if (!section || !block || !window.DecompressionStream) return;
    const stored = allRuns();
    const runs = [...stored].sort((a, b) => b.optimizer - a.optimizer); // the best are drawn on top
    const said = element("output", { class: "readout", "aria-live": "polite" });
    const help = "Every run's gap. Up and down arrows go from run to run by last gap, left and right along it.";
    const place = element("div", { class: "plot", tabindex: 0, role: "group", "aria-label": help });
    const [below, above] = [element("canvas", { class: "runs" }), element("canvas", { class: "runs" })];
    const choices = { of: [], shown: [], picked: null, lit: null };
    const view = { stored, runs, opening: null, open: false, plot: null, axes: null, built: "", ...choices, place, said, below, above };
    const reset = element("button", { type: "button", onclick: () => wholeView(view) }, "whole view");
    const count = element("span", { class: "count" });
    const gestures = " Drag to zoom in, double click for the whole view, point at a curve to see whose it is.";
    section.append(element("p", { class: "note" }, `${block.note}. `, count, gestures), controls(reset), place, said);
    section.hidden = false;
    document.querySelectorAll("[href='#explorer']").forEach((link) => (link.hidden = false));
    shows.push(() => showRuns(view, count));
    lights.push((lit) => emphasise(Object.assign(view, { lit })));
    place.addEventListener("keydown", (event) => byKey(view, event));
    new ResizeObserver(() => {
      const width = place.clientWidth;
      if (view.plot && view.plot.width !== width) view.plot.setSize({ width, height: HEIGHT });
    }).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => view.plot?.redraw(false));
    new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && opened(view), { rootMargin: "100% 0px" }).observe(section);
  }

  // Unpacks and draws the runs, once. It costs more than all else here, so it waits until the section is less than a window's height away.
  function opened(view) {
    view.opening ??= addCurves(view.stored).then(() => {
      if (!window.uPlot) evaluate(read("explorer-code"));
      showCurves(Object.assign(view, { open: true }));
    });
    return view.opening;
  }

  // Runs a script that the page holds as text; its policy knows this one's hash.
  function evaluate(text) {
    const script = element("script", {}, text);
    document.head.append(script);
    script.remove();
  }

  function showRuns(view, count) {
    const [low, high] = state.lr;
    view.of = view.runs.filter((run) => run.task === state.task);
    const any = low === 0 && high === Infinity; // a run may have no learning rate
    const ofRole = (role) => state.role === null || block.roles[role].split(", ").includes(state.role);
    const chosen = ({ seed, lr, role }) => (state.seed ?? seed) === seed && ofRole(role) && (any || (lr !== null && lr >= low && lr <= high));
    view.shown = view.of.filter((run) => !state.off.has(run.optimizer) && chosen(run));
    if (!view.shown.includes(view.picked?.run)) view.picked = null;
    count.textContent = `Shown here: ${thousands(view.shown.length)}.`;
    if (view.open) showCurves(view);
  }

  function showCurves(view) {
    const wanted = JSON.stringify([state.task, state.x, [...state.linear].sort()]);
    if (wanted === view.built && view.plot) draw(view);
    else build(view, wanted);
  }

  function build(view, wanted) {
    view.plot?.destroy();
    [view.built, view.plot] = [wanted, null];
    if (!view.of.length) return;
    view.axes = frame(view.of);
    const { x, y } = view.axes.whole;
    new uPlot(options(view), [x, y], view.place);
  }

  function options(view) {
    const [text, line] = [() => css("--soft"), () => css("--line")];
    const axis = (name, label, most) => {
      const { to, from, ticks } = view.axes[name];
      return {
        ...{ scale: name, size: name === "y" ? 62 : 34, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1, size: 4 } },
        ...{ label, labelSize: 22, font: "12px system-ui, sans-serif", labelFont: "13px system-ui, sans-serif", stroke: text },
        splits: (_, __, low, high) => ticks(from(low), from(high), most).map(to),
        values: (_, splits) => splits.map((at) => tickText(Number(from(at).toPrecision(9)))),
      };
    };
    const scale = { time: false, auto: (_, whole) => whole, range: (_, low, high) => [low, high] };
    return {
      ...{ width: view.place.clientWidth, height: HEIGHT, legend: { show: false }, scales: { x: { ...scale }, y: { ...scale } } },
      axes: [axis("x", state.x === "steps" ? "steps" : "gradient evaluations", view.place.clientWidth < 600 ? 5 : 9), axis("y", "gap", 9)],
      series: [{}, { paths: () => null, points: { show: false } }],
      cursor: { y: true, points: { show: false }, drag: { x: true, y: true, uni: 30, dist: 5 } },
      hooks: {
        ready: [(plot) => plot.over.prepend(view.below, view.above)],
        draw: [(plot) => draw(Object.assign(view, { plot }))],
        setCursor: [() => pick(view)],
      },
    };
  }

  function draw(view) {
    strokes(view.below, view, view.shown, Math.min(0.9, (8 * devicePixelRatio) / Math.sqrt(view.shown.length)), 1.4);
    emphasise(view);
  }

  // Draws what is lit or picked, the others pale, and says what is picked.
  function emphasise(view) {
    const { plot, picked, lit } = view;
    view.said.replaceChildren(...(picked ? sentence(picked) : []));
    if (!plot) return;
    const runs = picked ? [picked.run] : view.shown.filter((run) => run.optimizer === lit);
    const { context, where } = strokes(view.above, view, runs, 1, 3);
    view.below.classList.toggle("pale", lit !== null && !picked);
    if (!picked) return;
    context.fillStyle = css("--ink");
    context.beginPath();
    context.arc(where.xs(picked.run)[picked.place], where.y(picked.run.codes[picked.place]), 4 * devicePixelRatio, 0, 2 * Math.PI);
    context.fill();
  }

  function sentence({ run, place }) {
    const { name, colour } = told.optimizers[run.optimizer];
    const swatch = element("span", { class: "swatch" });
    swatch.style.background = paint(colour);
    const evaluations = state.x === "steps" ? [] : [`${Number(run.grid.evaluations[place].toPrecision(6))} evaluations`];
    const gap = gapText(gapOf(run.codes[place]));
    const facts = [block.settings[run.setting], `seed ${run.seed}`, `step ${run.grid.steps[place]}`, ...evaluations, `gap ${gap}`];
    const role = block.roles[run.role] === "grid" ? [] : [block.roles[run.role]];
    const status = block.statuses[run.status] === "completed" ? [] : [block.statuses[run.status]];
    return [swatch, element("b", {}, name), ` ${[...facts, ...role, ...status].filter(Boolean).join(" · ")}`];
  }

  function pick(view) {
    const { plot, axes, shown } = view;
    if (!plot?.cursor.event) return; // not the reader's doing
    const { left, top } = plot.cursor;
    const where = pixels(plot, axes, plot.over.clientWidth, plot.over.clientHeight);
    view.picked = left < 0 ? null : nearest(shown, where, left, top);
    emphasise(view);
  }

  async function byKey(view, event) {
    const along = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const across = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if ((!along && !across) || !view.shown.length) return;
    event.preventDefault();
    await opened(view);
    const last = ({ codes }) => codes[codes.length - 1];
    const order = [...view.shown].sort((a, b) => last(a) - last(b) || b.optimizer - a.optimizer);
    const at = view.picked ? order.indexOf(view.picked.run) : -1;
    const run = order[at < 0 ? 0 : Math.min(Math.max(at + (across ?? 0), 0), order.length - 1)];
    const place = (view.picked?.run === run ? view.picked.place : run.codes.length - 1) + (along ?? 0);
    view.picked = { run, place: Math.min(Math.max(place, 0), run.codes.length - 1) };
    emphasise(view);
  }

  function wholeView({ plot, axes }) {
    for (const name of ["x", "y"]) plot?.setScale(name, { min: axes.whole[name][0], max: axes.whole[name][1] });
  }

  // ---- path: a slider that moves a dot an optimizer along its path

  function slider(figure) {
    const { steps, paths } = JSON.parse(figure.dataset.paths);
    const svg = figure.querySelector("svg");
    if (!svg || !steps.length) return;
    const shapes = paths.map(({ optimizer, points }) => moving(svg, optimizer, points));
    const label = element("span", {});
    const move = () => {
      label.textContent = `step ${steps[range.value]}`;
      range.setAttribute("aria-valuetext", label.textContent);
      shapes.forEach((show) => show(Number(range.value)));
      figure.classList.toggle("moved", Number(range.value) < last);
    };
    const last = steps.length - 1;
    const range = element("input", { type: "range", min: 0, max: last, value: last, oninput: move, "aria-label": "step of the paths" });
    const moved = element("label", { class: "step" }, range, label);
    figure.insertBefore(moved, figure.querySelector("figcaption"));
    move();
  }

  // Adds a line and a dot to an SVG; returns a function that shows them up to a place. A null is a state beyond the axes, or none: the run had stopped.
  function moving(svg, optimizer, points) {
    const part = (tag, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
      return made;
    };
    const { colour, behind } = told.optimizers[optimizer] ?? {};
    const stroke = colour ? paint(colour) : "currentColor";
    const size = (svg.viewBox.baseVal?.width || 600) / (behind ? 240 : 120);
    const line = part("polyline", { fill: "none", style: `stroke:${stroke}`, "stroke-width": size / 3, "stroke-linejoin": "round" });
    const dot = part("circle", { r: size, style: `fill:${stroke}`, stroke: "currentColor", "stroke-width": size / 6 });
    const group = part("g", { class: "moving", "data-optimizer": optimizer });
    group.append(line, dot);
    if (behind) svg.insertBefore(group, svg.querySelector(".moving"));
    else svg.append(group);
    return (place) => {
      const until = points.slice(0, place + 1).filter((point) => point);
      line.setAttribute("points", until.map(([x, y]) => `${x},${y}`).join(" "));
      const [x, y] = until[until.length - 1] ?? [0, 0];
      dot.setAttribute("cx", x);
      dot.setAttribute("cy", y);
      dot.setAttribute("visibility", points[place] ? "visible" : "hidden");
    };
  }

  // ---- links within the page; the hash is the state's

  function follow(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in another tab or window
    const target = document.getElementById(event.target.closest?.("a[href^='#']")?.getAttribute("href").slice(1));
    if (!target) return;
    event.preventDefault();
    target.tabIndex = -1;
    target.focus({ preventScroll: true });
    target.scrollIntoView();
  }

  // ---- look of what this script makes

  const STYLE = `
    .off { display: none !important; }
    .lit:not([id*='panel-'], [id*='cell']) path:not(defs path, [style*="linecap:round"]), path.lit { stroke-width: 3.5px !important; }
    .lit:not([id*='panel-'], [id*='cell']) text { font-weight: 700; }
    tr.lit > * { background: var(--card); }
    .swatch { display: inline-block; flex: none; width: .9rem; height: .3rem; border-radius: 2px; vertical-align: middle; margin-right: .3rem; }
    #filter fieldset, .copy, .controls, .step { display: flex; flex-wrap: wrap; align-items: center; }
    #filter fieldset { gap: .35rem .9rem; border: 1px solid var(--line); border-radius: 8px; padding: .5rem .9rem .7rem; margin: 0; }
    #filter legend { color: var(--soft); font-size: .85rem; padding: 0 .3rem; }
    #filter label { display: flex; align-items: center; gap: .35rem; cursor: pointer; max-width: 16rem; min-height: 1.5rem; }
    #filter .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    #filter button, .copy button, .controls button {
      font: inherit; font-size: .85rem; color: var(--accent); background: none; border: 1px solid var(--line); border-radius: 6px;
      padding: .1rem .6rem; min-height: 1.6rem; cursor: pointer;
    }
    .copy { gap: .4rem; font-size: .85rem; color: var(--soft); margin: .5rem 0; }
    .said { color: var(--ink); }
    .sort { font: inherit; color: inherit; background: none; border: 0; padding: 0; max-width: 100%; cursor: pointer; text-align: inherit; }
    .sort::after { content: "\\a0↕" / ""; opacity: .35; }
    [aria-sort=ascending] .sort::after { content: "\\a0↑" / ""; opacity: 1; }
    [aria-sort=descending] .sort::after { content: "\\a0↓" / ""; opacity: 1; }
    .controls { gap: .5rem 1.1rem; font-size: .9rem; margin: .75rem 0; }
    .controls select, .controls input[type=number] {
      font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 6px;
      padding: .15rem .3rem; max-width: 15rem;
    }
    .controls input[type=number] { width: 6.5rem; }
    #explorer .note { color: var(--soft); font-size: .9rem; }
    #explorer .plot { width: 100%; min-height: ${HEIGHT}px; overflow: hidden; }
    #explorer .runs { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; }
    #explorer .pale { opacity: .25; }
    #explorer .u-select { background: color-mix(in srgb, var(--accent) 20%, transparent); }
    #explorer .u-cursor-x, #explorer .u-cursor-y { border-color: var(--soft); }
    .readout { display: block; min-height: 3.2em; font-size: .9rem; overflow-wrap: anywhere; }
    .path:not(.moved) .moving polyline { display: none; }
    .path.moved [id^='path-path-'] { opacity: .15; }
    .step { gap: .8rem; font-size: .9rem; font-variant-numeric: tabular-nums; }
    .step input { flex: 1; accent-color: var(--accent); }
    .unseen { position: fixed; top: 0; left: -9999px; }
    button:focus-visible, input:focus-visible, select:focus-visible, .plot:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    @media print { #filter-bar, .copy, .controls, .readout, .step, .sort::after { display: none; } }
  `;

  // ---- start

  document.head.append(element("style", {}, STYLE));
  document.querySelectorAll("figure.chart.path[data-paths]").forEach(slider);
  collect();
  filterBar();
  tables.forEach((table) => (sortable(table), copyable(table)));
  lighting();
  explorer();
  restore();
  addEventListener("hashchange", restore);
  document.addEventListener("click", follow);
})();

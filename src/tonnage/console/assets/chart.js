/* Charts, drawn by uPlot from the table beside them: the numbers stand in the page once, and the table is what those
   read who see no chart. Scripts, deferred and in this order: uPlot.iife.min.js, console.js, chart.js.

   Markup:
     <figure class="chart" data-chart="usage" data-table="days" data-hint="Use the arrow keys to move from day to day.">
       <figcaption>Usage</figcaption>
       <div class="chart-plot"></div>
     </figure>
     <table id="days">
       <thead><tr><th data-column="day">Day</th><th data-column="used">Used</th>
                  <th data-column="allocated">Allocated</th><th data-column="excess">Excess</th></tr></thead>
       <tbody><tr><th data-value="2026-11-23">23 Nov 2026</th><td data-value="5300000000000">5.3 TB</td>
                  <td data-value="5000000000000">5 TB</td><td data-value="300000000000">300 GB</td></tr>…</tbody>
     </table>

   - data-chart: usage (columns used, allocated, excess), traffic (egress), requests (requests), objects (objects). The
     table may have other columns, and may lack any but `day` and the one that is drawn. Rows in any order, days whole.
   - data-value: ISO days, bytes, counts. An allocation of 0, or an empty one, is pay-per-use: no line on that day.
   - The tooltip repeats the header's and the cell's texts. `small` figures: class="chart chart-small".
   - Sizes and months are in the page's locale (data-locale or lang on <html>); days are UTC days.
   - Colours: --usage, --usage-fill, --mark, --excess, --grid, --ink-muted, --paper, looked up at every drawing. */

(() => {
  "use strict";

  const DAY = 86400;
  const HALF = DAY / 2;
  const KINDS = {
    usage: { columns: ["used", "allocated", "excess"], bytes: true, bars: false },
    traffic: { columns: ["egress"], bytes: true, bars: true },
    requests: { columns: ["requests"], bytes: false, bars: true },
    objects: { columns: ["objects"], bytes: false, bars: false },
  };
  const { locale, size, unitFor } = globalThis.tonnage;
  const count = new Intl.NumberFormat(locale, { notation: "compact", numberingSystem: "latn" });
  const inUtc = (form) => new Intl.DateTimeFormat(locale, { ...form, timeZone: "UTC", numberingSystem: "latn" });
  const dayOfMonth = inUtc({ day: "numeric", month: "short" });
  const month = inUtc({ month: "short" });
  const monthOfYear = inUtc({ month: "short", year: "numeric" });

  /* Reading the table. */

  function read(figure) {
    const table = document.getElementById(figure.dataset.table);
    const headers = [...table.tHead.rows[0].cells];
    const at = Object.fromEntries(headers.map((cell, index) => [cell.dataset.column, index]));
    const columns = KINDS[figure.dataset.chart].columns.filter((name) => name in at);
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]).map(({ cells }) => ({
      time: Date.parse(cells[at.day].dataset.value) / 1000,
      day: cells[at.day].textContent.trim(),
      cells: columns.map((name) => ({
        name,
        label: headers[at[name]].textContent.trim(),
        value: Number(cells[at[name]].dataset.value || 0),
        text: cells[at[name]].textContent.trim(),
      })),
    }));
    return rows.sort((one, other) => one.time - other.time);
  }

  /* Colours. They may be written in any way that CSS knows, which a canvas may not: so a browser resolves them. */

  function colour(plot, name, share = 100) {
    plot.style.columnRuleColor = `color-mix(in srgb, var(${name}) ${share}%, transparent)`; // a property without effect
    return getComputedStyle(plot).columnRuleColor;
  }

  /* Paths. A day's numbers hold for that day, so the allocation's steps are halfway between the points. */

  const pixel = (u, value, scale) => u.valToPos(value, scale, true);
  const bars = uPlot.paths.bars({ size: [0.72, 28], radius: 0.12 });

  // uPlot's own line would end at the middle of the last day, and have nothing to show for a single one.
  function curve(u, index) {
    const stroke = new Path2D();
    const times = u.data[0];
    const y = u.data[index].map((value) => pixel(u, value, "y"));
    stroke.moveTo(pixel(u, times[0] - HALF, "x"), y[0]);
    times.forEach((time, i) => stroke.lineTo(pixel(u, time, "x"), y[i]));
    stroke.lineTo(pixel(u, times.at(-1) + HALF, "x"), y.at(-1));
    const fill = new Path2D(stroke);
    for (const edge of [times.at(-1) + HALF, times[0] - HALF]) fill.lineTo(pixel(u, edge, "x"), pixel(u, 0, "y"));
    return { stroke, fill, clip: null, flags: 0 };
  }

  function steps(u, limits) {
    const stroke = new Path2D();
    const times = u.data[0];
    times.forEach((time, i) => {
      if (limits[i] === null) return;
      const y = Math.round(pixel(u, limits[i], "y"));
      const joined = i > 0 && limits[i - 1] !== null && times[i - 1] === time - DAY;
      stroke[joined ? "lineTo" : "moveTo"](pixel(u, time - HALF, "x"), y);
      stroke.lineTo(pixel(u, time + HALF, "x"), y);
    });
    return { stroke, fill: null, clip: null, flags: 0 };
  }

  // One side of the allocation. The same curve is drawn twice, once on each side and in that side's colours: exact also
  // where it crosses between two days, or the allocation jumps.
  function side(u, limits, beyond) {
    const region = new Path2D();
    const { top, height } = u.bbox;
    u.data[0].forEach((time, i) => {
      const y = limits[i] === null ? top : Math.round(pixel(u, limits[i], "y"));
      const left = pixel(u, time - HALF, "x");
      const right = pixel(u, time + HALF, "x");
      if (beyond) region.rect(left, 0, right - left, y);
      else region.rect(left, y, right - left, top + height - y + 2);
    });
    return region;
  }

  function limitedSeries(plot, limits) {
    const half = (name, fill, share, beyond) => ({
      stroke: () => colour(plot, name),
      fill: () => colour(plot, fill, share),
      width: 2,
      points: { show: false },
      paths: (u, index) => ({ ...curve(u, index), clip: side(u, limits, beyond) }),
    });
    const mark = { stroke: () => colour(plot, "--mark"), width: 1.5, points: { show: false }, paths: (u) => steps(u, limits) };
    return [half("--usage", "--usage-fill", 100, false), half("--excess", "--excess", 28, true), mark];
  }

  function single(plot, kind) {
    return {
      stroke: () => colour(plot, "--usage"),
      fill: () => (kind.bars ? colour(plot, "--usage", 72) : colour(plot, "--usage-fill")),
      width: kind.bars ? 0 : 2,
      points: { show: false },
      paths: kind.bars ? bars : curve,
    };
  }

  /* Axes. */

  // Between the lines of an axis. Of days, 30 and 365 are uPlot's months and years; of bytes and counts there are no
  // fractions, and no 25 or 250, which nobody reads off well.
  const WHOLE = Array.from({ length: 20 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();
  const SPANS = [1, 2, 7, 14, 30, 60, 90, 180, 365].map((length) => length * DAY);

  function axes(plot, kind) {
    const common = {
      stroke: () => colour(plot, "--ink-muted"),
      font: `12px ${getComputedStyle(plot).fontFamily}`,
      ticks: { show: false },
    };
    const grid = { stroke: () => colour(plot, "--grid"), width: 1 };
    // All of an axis in one unit; `0` needs none.
    const bytes = (u, marks) => marks.map((value) => (value === 0 ? "0" : size(value, unitFor(marks.at(-1)))));
    const counts = (u, marks) => marks.map((value) => count.format(value));
    return [
      { ...common, grid: { show: false }, size: 28, gap: 8, space: 60, incrs: SPANS, values: days },
      {
        ...common, grid, gap: 8, space: 36, incrs: WHOLE, values: kind.bytes ? bytes : counts,
        size: (u, texts) => 20 + Math.max(0, ...(texts ?? []).map((text) => text.length)) * 7,
      },
    ];
  }

  function days(u, marks, axis, space, increment) {
    return marks.map((mark) => {
      const date = new Date(mark * 1000);
      if (increment < 28 * DAY) return dayOfMonth.format(date);
      return (date.getUTCMonth() === 0 ? monthOfYear : month).format(date);
    });
  }

  /* The tooltip, and the same for the keyboard: a slider over the days, which screen readers know how to speak. */

  function tooltip(plot, rows) {
    const tip = document.createElement("div");
    tip.className = "chart-tip";
    tip.hidden = true;
    plot.append(tip);
    return (u) => {
      const { idx, left } = u.cursor;
      tip.hidden = idx == null || left < 0;
      if (tip.hidden) return;
      const shown = rows[idx].cells.filter((cell) => cell.name !== "excess" || cell.value > 0);
      const list = document.createElement("dl");
      for (const cell of shown) {
        const [term, text] = ["dt", "dd"].map((name) => document.createElement(name));
        term.className = `chart-key chart-key-${cell.name}`;
        term.textContent = cell.label;
        text.textContent = cell.text;
        list.append(term, text);
      }
      const title = document.createElement("p");
      title.textContent = rows[idx].day;
      tip.replaceChildren(title, list);
      plot.setAttribute("aria-valuenow", idx);
      plot.setAttribute("aria-valuetext", valueText(rows[idx].day, shown));
      // Beside the cursor, on the side that has room.
      const x = u.over.offsetLeft + left;
      const before = x + 16 + tip.offsetWidth > plot.clientWidth;
      tip.style.transform = `translate(${Math.max(0, before ? x - 16 - tip.offsetWidth : x + 16)}px, 8px)`;
    };
  }

  const valueText = (day, cells) => [day, ...cells.map(({ label, text }) => `${label}: ${text}`)].join(", ");

  function listen(u, plot, rows) {
    const last = rows.length - 1;
    const show = (index) => {
      u.setCursor({ left: u.valToPos(rows[index].time, "x"), top: u.valToPos(rows[index].cells[0].value, "y") });
    };
    plot.addEventListener("keydown", (event) => {
      const now = u.cursor.left < 0 ? null : u.cursor.idx;
      const next = { ArrowLeft: (now ?? last + 1) - 1, ArrowRight: (now ?? last - 1) + 1, Home: 0, End: last }[event.key];
      if (event.key === "Escape") u.setCursor({ left: -10, top: -10 });
      if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault(); // the page would scroll
      show(Math.min(Math.max(next, 0), last));
    });
    plot.addEventListener("focus", () => { if (plot.matches(":focus-visible")) show(last); });
    plot.addEventListener("blur", () => u.setCursor({ left: -10, top: -10 }));
  }

  function describe(plot, figure, rows) {
    const { day, cells } = rows.at(-1);
    const given = {
      "role": "slider", "tabindex": 0, "aria-label": figure.querySelector("figcaption")?.textContent.trim() ?? "",
      "aria-valuemin": 0, "aria-valuemax": rows.length - 1, "aria-valuenow": rows.length - 1,
      "aria-valuetext": valueText(day, cells), "aria-description": figure.dataset.hint ?? "",
    };
    for (const [name, value] of Object.entries(given)) plot.setAttribute(name, value);
  }

  /* Drawing. */

  const drawn = new Map(); // plot -> its uPlot
  const widths = new ResizeObserver((changes) => {
    for (const { target } of changes) drawn.get(target)?.setSize(room(target));
  });
  const room = (plot) => ({ width: plot.clientWidth, height: plot.clientHeight });

  function draw(figure) {
    const plot = figure.querySelector(".chart-plot");
    const rows = read(figure);
    if (!rows.length || drawn.has(plot)) return;
    const kind = KINDS[figure.dataset.chart];
    const limited = kind.columns.includes("allocated");
    const times = rows.map(({ time }) => time);
    const values = rows.map(({ cells }) => cells[0].value);
    const limits = rows.map(({ cells }) => cells.find(({ name }) => name === "allocated")?.value || null);
    const highest = Math.max(...values, ...limits);
    const dot = (u, index) => {
      if (index === 3) return colour(plot, "--mark");
      return colour(plot, limits[u.cursor.idx] && values[u.cursor.idx] > limits[u.cursor.idx] ? "--excess" : "--usage");
    };
    const u = new uPlot({
      ...room(plot),
      padding: [10, 12, 0, 0],
      legend: { show: false },
      tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: kind.bars ? { show: false } : { size: 9, width: 2, stroke: () => colour(plot, "--paper"), fill: dot },
        // On the day, where its point is.
        move: (u, left, top) => [left < 0 ? left : u.valToPos(times[u.posToIdx(left)], "x"), top],
      },
      scales: {
        x: { range: () => [times[0] - HALF, times.at(-1) + HALF] },
        // From 0, or a small change looks like a large one; to anything, where there is nothing.
        y: { range: () => [0, highest * 1.08 || (kind.bytes ? 1e9 : 10)] },
      },
      axes: axes(plot, kind),
      series: [{}, ...(limited ? limitedSeries(plot, limits) : [single(plot, kind)])],
      hooks: { setCursor: [tooltip(plot, rows)] },
    }, [times, values, ...(limited ? [values, limits] : [])], plot);
    describe(plot, figure, rows);
    listen(u, plot, rows);
    drawn.set(plot, u);
    widths.observe(plot);
  }

  function drawAll(content) {
    for (const [plot, u] of drawn) {
      if (plot.isConnected) continue;
      // Swapped out by htmx: uPlot still listens to the window.
      widths.unobserve(plot);
      u.destroy();
      drawn.delete(plot);
    }
    for (const figure of content.querySelectorAll("figure[data-chart]")) draw(figure);
  }

  // On paper the stylesheet has other colours, too.
  const repaint = () => drawn.forEach((u) => u.redraw());
  new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", repaint);

  drawAll(document);
  document.addEventListener("htmx:load", () => drawAll(document));
})();

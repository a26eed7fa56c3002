// Draws the figures that the server made, in the colours of the visitor's theme.
(() => {
  const NARROW = 480;

  const text = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // A custom property keeps its light-dark() as it is written: only a real colour tells which of the two holds.
  const probe = document.body.appendChild(document.createElement("i"));
  probe.hidden = true;
  const style = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };

  // "var(--accent)" anywhere in a figure becomes the colour that name has now.
  const coloured = (value) => {
    if (typeof value === "string") {
      const found = /^var\((--[\w-]+)\)$/.exec(value);
      return found ? style(found[1]) : value;
    }
    if (Array.isArray(value)) return value.map(coloured);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, coloured(part)]));
    }
    return value;
  };

  const axis = (given) => ({
    ...given,
    title: { ...given.title, standoff: 8, font: { size: 12, color: style("--ink-2") } },
    gridcolor: style("--grid"),
    linecolor: style("--line-strong"),
    tickcolor: style("--line-strong"),
    tickfont: { size: 11, color: style("--ink-3") },
    zeroline: false,
    fixedrange: true,
  });

  const dressed = (layout) => ({
    ...layout,
    xaxis: { ...axis(layout.xaxis), showline: true, ticks: "outside", ticklen: 4 },
    yaxis: axis(layout.yaxis),
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: text("--sans"), size: 12, color: style("--ink") },
    margin: { l: 52, r: 20, t: 8, b: 44 },
    hovermode: "closest",
    dragmode: false,
    hoverlabel: {
      bgcolor: style("--surface"),
      bordercolor: style("--line-strong"),
      font: { family: text("--sans"), size: 12, color: style("--ink") },
      align: "left",
    },
  });

  // Where there is little room only the marks on the frontier keep their names, towards the middle.
  const thinned = (trace, width) => {
    if (!trace.text || width >= NARROW) return trace;
    const places = trace.x.map((x) => (typeof x === "string" ? Date.parse(x) : x));
    const middle = (Math.min(...places) + Math.max(...places)) / 2;
    return {
      ...trace,
      text: trace.text.map((name, place) => (trace.customdata[place][2] ? name : "")),
      textposition: places.map((x) => (x < middle ? "top right" : "top left")),
    };
  };

  const draw = (box) => {
    const figure = coloured(JSON.parse(document.getElementById(box.dataset.figure).textContent));
    const data = figure.data.map((trace) => thinned(trace, box.clientWidth));
    Plotly.react(box, data, dressed(figure.layout), { displayModeBar: false, responsive: true });
  };

  const open = (event) => {
    const address = event.points[0]?.customdata?.[0];
    if (!address) return;
    if (event.event.ctrlKey || event.event.metaKey) window.open(address, "_blank");
    else location.assign(address);
  };

  const boxes = () => [...document.querySelectorAll("[data-figure]")];

  const start = (box) => {
    if (box.classList.contains("js-plotly-plot")) return;
    draw(box);
    box.on("plotly_click", open);
    // The marks are links: the pointer says so.
    box.on("plotly_hover", () => box.classList.add("on-mark"));
    box.on("plotly_unhover", () => box.classList.remove("on-mark"));
  };

  // A picture carries its title and a ground of its own: it will stand on somebody else's page.
  const save = (button) => {
    const figure = button.closest("figure");
    const box = figure.querySelector("[data-figure]");
    const title = figure.querySelector("figcaption").firstChild.textContent.trim();
    const layout = {
      ...box.layout,
      title: { text: title, x: 0.02, xanchor: "left", font: { size: 14 } },
      margin: { ...box.layout.margin, t: 44 },
      paper_bgcolor: style("--surface"),
    };
    const size = { format: button.dataset.save, width: 900, height: 520, scale: 2 };
    Plotly.downloadImage({ data: box.data, layout }, { ...size, filename: box.dataset.figure });
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-save]");
    if (button) save(button);
  });
  document.addEventListener("themechange", () => boxes().forEach(draw));
  document.addEventListener("htmx:beforeSwap", () => boxes().forEach((box) => Plotly.purge(box)));
  document.addEventListener("htmx:afterSettle", () => boxes().forEach(start));
  boxes().forEach(start);
})();

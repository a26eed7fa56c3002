// Saves a drawing of the page as a picture: with its title, and with the colours it has now.
(() => {
  const LOOK = ["fill", "stroke", "stroke-width", "font-family", "font-size", "font-weight", "text-anchor", "opacity"];
  const MARGIN = { top: 44, right: 24, bottom: 44, left: 56 };
  const SCALE = 2; // of a PNG, for sharp screens

  // A picture stands alone: what the stylesheet says must be in it.
  const dressed = (from, to) => {
    const style = getComputedStyle(from);
    for (const name of LOOK) to.style.setProperty(name, style.getPropertyValue(name));
    [...from.children].forEach((child, place) => dressed(child, to.children[place]));
  };

  const picture = (figure) => {
    const drawing = figure.querySelector("svg");
    const { width, height } = drawing.getBoundingClientRect();
    const inner = drawing.cloneNode(true);
    dressed(drawing, inner);
    const space = "http://www.w3.org/2000/svg";
    const outer = document.createElementNS(space, "svg");
    const size = [width + MARGIN.left + MARGIN.right, height + MARGIN.top + MARGIN.bottom];
    for (const [name, value] of Object.entries({ xmlns: space, width: size[0], height: size[1] })) outer.setAttribute(name, value);
    const ground = document.createElementNS(space, "rect");
    for (const [name, value] of Object.entries({ width: "100%", height: "100%", fill: getComputedStyle(document.documentElement).backgroundColor })) ground.setAttribute(name, value);
    const title = document.createElementNS(space, "text");
    title.textContent = figure.querySelector("figcaption").firstChild.textContent.trim();
    const words = getComputedStyle(figure.querySelector("figcaption"));
    for (const [name, value] of Object.entries({ x: 16, y: 26, fill: words.color, "font-family": words.fontFamily, "font-size": 14, "font-weight": 600 })) title.setAttribute(name, value);
    for (const [name, value] of Object.entries({ x: MARGIN.left, y: MARGIN.top, width, height, overflow: "visible" })) inner.setAttribute(name, value);
    outer.append(ground, title, inner);
    return { text: new XMLSerializer().serializeToString(outer), size };
  };

  const save = (address, name) => {
    const link = Object.assign(document.createElement("a"), { href: address, download: name });
    link.click();
  };

  const asPng = ({ text, size }) =>
    new Promise((done, failed) => {
      const image = new Image();
      image.onerror = failed;
      image.onload = () => {
        const canvas = Object.assign(document.createElement("canvas"), { width: SCALE * size[0], height: SCALE * size[1] });
        const context = canvas.getContext("2d");
        context.scale(SCALE, SCALE);
        context.drawImage(image, 0, 0);
        done(canvas.toDataURL("image/png"));
      };
      image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-picture]");
    if (!button) return;
    const figure = button.closest("figure");
    const made = picture(figure);
    const name = figure.querySelector("figcaption").id;
    if (button.dataset.picture === "svg") save(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(made.text)}`, `${name}.svg`);
    else save(await asPng(made), `${name}.png`);
  });
})();

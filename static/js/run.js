// On the page of a run: going from turn to turn, windows of turns without a reload, folding, finding, keys.
(() => {
  const page = document.querySelector("[data-run]");
  const section = () => document.getElementById("turns");
  const shown = () => [...document.querySelectorAll("#turn-list > li")];
  const total = () => document.querySelectorAll("#strip a").length;
  const turnOf = (address) => Number(/#turn-(\d+)$/.exec(address)?.[1]) || null;

  let current = null; // the turn that keys go on from

  // --- The window of turns -----------------------------------------------------------------------

  const markCurrent = (number) => {
    current = number;
    for (const turn of document.querySelectorAll("#turn-list > .current")) turn.classList.remove("current");
    document.getElementById(`turn-${number}`)?.classList.add("current");
    const links = document.querySelectorAll("#strip a");
    for (const link of document.querySelectorAll("#strip [aria-current]")) link.removeAttribute("aria-current");
    links[number - 1]?.setAttribute("aria-current", "true");
    document.dispatchEvent(new CustomEvent("turnchange", { detail: number }));
  };

  const markOnPage = () => {
    const rect = document.querySelector("#strip .on-page");
    const { first, last } = section().dataset;
    if (!rect || !first) return;
    rect.setAttribute("x", 10 * (first - 1) - 1);
    rect.setAttribute("width", 10 * (last - first + 1));
  };

  const addressOf = (number) => {
    const query = new URLSearchParams(location.search);
    query.set("turn", number);
    return `${location.pathname}?${query}#turn-${number}`;
  };

  let wanted = null; // of several windows asked for at once the last one counts

  const fetchWindow = async (number) => {
    wanted = number;
    await htmx.ajax("GET", addressOf(number).split("#")[0], { target: "#turns", swap: "outerHTML" });
    return wanted === number && Boolean(document.getElementById(`turn-${number}`));
  };

  // Bring a turn into view, whatever window it is in. `how`: "push" a step into the history, or "replace" it.
  const show = async (number, how = "push", behavior = "auto") => {
    if (!number || number < 1 || number > total()) return;
    const address = document.getElementById(`turn-${number}`) ? `#turn-${number}` : addressOf(number);
    if (address[0] !== "#" && !(await fetchWindow(number))) return;
    if (location.hash !== `#turn-${number}` || address[0] !== "#") history[`${how}State`](null, "", address);
    document.getElementById(`turn-${number}`).scrollIntoView({ block: "start", behavior });
    markCurrent(number);
  };
  window.showTurn = show;

  addEventListener("popstate", () => show(turnOf(location.hash), "replace"));

  document.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const link = event.target.closest("#strip a, [data-turn], [data-before], [data-after], a[rel=prev], a[rel=next], .turn-head .number");
    if (!link) return;
    event.preventDefault();
    await show(turnOf(link.getAttribute("href")));
    if (link.dataset.field) openPlace(link.dataset);
  });

  // --- What was found ----------------------------------------------------------------------------

  const found = () => [...document.querySelectorAll(".hits a")];

  // A hit may lie in what is folded.
  const openPlace = ({ turn, call, field }) => {
    const item = document.getElementById(`turn-${turn}`);
    if (field === "reasoning") item.querySelector(".thought").open = true;
    const place = call ? document.getElementById(`turn-${turn}-call-${call}`) : item;
    const more = {
      output: "[data-open-output]",
      command: ".typing + .more [data-show-all]",
      reasoning: ".thought [data-show-all]",
      message: ".message [data-show-all]",
    }[field];
    place?.querySelector(more)?.click();
  };

  const stepHit = (by) => {
    const places = found();
    const here = places.findIndex((link) => link.classList.contains("current"));
    const next = places[here + by] ?? (here < 0 ? places[0] : null);
    if (!next) return;
    places[here]?.classList.remove("current");
    next.classList.add("current");
    next.scrollIntoView({ block: "nearest" });
    next.click();
  };

  // Drawn by the browser over the text, which stays as it is.
  const highlight = () => {
    const text = new URLSearchParams(location.search).get("find")?.trim().toLowerCase();
    if (!window.Highlight || !text) return;
    const ranges = [];
    const walker = document.createTreeWalker(document.getElementById("turn-list"), NodeFilter.SHOW_TEXT);
    while (walker.nextNode() && ranges.length < 5000) {
      const content = walker.currentNode.data.toLowerCase();
      for (let at = content.indexOf(text); at >= 0; at = content.indexOf(text, at + text.length)) {
        if (at + text.length > walker.currentNode.length) break;
        const range = new Range();
        range.setStart(walker.currentNode, at);
        range.setEnd(walker.currentNode, at + text.length);
        ranges.push(range);
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  };

  // --- Folding -----------------------------------------------------------------------------------

  const folded = new WeakMap(); // where a whole text stands now -> what stood there before

  document.addEventListener("htmx:beforeSwap", (event) => {
    const link = event.detail.requestConfig?.elt;
    if (link?.matches("[data-show-all]")) folded.set(event.detail.target, { before: event.detail.target.innerHTML, link });
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const place = event.detail.target;
    const known = folded.get(place);
    if (!known) return;
    place.classList.remove("cut");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "fold";
    button.textContent = "Fold";
    button.addEventListener("click", () => {
      place.innerHTML = known.before; // our own server's words, escaped there
      place.classList.toggle("cut", place.matches(".said, .typed"));
      button.replaceWith(known.link);
      folded.delete(place);
    });
    known.link.replaceWith(button);
    highlight();
  });

  const toggleTurn = (number) => {
    const turn = document.getElementById(`turn-${number}`);
    if (!turn) return;
    const closed = [...turn.querySelectorAll("[data-show-all]"), ...turn.querySelectorAll("details:not([open]) > summary")];
    const open = [...turn.querySelectorAll("button.fold"), ...turn.querySelectorAll("details[open] > summary")];
    for (const control of closed.length ? closed : open) control.click();
  };

  // --- What is shown and what is not -------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-hide]");
    if (!toggle || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const hide = toggle.getAttribute("aria-checked") === "true";
    toggle.setAttribute("aria-checked", String(!hide));
    section().classList.toggle(`hide-${toggle.dataset.hide}`, hide);
    const query = new URLSearchParams(location.search);
    query.delete("hide");
    for (const other of document.querySelectorAll("[data-hide][aria-checked=false]")) query.append("hide", other.dataset.hide);
    history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
  });

  // --- Copying and keys --------------------------------------------------------------------------

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy-command]");
    if (button) {
      const typed = button.previousElementSibling;
      const whole = typed.classList.contains("cut")
        ? await (await fetch(button.dataset.copyCommand)).text()
        : typed.querySelector("span").textContent;
      await navigator.clipboard.writeText(whole);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    }
    if (event.target.closest("[data-keys]")) dialog.showModal();
    if (event.target.closest("[data-open-all]")) {
      for (const link of document.querySelectorAll("#turns [data-open-output]")) link.click();
    }
  });

  // A turn's own "Tag" fills in its number; what the grade suggests fills in the tag.
  document.addEventListener("click", (event) => {
    const form = document.getElementById("remark-form");
    const turn = event.target.closest("[data-remark]");
    const tag = event.target.closest("[data-tag]");
    if (!form || (!turn && !tag)) return;
    event.preventDefault();
    form.closest("details").open = true;
    if (turn) form.elements.turn.value = turn.dataset.remark;
    if (tag) form.elements.tag.value = tag.dataset.tag;
    form.scrollIntoView({ block: "center" });
    form.elements.tag.focus();
  });

  const dialog = document.querySelector("dialog.keys");
  const press = (selector) => document.querySelector(selector)?.click();
  const keys = {
    j: () => show((current ?? Number(section().dataset.first) - 1) + 1),
    k: () => show((current ?? Number(section().dataset.first) + 1) - 1),
    "[": () => press("[data-previous-run]"),
    "]": () => press("[data-next-run]"),
    n: () => stepHit(1),
    N: () => stepHit(-1),
    o: () => toggleTurn(current ?? Number(section().dataset.first)),
    p: () => press("[data-replay]"),
    "/": () => document.querySelector("[data-find] input")?.focus(),
    "?": () => dialog?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog?.open) return;
    if (event.target.closest("input, textarea, select, .player") || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });

  // --- Arriving ----------------------------------------------------------------------------------

  const ready = () => {
    document.documentElement.classList.toggle("can-copy", Boolean(navigator.clipboard));
    markOnPage();
    highlight();
    if (current) markCurrent(current);
  };

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id === "turns" || event.detail.target?.id === "live") ready();
  });

  // While a run is played its list grows, and the window with it.
  document.addEventListener("htmx:oobAfterSwap", () => {
    const last = shown().at(-1)?.id.slice("turn-".length);
    if (!last) return;
    section().dataset.last = last;
    for (const place of document.querySelectorAll("[data-last-shown]")) place.textContent = last;
    for (const place of document.querySelectorAll("[data-turns-total]")) place.textContent = total();
  });

  if (page) {
    const arrived = turnOf(location.hash);
    ready();
    // A link to "#turn-57" alone can't tell the server which turns to send.
    if (arrived && !document.getElementById(`turn-${arrived}`)) show(arrived, "replace");
    else if (arrived) markCurrent(arrived);
  }
})();

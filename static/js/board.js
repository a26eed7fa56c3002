// On a board: menus that stay open while one chooses, a link to copy, a key for the search, counting picks.
(() => {
  const board = () => document.getElementById("board");
  let open = null; // the menu that was open before the board was exchanged

  const picks = () => {
    const chosen = board().querySelectorAll("td.pick input:checked").length;
    const compare = board().querySelector("[data-compare]");
    if (!compare) return;
    compare.disabled = chosen < 2 || chosen > 6;
    compare.title = compare.disabled ? "Choose 2 to 6 models in the table" : `Compare ${chosen} models`;
  };

  const ready = () => {
    const menus = board().querySelectorAll(".menu");
    if (open !== null && menus[open]) menus[open].open = true;
    open = null;
    for (const button of board().querySelectorAll("[data-copy-link]")) button.classList.toggle("ready", Boolean(navigator.clipboard));
    picks();
  };

  document.addEventListener("change", (event) => {
    if (event.target.closest("td.pick")) picks();
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy-link]");
    if (button) {
      await navigator.clipboard.writeText(location.href);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy link"), 2000);
    }
    for (const menu of board().querySelectorAll(".menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      for (const menu of board().querySelectorAll(".menu[open]")) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    }
    if (event.key === "/" && !event.target.closest("input, textarea, select")) {
      event.preventDefault();
      board().querySelector("[data-find]")?.focus();
    }
  });

  document.addEventListener("htmx:beforeSwap", () => {
    const place = [...board().querySelectorAll(".menu")].findIndex((menu) => menu.open);
    open = place < 0 ? null : place;
  });
  document.addEventListener("htmx:afterSettle", ready);
  ready();
})();

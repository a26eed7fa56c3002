// On the page of a run: turns by keyboard, links to turns of another window, the replay.
(() => {
  const page = document.querySelector("[data-run]");
  const turnOf = (hash) => /^#turn-(\d+)$/.exec(hash)?.[1];

  // A link to "#turn-57" alone can't tell the server which turns to send.
  const wanted = turnOf(location.hash);
  if (wanted && !document.getElementById(`turn-${wanted}`) && Number(wanted) <= Number(page.dataset.turns)) {
    location.replace(`?turn=${wanted}#turn-${wanted}`);
  }

  const turns = [...document.querySelectorAll(".turns > li")];
  const step = (by) => {
    const here = turns.findIndex((turn) => turn.id === location.hash.slice(1));
    const next = turns[here + by];
    if (next) location.hash = next.id;
    else document.querySelector(by > 0 ? "[data-after]" : "[data-before]")?.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, .player")) return;
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
    if (event.key === "[") document.querySelector("[data-previous-run]")?.click();
    if (event.key === "]") document.querySelector("[data-next-run]")?.click();
  });

  // Once all of an output is there, there is nothing more to show.
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) event.target.closest("[data-show-all]")?.remove();
  });

  const button = document.querySelector("[data-replay]");
  const player = document.querySelector(".player");

  const load = (source) =>
    new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = source;
      script.onload = done;
      script.onerror = failed;
      document.head.append(script);
    });

  const loadStyle = (source) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = source;
    document.head.append(link);
  };

  // The player weighs more than the page: it comes when somebody wants it.
  button?.addEventListener("click", async (event) => {
    event.preventDefault();
    if (!player.hidden) return;
    player.hidden = false;
    loadStyle(button.dataset.style);
    await load(button.dataset.script);
    player.scrollIntoView({ block: "nearest" });
    AsciinemaPlayer.create(button.dataset.cast, player, {
      autoPlay: true,
      fit: "width",
      idleTimeLimit: 2,
      preload: true,
      terminalFontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
    });
  });
})();

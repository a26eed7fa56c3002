// The replay of a run's shell session beside its turns: each follows the other.
(() => {
  const button = document.querySelector("[data-replay]");
  const column = document.querySelector("aside.replay");
  if (!button || !column) return;
  const box = column.querySelector(".player");
  const playing = column.querySelector("[data-playing]");
  const LOOK_AGAIN_MS = 200;

  let recording = null; // {text, starts}: the cast, and where each turn begins on the player's clock
  let player = null;
  let watch = null;
  let turn = 0; // the one that plays

  const load = (tag, attributes) =>
    new Promise((done, failed) => {
      const element = Object.assign(document.createElement(tag), attributes);
      element.onload = done;
      element.onerror = failed;
      document.head.append(element);
    });

  // The player cuts waiting short, so its clock runs apart from the recording's: marks are found as it finds them.
  const read = (text) => {
    const [header, ...lines] = text.split("\n").filter(Boolean);
    const limit = JSON.parse(header).idle_time_limit ?? Infinity;
    const starts = [];
    let before = 0;
    let saved = 0;
    for (const line of lines) {
      const [time, kind] = JSON.parse(line);
      saved += Math.max(time - before - limit, 0);
      before = time;
      if (kind === "m") starts.push(time - saved);
    }
    return { text, starts };
  };

  const turnAt = (time) => {
    const after = recording.starts.findIndex((start) => start > time + 0.001);
    return after < 0 ? recording.starts.length : Math.max(after, 1);
  };

  const follow = () => {
    const now = turnAt(player.getCurrentTime() ?? 0);
    if (now === turn) return;
    turn = now;
    playing.textContent = turn;
    window.showTurn(turn, "replace");
  };

  const choice = (name) => column.querySelector(`[name=${name}]`).value;

  const create = (startAt, autoPlay) => {
    player?.dispose();
    player = AsciinemaPlayer.create({ data: recording.text }, box, {
      autoPlay,
      startAt,
      controls: true,
      fit: "width",
      idleTimeLimit: undefined, // the recording's own
      preload: true,
      speed: Number(choice("speed")),
      theme: choice("theme"),
      terminalFontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
    });
  };

  const open = async () => {
    column.hidden = false;
    document.querySelector(".stage").classList.add("with-replay");
    const [cast] = await Promise.all([
      recording ?? fetch(button.dataset.cast).then((answer) => answer.text()),
      window.AsciinemaPlayer ?? load("script", { src: button.dataset.script }),
      document.querySelector(`link[href="${button.dataset.style}"]`) ??
        load("link", { rel: "stylesheet", href: button.dataset.style }),
    ]);
    recording ??= read(cast);
    const begin = Number(location.hash.replace("#turn-", "")) || 1;
    turn = begin;
    playing.textContent = begin;
    create(recording.starts[begin - 1] ?? 0, true);
    watch = setInterval(follow, LOOK_AGAIN_MS);
  };

  const close = () => {
    clearInterval(watch);
    player?.dispose();
    player = null;
    column.hidden = true;
    document.querySelector(".stage").classList.remove("with-replay");
  };

  button.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (column.hidden) open();
    else close();
  });
  column.querySelector("[data-end-replay]").addEventListener("click", close);
  column.addEventListener("change", () => create(player.getCurrentTime(), true));

  // A turn that somebody goes to is where the replay goes on.
  document.addEventListener("turnchange", (event) => {
    if (!player || event.detail === turn) return;
    turn = event.detail;
    playing.textContent = turn;
    player.seek(recording.starts[turn - 1] ?? 0);
  });
})();

// In the head and not deferred: the chosen theme must stand before the first paint.
(() => {
  const KEY = "theme";
  const root = document.documentElement;
  const wished = matchMedia("(prefers-color-scheme: dark)");

  const remembered = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage may be forbidden; the machine's own wish then stands
    }
  };

  const current = () => root.dataset.theme || (wished.matches ? "dark" : "light");

  const tell = () => document.dispatchEvent(new CustomEvent("themechange"));

  const choose = (theme) => {
    root.dataset.theme = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // remembered for this page only
    }
    tell();
  };

  const saved = remembered();
  if (saved === "light" || saved === "dark") root.dataset.theme = saved;
  wished.addEventListener("change", tell);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-switch]")) choose(current() === "dark" ? "light" : "dark");
  });
})();

// The page's own look follows the site's theme: its stylesheet goes by a class.
(() => {
  const root = document.documentElement;
  const wished = matchMedia("(prefers-color-scheme: dark)");

  const follow = () => {
    const theme = root.dataset.theme || (wished.matches ? "dark" : "light");
    root.classList.toggle("dark-mode", theme === "dark");
  };

  document.addEventListener("themechange", follow);
  wished.addEventListener("change", follow);
  follow();
})();

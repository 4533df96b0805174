// One key decides: it presses the button that shows it. Without this file the buttons are clicked.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input:not([type=hidden]), textarea, select, [contenteditable]")) return;
  const key = event.key.toLowerCase();
  if (!/^[a-z]$/.test(key)) return;
  const pressed = document.querySelector(`[data-keys] [data-key="${key}"]`);
  if (!pressed) return;
  event.preventDefault();
  pressed.click();
});

// Runs before the terminal does: the address it speaks with is the one that the browser sees, behind a port forwarding too.
document.addEventListener("DOMContentLoaded", () => {
  const terminal = document.getElementById("terminal");
  const size = Number(new URLSearchParams(location.search).get("fontsize"));
  terminal.dataset.sessionWebsocketUrl = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
  if (size >= 6 && size <= 60) terminal.dataset.fontSize = String(size);
  document.getElementById("again").addEventListener("click", () => location.reload());

  // Keys work without a click first.
  const focus = () => terminal.querySelector("textarea")?.focus();
  new MutationObserver(focus).observe(terminal, { childList: true });
  window.addEventListener("focus", focus);
});

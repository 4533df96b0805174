// After a question was answered in place: an empty line for the next, and the new answer in sight.
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful || event.detail.target.id !== "turns") return;
  const line = document.getElementById("query");
  line.value = "";
  line.focus({ preventScroll: true });
  document.getElementById("examples")?.remove();
  const turns = document.querySelectorAll(".turn");
  turns[turns.length - 1]?.scrollIntoView({ block: "start" });
});

"""What tests of the viewer do at its desk: press keys, wait for the player, note what is asked."""

from __future__ import annotations

from tests.factories import make_segments
from videos.models import Segment, Task, Video

WAIT_MS = 15_000  # what comes late on a busy machine comes all the same


def press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def commands(page) -> list[str]:
    return page.evaluate("window.commands")


def note_commands(page) -> None:
    page.locator("body").evaluate(
        """() => { window.commands = [];
        document.addEventListener("desk:command", (e) => window.commands.push(e.detail.name)); }"""
    )


def until(page, condition: str) -> None:
    """Wait in the page for a condition on the player, without a string that the CSP refuses."""
    page.locator("#player").evaluate(
        f"""(p) => new Promise((ok, no) => {{
          const since = performance.now();
          const look = () => ({condition}) ? ok()
            : performance.now() - since > {WAIT_MS} ? no(new Error("never: {condition}"))
            : setTimeout(look, 20);
          look();
        }})"""
    )


def stop_polling(page) -> None:
    """While pictures are made the page asks for them, and keeps no transcript aside."""
    page.locator("[data-poll]").evaluate_all("found => found.forEach((each) => each.remove())")


def note_long_tasks(page) -> None:
    page.locator("body").evaluate(
        """() => { window.longest = 0;
        const note = (list) => list.getEntries().forEach((entry) => {
          window.longest = Math.max(window.longest, entry.duration); });
        new PerformanceObserver(note).observe({ type: "longtask" }); }"""
    )


def longest_task(page) -> float:
    """Milliseconds; 0 when none took 50."""
    return page.evaluate("window.longest")


def half_heard(film: Video) -> Task:
    """Take the film back to where its task has heard 20 of its lines."""
    task = film.transcript
    Video.objects.filter(pk=film.pk).update(transcript=None)
    Segment.objects.filter(task=task, number__gte=20).delete()
    Task.objects.filter(pk=task.pk).update(status="indexing", step="transcribe", done_ms=40_000)
    return task


def hear_anew(film: Video, text: str) -> None:
    """Its newest task ends with one line, which is shown."""
    task = film.tasks.first()
    make_segments([(0, 2000, text)], task)
    Task.objects.filter(pk=task.pk).finish("ready")
    Video.objects.filter(pk=film.pk).update(transcript=task)

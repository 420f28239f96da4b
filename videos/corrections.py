"""What an editor does to the lines of a transcript: one transaction each, and each can be undone.

Whoever changes a line says which line was seen, by its key, start and version; one that was
changed meanwhile is refused with ``Changed``, and nothing is written. All corrections of a video
wait for each other by its row's lock, so that numbers stay in order.
What the engine heard is never lost: ``heard``, or the text of a line without it, one line after
another, gives the engine's text, however lines are split and merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial, reduce
from itertools import pairwise
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from videos import marking, search, wording
from videos.doubt import CONFIRMED
from videos.engines.base import MOST_CHARACTERS
from videos.models import Correction, Segment, Status, Task, Video
from videos.models.select import following
from videos.timecode import exact_clock

Kind = Correction.Kind
Line = dict[str, Any]  # a segment as a correction remembers it

HISTORY = 200  # corrections of a transcript that each editor can still undo or redo
MAX_AT_ONCE = 2000  # lines that one replacement may change

_ASIDE = 1_000_000_000  # where numbers wait while others move; no transcript is so long


class Refused(Exception):
    """It cannot be done. The message is one sentence for the editor."""


class Changed(Refused):
    """The line is not the one that was seen. ``now`` is what became of it, if it is still there."""

    def __init__(self, sentence: str, now: Segment | None = None) -> None:
        super().__init__(sentence)
        self.now = now


@dataclass(frozen=True, slots=True)
class Seen:
    """A line as an editor saw it."""

    pk: int
    start_ms: int
    version: int


@dataclass(frozen=True, slots=True)
class Edited:
    """``was`` lines from number ``first`` on became ``now`` lines; None: here and there."""

    first: int | None
    was: int = 0
    now: int = 0
    rows: Sequence[Segment] = field(default=(), compare=False)  # as they are now
    starts: Sequence[int] = field(default=(), compare=False)  # of those that were, in ms


# --- the deeds ---


def save(user: User, task: Task, seen: Seen, text: str, times: tuple[int, int]) -> Edited | None:
    """Give a line another text and other times; None when both are as they were."""
    with _transcript(task):
        row = _seen(task, seen)
        text = _text(text)
        if (text, times) == (row.text, (row.start_ms, row.end_ms)):
            return None
        _check_times(task, row, times)
        kind = Kind.TEXT if text != row.text else Kind.TIMES
        after = _retexted(_moved(_copy(row), times), text)
        return _write(user, task, kind, [row], [after])


def confirm(user: User, task: Task, seen: Seen, text: str, times: tuple[int, int]) -> Edited | None:
    """Say that the engine's words are right, whatever makes them doubtful.

    With another text the line is corrected: an editor's own words are not doubted anyway. None
    when all is as it was.
    """
    with _transcript(task):
        row = _seen(task, seen)
        _check_times(task, row, times)
        after = _retexted(_moved(_copy(row), times), _text(text))
        if after.heard is None:
            after.marks = CONFIRMED
        if (after.text, times, after.marks) == (row.text, (row.start_ms, row.end_ms), row.marks):
            return None
        kind = Kind.TEXT if after.text != row.text else Kind.CONFIRM
        return _write(user, task, kind, [row], [after])


def split(user: User, task: Task, seen: Seen, text: str, at: int) -> Edited:
    """Make two lines of one, whose text may have been changed: between words, at character ``at``.

    The second goes behind those lines that begin before it, where somebody talks into this one.
    """
    with _transcript(task):
        row = _seen(task, seen)
        at = wording.place_to_cut(text, at)
        left, right = wording.clean(text[:at]), wording.clean(text[at:])
        if not left or not right:
            raise Refused("Put the cursor between two words first: the line is split there.")
        if row.end_ms - row.start_ms < 2:
            raise Refused("This line is too short to be split.")
        first, second = _halves(row, left, right)
        passed = _begun_before(task, row, second.start_ms)
        after = [first, *map(_copy, passed), second]
        return _write(user, task, Kind.SPLIT, [row, *passed], after)


def merge(user: User, task: Task, seen: Seen, text: str) -> Edited:
    """Join a line, whose text may have been changed, with the one after it."""
    with _transcript(task):
        row = _seen(task, seen)
        after = task.segments.filter(number=row.number + 1).first()
        if after is None:
            raise Refused("This is the last line: there is none to merge it with.")
        whole = _joined(_retexted(_copy(row), _text(text)), after)
        whole.text = _text(whole.text)
        return _write(user, task, Kind.MERGE, [row, after], [whole])


def revert(user: User, task: Task, seen: Seen) -> Edited | None:
    """Put the engine's text back; None when it never left."""
    with _transcript(task):
        row = _seen(task, seen)
        if row.heard is None:
            return None
        if not row.heard:
            raise Refused("The engine heard no words here, so there are none to go back to.")
        return _write(user, task, Kind.REVERT, [row], [_retexted(_copy(row), row.heard)])


def change_many(
    user: User, task: Task, kind: Kind, seen: Sequence[Seen], change: Callable[[Segment], str]
) -> Edited | None:
    """Give several lines another text, all or none; None when none is changed by it."""
    if len(seen) > MAX_AT_ONCE:
        raise Refused(f"At most {MAX_AT_ONCE:,} lines can be changed at once.")
    with _transcript(task):
        rows = _all_seen(task, seen)
        pairs = [(row, _retexted(_copy(row), _text(change(row)))) for row in rows]
        pairs = [(row, after) for row, after in pairs if row.text != after.text]
        if not pairs:
            return None
        before, after = zip(*pairs, strict=True)
        return _write(user, task, kind, before, after)


def take(user: User, task: Task, seen: Sequence[Seen], others: Sequence[Segment]) -> Edited | None:
    """Give lines the words that another transcript has for them: line by line, or all to one."""
    if not others or len(seen) not in (1, len(others)):
        raise Refused("These lines do not fit each other: correct them by hand.")
    texts = [other.text for other in others]
    if len(seen) == 1:
        texts = [reduce(wording.glued, texts)]
    said = dict(zip((each.pk for each in seen), texts, strict=True))
    return change_many(user, task, Kind.TAKE, seen, lambda row: said[row.pk])


def undo(user: User, task: Task) -> Edited:
    """Take this user's last correction back, if its lines are still as it left them.

    One whose lines are not is refused once: the next undo is of the one before it.
    """
    return _step(task, partial(task.corrections.last_by, user), undone=True)


def redo(user: User, task: Task) -> Edited:
    """Do once more what this user undid last, if its lines are still as the undoing left them.

    Refused once, as by ``undo``.
    """
    return _step(task, partial(task.corrections.next_by, user), undone=False)


# --- one line ---


def _text(text: str) -> str:
    text = wording.clean(text)
    if not text:
        raise Refused("A line needs words. To be rid of it, merge it with another.")
    if len(text) > MOST_CHARACTERS:
        raise Refused(f"A line takes {MOST_CHARACTERS:,} characters at most.")
    return text


def _copy(row: Segment) -> Segment:
    names = [field.attname for field in Segment._meta.concrete_fields]
    return Segment(**{name: getattr(row, name) for name in names})


def _retexted(row: Segment, text: str) -> Segment:
    """The line with another text; ``heard`` keeps the engine's while they differ."""
    if text == row.text:
        return row
    heard = row.text if row.heard is None else row.heard
    row.heard = None if text == heard else heard
    if row.words:
        row.words = wording.retimed(row.words, text, row.start_ms, row.end_ms)
    row.text = text
    row.marks = ""
    return row


def _moved(row: Segment, times: tuple[int, int]) -> Segment:
    if row.words:
        row.words = wording.rescaled(row.words, (row.start_ms, row.end_ms), times)
    row.start_ms, row.end_ms = times
    return row


def _halves(row: Segment, left: str, right: str) -> list[Segment]:
    first = _retexted(_copy(row), wording.glued(left, right))
    words = first.words or []
    moment = wording.split_moment(words, left, right, row.start_ms, row.end_ms)
    second = _copy(first)
    second.pk = None
    second.start_ms = first.end_ms = moment
    first.text, second.text = left, right
    if words:
        first.words = [word for word in words if word[0] + word[1] < 2 * moment]
        second.words = words[len(first.words) :]
        for half in (first, second):
            half.words = wording.retimed(half.words or [], half.text, half.start_ms, half.end_ms)
    if first.heard is not None:
        first.heard, second.heard = _heard_halves(first.heard, left, right)
    return [first, second]


def _begun_before(task: Task, row: Segment, moment: int) -> list[Segment]:
    """The lines behind this one that begin before the moment."""
    behind = task.segments.filter(number__gt=row.number, start_ms__lt=moment).order_by("number")
    if len(found := list(behind[: MAX_AT_ONCE + 1])) > MAX_AT_ONCE:
        raise Refused(f"More than {MAX_AT_ONCE:,} lines begin before its second half would.")
    return found


def _heard_halves(heard: str, left: str, right: str) -> tuple[str | None, str | None]:
    """The engine's text of a corrected line, shared out between its halves."""
    if heard.startswith(left) and wording.place_to_cut(heard, len(left)) == len(left):
        one, two = left, heard.removeprefix(left).strip()
    else:
        one, two = wording.split_text(heard, len(left) / (len(left) + len(right)))
    return None if one == left else one, None if two == right else two


def _joined(row: Segment, after: Segment) -> Segment:
    if row.heard is not None or after.heard is not None:
        said = (each.text if each.heard is None else each.heard for each in (row, after))
        heard = wording.glued(*said)
        row.heard = None if heard == wording.glued(row.text, after.text) else heard
    if row.words and after.words:
        row.words = [*row.words, *after.words]
    else:
        row.words = None
    row.text = wording.glued(row.text, after.text)
    row.end_ms = max(row.end_ms, after.end_ms)
    row.marks = row.marks if row.marks == after.marks else ""
    return row


def _check_times(task: Task, row: Segment, times: tuple[int, int]) -> None:
    """A line moves within its neighbours, so that the order of lines stays that of time."""
    start, end = times
    if times == (row.start_ms, row.end_ms):
        return
    if not 0 <= start < end:
        raise Refused("The end must come after the start.")
    near = {each.number: each for each in task.segments.filter(number__in=_around(row))}
    before, after = near.get(row.number - 1), near.get(row.number + 1)
    if before and start < before.start_ms:
        raise Refused(
            f"The line before it starts at {exact_clock(before.start_ms)}, and comes first."
        )
    if after and start > after.start_ms:
        raise Refused(f"The next line starts at {exact_clock(after.start_ms)}, and comes later.")
    limit = after.end_ms if after else task.video.duration_ms
    if end > max(limit, row.end_ms):
        whose = "next line" if after else "video"
        raise Refused(f"The {whose} ends at {exact_clock(limit)}, and this line may not end later.")


def _around(row: Segment) -> list[int]:
    return [number for number in (row.number - 1, row.number + 1) if number >= 0]


# --- what was seen, and what is there ---


@contextmanager
def _transcript(task: Task) -> Iterator[None]:
    """One transaction in which nobody else corrects a transcript of this video."""
    with transaction.atomic():
        if not Video.objects.filter(pk=task.video_id).lock():
            raise Refused("This video was deleted.")
        if not Task.objects.filter(pk=task.pk, status=Status.READY).exists():
            raise Refused("Lines can be corrected when the transcript is ready.")
        Task.objects.filter(pk=task.pk).update(edition=F("edition") + 1)
        yield


def _seen(task: Task, seen: Seen) -> Segment:
    """The line, if it still is the one that was seen."""
    row = task.segments.filter(pk=seen.pk).first()
    if row is None:
        raise Changed("Somebody merged this line with another one, or took it back.")
    if (row.start_ms, row.version) != (seen.start_ms, seen.version):
        raise Changed("Somebody changed this line.", row)
    return row


def _all_seen(task: Task, seen: Sequence[Seen]) -> list[Segment]:
    rows = {row.pk: row for row in task.segments.filter(pk__in=[each.pk for each in seen])}
    for each in seen:
        row = rows.get(each.pk)
        if row is None or (row.start_ms, row.version) != (each.start_ms, each.version):
            raise Changed("Somebody changed one of these lines. Nothing was written: look again.")
    return sorted(rows.values(), key=lambda row: row.number)


def _still(task: Task, lines: Sequence[Line], what: str) -> list[Segment]:
    """The rows of lines that were remembered, if they are as they were then."""
    rows = list(task.segments.filter(pk__in=[line["id"] for line in lines]).order_by("number"))
    known = {line["id"]: _content(line) for line in lines}
    if len(rows) != len(known) or any(_content(_line(row)) != known[row.pk] for row in rows):
        raise Changed(f"These lines were changed again since, so this cannot be {what} any more.")
    return rows


# --- what is written ---


def _step(task: Task, find: Callable[[], Correction | None], undone: bool) -> Edited:
    verb, done = ("undo", "undone") if undone else ("redo", "done again")
    with _transcript(task):
        step = find()
        if step is None:
            raise Refused(f"There is nothing to {verb}.")
        this = task.corrections.filter(pk=step.pk)
        old, new = (step.after, step.before) if undone else (step.before, step.after)
        try:
            edited = _exchange(task, old, new, done)
        except Changed as changed:  # before anything was written
            this.update(stale=True)
            refusal = changed
        else:
            this.update(undone=undone)
            return edited
    raise refusal


def _exchange(task: Task, old: Sequence[Line], new: Sequence[Line], what: str) -> Edited:
    """Put remembered lines in the place of others, if the order of lines stays that of time."""
    now = _still(task, old, what)
    back = [_restored(task, line) for line in new]
    if len(now) != len(back) and now[-1].number - now[0].number != len(now) - 1:
        raise Changed(f"A line was put between these since, so this cannot be {what} any more.")
    if not _fits(task, now, back):
        raise Changed(f"A line beside these was moved since, so this cannot be {what} any more.")
    return _put(task, now, _numbered(now, back))


def _fits(task: Task, now: Sequence[Segment], back: Sequence[Segment]) -> bool:
    """Whether lines that take the place of others begin between the neighbours of those."""
    if [row.start_ms for row in now] == [row.start_ms for row in back]:
        return True
    low, high = now[0].number - 1, now[-1].number + 1
    near = task.segments.filter(number__in=(low, high)).values_list("number", "start_ms")
    starts = dict(near)
    first, last = back[0].start_ms, back[-1].start_ms
    return starts.get(low, first) <= first and last <= starts.get(high, last)


def _write(
    user: User, task: Task, kind: Kind, before: Sequence[Segment], after: Sequence[Segment]
) -> Edited:
    lines = [_line(row) for row in before]
    task.corrections.filter(user=user, undone=True).delete()
    edited = _put(task, before, _numbered(before, after))
    Correction.objects.create(
        task=task, user=user, kind=kind, before=lines, after=[_line(row) for row in after]
    )
    _forget_old(task.corrections.filter(user=user))
    return edited


def _numbered(before: Sequence[Segment], after: Sequence[Segment]) -> Sequence[Segment]:
    """Numbers for the new lines, and versions above those that anybody has seen."""
    version = 1 + max(row.version for row in before)
    for at, row in enumerate(after):
        same = len(before) == len(after)
        row.number = before[at].number if same else before[0].number + at
        row.version = version if not same else 1 + before[at].version
    return after


def _put(task: Task, before: Sequence[Segment], after: Sequence[Segment]) -> Edited:
    """Exchange lines for others; when their numbers differ they follow one another."""
    start_ms = min(row.start_ms for row in (*before, *after))
    with following(task, start_ms, max(row.end_ms for row in (*before, *after))):
        _take_out(task, {row.pk for row in before} - {row.pk for row in after})
        _shift(task, before[-1].number, len(after) - len(before))
        marking.look_again(task, after)
        _put_in(after)
    Video.objects.filter(pk=task.video_id).update(updated_at=Now())
    near = all(b.number == a.number + 1 for a, b in pairwise(before))
    first, starts = before[0].number if near else None, [row.start_ms for row in before]
    return Edited(first, len(before), len(after), after, starts)


def _take_out(task: Task, keys: set[int]) -> None:
    lost = task.segments.filter(pk__in=keys)
    search.forget(lost)
    lost.delete()


def _put_in(rows: Sequence[Segment]) -> None:
    """By one statement for many lines, by their keys: bulk_update takes ten times as long."""
    written = Segment.objects.bulk_create(
        rows, batch_size=500, update_conflicts=True, unique_fields=["id"], update_fields=_WRITTEN
    )
    search.index_segments(written)


def _shift(task: Task, last: int, by: int) -> None:
    """Move the numbers behind ``last``: aside and back, since each row's must be free at once."""
    if by:
        task.segments.filter(number__gt=last).update(number=F("number") + _ASIDE)
        task.segments.filter(number__gt=_ASIDE).update(number=F("number") - _ASIDE + by)


def _forget_old(own: QuerySet[Correction]) -> None:
    """Each editor's own: a busy colleague takes nobody's undo away."""
    newest = list(own.order_by("-pk").values_list("pk", flat=True)[:HISTORY])
    if len(newest) == HISTORY:
        own.filter(pk__lt=newest[-1]).delete()


# --- a line as it is remembered ---

_WRITTEN = ["number", "start_ms", "end_ms", "text", "words", "heard", "version", "marks", "unsure"]
_KEPT = ("id", "start_ms", "end_ms", "text", "words", "heard", "marks")


def _line(row: Segment) -> Line:
    return {name: getattr(row, name) for name in _KEPT}


def _content(line: Line) -> tuple[Any, ...]:
    return line["start_ms"], line["end_ms"], line["text"]


def _restored(task: Task, line: Line) -> Segment:
    return Segment(task=task, number=0, **line)

"""Plain functions that make rows for tests. Every argument is optional; fields go by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import count
from typing import Any

from django.contrib.auth.models import User

from videos import search, storage
from videos.models import Index, Member, Segment, Status, Step, Task, Video
from videos.uploads import PartFile, PartFileHandler

_numbers = count(1)
PASSWORD = "correct horse battery"

_PHRASES = (
    "So we came down to the river before the light was gone.",
    "Nobody had told us that the bridge was closed.",
    "I remember the sound more than anything else, a sort of low hum.",
    "And then she laughed, and that was that.",
    "You keep the camera on his hands, not on his face.",
    "It was the third winter that the boats could not go out.",
    "Right.",
    "My father used to say that you can hear the weather in the wire.",
    "We had two hours, one lens and no permission at all.",
    "Could you say that once more, from the moment he stands at the window?",
)


def make_user(username: str = "", **fields: Any) -> User:
    return User.objects.create_user(
        username or f"user{next(_numbers)}", password=PASSWORD, **fields
    )


def make_index(owner: User | None = None, **fields: Any) -> Index:
    fields.setdefault("name", f"Index {next(_numbers)}")
    return Index.objects.create(owner=owner or make_user(), **fields)


def make_member(index: Index, user: User | None = None, role: str = "reader") -> Member:
    """Somebody with whom the index is shared."""
    return Member.objects.create(index=index, user=user or make_user(), role=role)


def make_video(index: Index | None = None, *, content: bytes | None = None, **fields: Any) -> Video:
    """A video of one minute; with ``content`` its bytes lie under the media root as well."""
    number = next(_numbers)
    data = content if content is not None else f"video {number}".encode()
    defaults: dict[str, Any] = {
        "filename": f"clip {number}.mp4",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_bytes": len(data),
        "container": "mp4",
        "content_type": "video/mp4",
        "duration_ms": 60_000,
        "width": 640,
        "height": 360,
        "fps_numerator": 25,
        "video_codec": "h264",
        "audio_codec": "aac",
    }
    video = Video.objects.create(index=index or make_index(), **(defaults | fields))
    if content is not None:
        path = storage.media_path(video.media_name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return video


def make_task(video: Video | None = None, **fields: Any) -> Task:
    """A task that waits for its first claim; ``status="ready"`` also ends it."""
    defaults: dict[str, Any] = {"engine": "sphinx", "model": "en-us", "language": "en"}
    if fields.get("status") in (Status.READY, Status.FAILED):
        defaults["step"] = Step.DONE
    if fields.get("status") == Status.FAILED:
        defaults["error"] = "The sound could not be read."
    return Task.objects.create(video=video or make_video(), **(defaults | fields))


def phrase(number: int) -> str:
    """Words to read in row ``number``: about nine, now and then fewer or more."""
    return _PHRASES[(number * 7 + number // 10) % len(_PHRASES)]


def make_segments(
    cues: int | Iterable[tuple[int, int, str]] = 3, task: Task | None = None
) -> list[Segment]:
    """Rows of a transcript: so many of 3 s with a pause of 0.1 s, or the cues that are given."""
    task = task or make_task()
    if isinstance(cues, int):
        cues = [(n * 3100, n * 3100 + 3000, phrase(n)) for n in range(cues)]
    first = task.segments.count()
    rows = [
        Segment(task=task, number=first + n, start_ms=start, end_ms=end, text=text)
        for n, (start, end, text) in enumerate(cues)
    ]
    rows = Segment.objects.bulk_create(rows, batch_size=500)
    search.index_segments(rows)
    return rows


def make_transcript(
    cues: int | Iterable[tuple[int, int, str]] = 3, index: Index | None = None, **fields: Any
) -> Video:
    """A ready video with its transcript; ``fields`` are the video's."""
    video = make_video(index, **fields)
    task = make_task(video, status=Status.READY)
    rows = make_segments(cues, task)
    video.transcript = task
    if rows and rows[-1].end_ms > video.duration_ms:
        video.duration_ms = rows[-1].end_ms
    video.save()
    return video


def uploaded(data: bytes, name: str = "clip.mp4", chunk: int = 65536) -> PartFile:
    """What the handler makes of a file, as Django's form parser drives it."""
    handler = PartFileHandler()
    handler.new_file("files", name, "video/mp4", None)
    for start in range(0, len(data), chunk):
        handler.receive_data_chunk(data[start : start + chunk], start)
    return handler.file_complete(len(data))

"""Whether browsers play a file as it is. Pure: only names that the probe found go in."""

from __future__ import annotations

# By container: the pictures and sounds that Chromium, Firefox and Safari of this decade all
# play in it. Some play more (Safari HEVC, Chromium Matroska); who shares a link cannot know.
_MODERN = frozenset({"h264", "av1", "vp9"})
_MP4_SOUNDS = frozenset({"aac", "mp3", "opus", "flac"})
_WEB = frozenset({"vp8", "vp9", "av1"})
_XIPH = frozenset({"vorbis", "opus", "flac"})
_PCM = frozenset({"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"})
_NONE: frozenset[str] = frozenset()
_PLAYED = {
    "mp4": (_MODERN, _MP4_SOUNDS),
    "mov": (frozenset({"h264"}), frozenset({"aac", "mp3"})),
    "m4a": (_NONE, _MP4_SOUNDS),
    "webm": (_WEB, _XIPH),
    "ogg": (_NONE, _XIPH),
    "mp3": (_NONE, frozenset({"mp3"})),
    "aac": (_NONE, frozenset({"aac"})),
    "flac": (_NONE, frozenset({"flac"})),
    "wav": (_NONE, _PCM),
}
# What is no 4:2:0 at 8 bits, as cameras for editing write it, no browser's H.264 decodes.
_PLAIN_PIXELS = frozenset({"", "yuv420p", "yuvj420p", "nv12"})


def plays(container: str, video_codec: str, audio_codec: str, pixels: str = "") -> bool:
    """Tell whether a browser plays it; an empty codec is a stream that is not there.

    ``pixels`` is libav's name of the pixel format where it is known.
    """
    if container not in _PLAYED:
        return False
    pictures, sounds = _PLAYED[container]
    if video_codec == "h264" and pixels not in _PLAIN_PIXELS:
        return False
    return (not video_codec or video_codec in pictures) and (
        not audio_codec or audio_codec in sounds
    )

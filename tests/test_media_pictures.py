"""Posters: a telling frame, upright, in bounds, written whole or not at all."""

from __future__ import annotations

import av
import pytest

from tests import makers
from tests.makers import Picture, media, tone
from videos.media.pictures import poster, poster_moment
from videos.media.sandbox import MediaError


def shown(path):
    with av.open(str(path)) as picture:
        frame = next(picture.decode(video=0))
        return frame.reformat(format="gray").to_ndarray()


def files_in(folder):
    return {path.name for path in folder.iterdir() if path.is_file()}


def test_a_poster_is_a_jpeg_no_wider_than_asked(tmp_path):
    target = tmp_path / "poster.jpg"

    assert poster(makers.SAMPLE, target, at_ms=2700, width=320)
    assert target.read_bytes().startswith(b"\xff\xd8\xff")
    assert shown(target).shape == (180, 320)
    assert files_in(tmp_path) == {"poster.jpg"}


def test_a_black_beginning_is_passed_over(tmp_path):
    video = media(tmp_path / "black.mp4", picture=Picture(seconds=4, black_seconds=1))

    assert poster(video, tmp_path / "p.jpg", at_ms=0)
    assert shown(tmp_path / "p.jpg").std() > 50


def test_a_turned_video_has_an_upright_poster(tmp_path):
    """The drawn gradient is brighter to the right; turned left by 90 degrees, to the top."""
    video = media(tmp_path / "turned.mp4", picture=Picture(rotation=90))

    assert poster(video, tmp_path / "p.jpg", at_ms=500)
    image = shown(tmp_path / "p.jpg")
    assert image.shape == (160, 90)
    assert image[:20].mean() > 200 > 60 > image[-20:].mean()


def test_a_small_picture_is_not_blown_up(tmp_path):
    assert poster(media(tmp_path / "s.mp4", picture=Picture()), tmp_path / "p.jpg", at_ms=0)
    assert shown(tmp_path / "p.jpg").shape == (90, 160)


def test_a_moment_past_the_end_still_gives_a_poster(tmp_path):
    assert poster(makers.SAMPLE, tmp_path / "p.jpg", at_ms=10**9)


def test_sound_and_cover_art_give_none(tmp_path):
    sound = media(tmp_path / "a.wav", tone(1))
    cover = media(tmp_path / "c.mp3", tone(2), cover=True)

    assert not poster(sound, tmp_path / "p.jpg", at_ms=0)
    assert not poster(cover, tmp_path / "p.jpg", at_ms=0)
    assert not (tmp_path / "p.jpg").exists()


def test_a_frame_over_64_megapixels_is_refused(tmp_path):
    huge = media(tmp_path / "h.mkv", picture=Picture(seconds=0.04, size=(8192, 8192)))

    with pytest.raises(MediaError, match="too large"):
        poster(huge, tmp_path / "p.jpg", at_ms=0)
    assert files_in(tmp_path) == {"h.mkv"}


def test_the_moment_is_past_the_titles_and_not_too_far():
    assert [poster_moment(ms) for ms in (0, 30_000, 10**7)] == [0, 3_000, 20_000]

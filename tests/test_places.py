from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_index, make_transcript, make_user
from videos import played
from videos.models import Place

stretches = st.tuples(st.integers(0, 10**7), st.integers(1, 10**5)).map(
    lambda pair: (pair[0], sum(pair))
)


@given(st.lists(stretches, max_size=60))
def test_a_union_is_sorted_apart_and_has_all_of_it(some):
    found = played.union(some)

    assert found == sorted(found)
    assert all(b[0] - a[1] > played.JOIN_MS for a, b in zip(found, found[1:], strict=False))
    assert all(any(a <= start and end <= b for a, b in found) for start, end in some)
    if some:
        assert found[0][0] == min(start for start, _ in some)
        assert found[-1][1] == max(end for _, end in some)


@given(st.lists(stretches, max_size=40), st.lists(stretches, max_size=40))
def test_it_does_not_matter_what_was_played_first(some, more):
    once = played.union(some + more)

    assert played.union([*played.union(some), *more]) == once
    assert played.union(once) == once


def test_very_many_stretches_become_few_by_closing_the_smallest_holes():
    holes = [n * 10_000 + (n % 7) * 100 for n in range(1000)]

    found = played.union((start, start + 2000) for start in holes)

    assert len(found) <= played.MOST
    assert found[0][0] == holes[0] and found[-1][1] == holes[-1] + 2000


@pytest.mark.parametrize(
    "text",
    ["", "x", "{}", "[1]", "[[1]]", "[[1,2,3]]", "[[2,1]]", "[[-1,2]]", "[[0,1.5]]", "[[0,true]]",
     "[[0,NaN]]", '[["0","1"]]', "[" * 5000, "[[0,1]," * 9000],
)  # fmt: skip
def test_what_is_no_list_of_stretches_is_refused(text):
    with pytest.raises(ValueError, match="stretches|too much"):
        played.read(text, 60_000)


def test_stretches_end_where_the_video_ends():
    assert played.read("[[0,100000],[70000,80000]]", 60_000) == [(0, 60_000)]


# --- over HTTP ---


@pytest.fixture
def video(user):
    return make_transcript(3, make_index(user))


def tell(client, video, at: object, stretches: str):
    return client.post(f"/videos/{video.pk}/place", {"at": at, "played": stretches})


def test_what_was_played_adds_up_and_the_last_place_counts(client, user, video):
    assert tell(client, video, 5000, "[[0,5000]]").status_code == 204
    assert tell(client, video, 30_000, "[[20000,30000],[4000,9000]]").status_code == 204

    place = Place.objects.get(user=user, video=video)
    assert (place.at_ms, place.played) == (30_000, [[0, 9000], [20_000, 30_000]])
    page = client.get(f"/videos/{video.pk}/").text
    assert (
        'Resume at <span data-time="30">0:30</span>' in page
        and 'data-played="[[0, 9000], [20000, 30000]]"' in page
    )
    assert "Resume" not in client.get(f"/videos/{video.pk}/?t=3").text


@pytest.mark.parametrize("at", [0, 4000, 58_000, 10**12])
def test_the_beginning_and_the_end_are_nothing_to_resume(client, video, at):
    tell(client, video, at, "[[0,4000]]")

    assert "Resume" not in client.get(f"/videos/{video.pk}/").text


@pytest.mark.parametrize(
    ("at", "stretches"),
    [("x", "[]"), ("-1", "[[0,1]]"), ("1", "nothing"), ("", ""), ("9" * 5000, "[[0,1]]")],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(client, video, at, stretches):
    answer = tell(client, video, at, stretches)

    assert answer.status_code == 400 and answer.text.endswith(".")
    assert not Place.objects.exists()


def test_it_is_forgotten_when_one_says_so(client, video):
    tell(client, video, 30_000, "[[0,30000]]")

    answer = client.post(f"/videos/{video.pk}/forget")

    assert (answer.status_code, answer["Location"]) == (303, f"/videos/{video.pk}/")
    assert not Place.objects.exists()


def test_each_has_a_place_of_their_own_and_strangers_none(client, video):
    tell(client, video, 30_000, "[[0,30000]]")
    client.force_login(make_user())

    assert tell(client, video, 1, "[[0,1]]").status_code == 404
    assert client.post(f"/videos/{video.pk}/forget").status_code == 404
    assert client.get(f"/videos/{video.pk}/place").status_code == 405
    assert Place.objects.count() == 1

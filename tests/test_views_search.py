from __future__ import annotations

import re

import pytest

from tests.factories import make_index, make_transcript

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def film(index, *lines: str, **fields):
    cues = [(n * 6000, n * 6000 + 5000, line) for n, line in enumerate(lines)]
    return make_transcript(cues, index, **fields)


def test_hits_come_with_time_context_and_a_link_to_the_moment(client, user):
    video = film(make_index(user), "Before <it>.", "The boats & I.", "After.", filename="sea.mp4")

    page = client.get("/search/", {"q": "boats"}).text

    assert "1 line in 1 video" in page and "sea.mp4" in page
    assert f'href="/videos/{video.pk}/?q=boats&amp;t=6#now">0:06</a>' in page
    assert "The <mark>boats</mark> &amp; I." in page
    assert "Before &lt;it&gt;." in page and "After." in page


def test_the_title_is_shown_instead_of_the_file_name(client, user):
    film(make_index(user), "boats", filename="A001.mov", title="Harbour, day 2")

    page = client.get("/search/", {"q": "boats"}).text

    assert "Harbour, day 2" in page and "A001.mov" not in page


def test_only_your_own_videos_are_searched(client, user):
    theirs = film(make_index(), "boats", filename="secret.mp4")

    page = client.get("/search/", {"q": "boats"}).text

    assert "No line contains all of these words." in page and "secret" not in page
    for index in (theirs.index_id, "x", "\0"):
        assert client.get("/search/", {"q": "boats", "index": index}).status_code == 404


def test_an_index_narrows_and_an_order_is_kept_in_the_links(client, user):
    near, far = make_index(user), make_index(user)
    for number in range(11):
        film(near, "boats", filename=f"near {number}.mp4")
    film(far, "boats", filename="far.mp4")
    asked = {"q": "boats", "index": near.pk, "sort": "newest"}

    first = client.get("/search/", asked).text
    second = client.get("/search/", asked | {"page": "2"}).text

    assert "far.mp4" not in first and first.index("near 10.mp4") < first.index("near 1.mp4")
    assert f'href="/search/?q=boats&amp;index={near.pk}&amp;sort=newest&amp;page=2"' in first
    assert "near 0.mp4" in second and "near 10.mp4" not in second


def test_a_video_shows_its_first_hits_and_leads_to_the_rest(client, user):
    video = film(make_index(user), *["boats"] * 7, duration_ms=42_000)

    page = client.get("/search/", {"q": "boats"}).text

    assert page.count("<mark>") >= 4 and "3 more in this video" in page
    assert f'href="/videos/{video.pk}/?q=boats"' in page
    strip = [int(x) for x in re.findall(r'<rect x="(\d+)"', page)]
    assert len(strip) == 7 and strip == sorted(strip) and strip[-1] < 1000


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?!", "Type at least one word to search for."),
        ("a" * 201, "Search for at most 200 characters."),
        ("nothing", "No line contains all of these words."),
        (" ", "Search everything that was said in your videos."),
    ],
)
def test_a_query_without_answer_has_a_sentence(client, user, query, sentence):
    page = client.get("/search/", {"q": query, "page": "x"})

    assert page.status_code == 200 and sentence in page.text


def test_htmx_gets_the_results_alone(client, user):
    film(make_index(user), "boats")

    answer = client.get("/search/", {"q": "boats"}, headers=HTMX)

    assert "<html" not in answer.text and "<mark>boats</mark>" in answer.text
    assert 'id="found"' in answer.text and "HX-Request" in answer["Vary"]


def test_a_search_takes_the_same_queries_whatever_it_finds(client, user, django_assert_num_queries):
    index = make_index(user)
    for number in (1, 12):
        for _ in range(number):
            film(index, *["boats"] * number)
        with django_assert_num_queries(6):
            # session, user, indexes, hits, videos, texts
            client.get("/search/", {"q": "boats"})


def test_every_page_has_the_field(client, user):
    video = film(make_index(user), "boats")

    for url in ("/", f"/videos/{video.pk}/", "/account/keys/", "/nowhere"):
        assert 'action="/search/"' in client.get(url).text

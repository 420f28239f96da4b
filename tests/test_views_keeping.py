from __future__ import annotations

import io
import re
import zipfile
from html import unescape

import pytest

from tests.factories import (
    make_index,
    make_member,
    make_task,
    make_transcript,
    make_user,
    make_video,
)
from tests.test_views_library import many_videos, quickest, ten_thousand
from videos.models import Place, Tag, Task, Video

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_known_engine")]


@pytest.fixture
def _known_engine(settings):
    settings.DEFAULT_ENGINE = "sphinx"


def names(response) -> list[str]:
    return [item.video.name for item in response.context["items"]]


def tag(video, name: str) -> Tag:
    found = Tag.objects.named(video.index.owner, name)
    found.videos.add(video)
    return found


def test_a_name_is_changed_and_an_empty_one_gives_the_files_again(client, user):
    video = make_transcript(1, make_index(user), filename="A001.mov")
    url = f"/videos/{video.pk}/"

    client.post(f"{url}name", {"title": "Harbour\0,  day 2"})
    assert Video.objects.get().name == "Harbour , day 2"
    assert "<h1><bdi>Harbour , day 2</bdi></h1>" in client.get(url).text
    assert "Harbour" in client.get("/").text and ">A001.mov<" not in client.get("/").text

    client.post(f"{url}name", {"title": ""})
    assert Video.objects.get().name == "A001.mov"


def test_a_title_and_a_tag_keep_the_joiners_that_hold_their_signs_together(client, user):
    video, name = make_transcript(1, make_index(user)), "👩\u200d💻 می\u200cخواهم"

    client.post(f"/videos/{video.pk}/name", {"title": name})
    client.post("/videos/many", {"video": video.pk, "do": "tag", "tag": f"{name}\u200d"})

    assert Video.objects.get().title == Tag.objects.get().name == name


def test_tags_are_added_once_and_go_with_their_last_video(client, user):
    video = make_transcript(1, make_index(user))

    for name in ("Interview", "interview ", "B-roll"):
        client.post("/videos/many", {"video": video.pk, "do": "tag", "tag": name})
    page = client.get(f"/videos/{video.pk}/").text
    assert [each.name for each in video.tags.all()] == ["B-roll", "Interview"]
    assert 'aria-label="Remove the tag B-roll"' in page

    first = video.tags.first()
    client.post(f"/videos/{video.pk}/tags/{first.pk}/remove")
    assert [each.name for each in Tag.objects.all()] == ["Interview"]


@pytest.mark.parametrize("path", ["videos/{video.pk}/delete", "indexes/{video.index_id}/delete"])
def test_the_tags_of_what_was_deleted_go_with_it_and_those_in_use_stay(client, user, path):
    video, other = (make_transcript(1, make_index(user)) for _ in range(2))
    theirs = Tag.objects.create(owner=make_user(), name="waits for its video")
    for name in ("gone", "kept"):
        tag(video, name)
    kept = tag(other, "kept")

    client.post("/" + path.format(video=video))

    assert set(Tag.objects.all()) == {kept, theirs}


@pytest.mark.parametrize(
    ("one", "other"), [("Été", "été"), ("МОРЕ", "Море"), ("Straße", "STRASSE"), ("Sea", "sEA")]
)
def test_capitals_of_any_script_make_no_other_tag(user, one, other):
    first = Tag.objects.named(user, one)

    assert Tag.objects.named(user, other) == first
    assert Tag.objects.named(make_user(), other) != first
    assert Tag.objects.named(user, "sea 2") != first


def test_of_tags_that_differ_by_capitals_already_each_is_found_by_its_name(user):
    both = [Tag.objects.create(owner=user, name=name) for name in ("Été", "été")]

    assert [Tag.objects.named(user, tag.name) for tag in both] == both


def test_each_video_of_a_list_takes_a_tag_by_itself(client, user):
    index = make_index(user)
    one, other = (make_transcript(1, index, filename=f"{n}.mp4") for n in "ab")
    page = client.get("/?sort=name").text
    form = re.search(r'<form class="inline"[^>]*>.*?</form>', page, re.DOTALL)[0]
    assert f'name="video" value="{one.pk}"' in form and 'name="next" value="/?sort=name"' in form

    fields = {"video": one.pk, "do": "tag", "tag": "sea", "next": "/?sort=name"}
    answer = client.post("/videos/many", fields)

    assert answer["Location"] == "/?sort=name"
    assert [each.name for each in one.tags.all()] == ["sea"] and not other.tags.exists()


def test_many_are_moved_tagged_and_deleted_and_strangers_stay(client, user):
    home, away = make_index(user), make_index(user, name="Away")
    videos = [make_transcript(1, home) for _ in range(3)]
    theirs = make_transcript(1)
    ids = [video.pk for video in [*videos[:2], theirs]]

    moved = client.post("/videos/many", {"video": ids, "do": "move", "index": away.pk}, follow=True)
    tagged = client.post("/videos/many", {"video": ids, "do": "tag", "tag": "kept"}, follow=True)
    assert "Moved 2 videos to Away." in moved.text and "Tagged 2 videos with kept." in tagged.text
    assert Video.objects.filter(index=away).count() == Tag.objects.get().videos.count() == 2

    gone = client.post("/videos/many", {"video": ids, "do": "delete"}, follow=True)
    assert "Deleted 2 videos." in gone.text
    assert set(Video.objects.values_list("pk", flat=True)) == {videos[2].pk, theirs.pk}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"video": [], "do": "delete"}, "Choose at least one video."),
        ({"do": "move"}, "Choose the index to move them to."),
        ({"do": "move", "index": "\0"}, "Choose the index to move them to."),
        ({"do": "tag", "tag": " "}, "Give the tag a name of at most 50 characters."),
        ({"do": "tag", "tag": "x" * 51}, "Give the tag a name of at most 50 characters."),
        ({}, "Choose what to do with them."),
        ({"video": ["a"] * 501, "do": "delete"}, "Choose at most 500 videos at once."),
    ],
)
def test_what_cannot_be_done_has_a_sentence(client, user, fields, sentence):
    video = make_transcript(1, make_index(user))

    page = client.post("/videos/many", {"video": [video.pk]} | fields, follow=True)

    assert sentence in page.text and Video.objects.exists()


@pytest.mark.parametrize("fields", [{"do": "delete"}, {"do": "move"}, {"do": "tag", "tag": "sea"}])
def test_what_is_refused_for_one_video_names_it_and_goes_back_to_the_filter(client, user, fields):
    mine = make_transcript(1, make_index(user))
    theirs = make_transcript(1, filename="borrowed.mp4")
    make_member(theirs.index, user)
    form = {"video": [mine.pk, theirs.pk], "index": make_index(user).pk, "next": "/?q=mp4"}

    answer = client.post("/videos/many", form | fields)

    assert answer["Location"] == "/?q=mp4"
    page = client.get("/?q=mp4").text
    assert "Nothing was changed: borrowed.mp4: " in page and " owner " in page
    assert Video.objects.count() == 2 and not Tag.objects.exists()


def test_nothing_of_a_stranger_can_be_named_moved_to_or_untagged(client, user):
    theirs, mine = make_transcript(1), make_transcript(1, make_index(user))
    word = tag(theirs, "secret")

    assert client.post(f"/videos/{theirs.pk}/name", {"title": "x"}).status_code == 404
    for video in (theirs, mine):
        assert client.post(f"/videos/{video.pk}/tags/{word.pk}/remove").status_code == 404
    client.post("/videos/many", {"video": mine.pk, "do": "move", "index": theirs.index_id})
    assert Video.objects.get(pk=mine.pk).index_id == mine.index_id
    assert names(client.get("/", {"tag": word.pk})) == [] and "secret" not in client.get("/").text


def test_many_are_exported_as_a_zip_with_a_file_each(client, user, settings, tmp_path):
    settings.TEMP_ROOT = tmp_path
    index = make_index(user)
    twins = [make_transcript(3, index, filename="interview.mp4") for _ in range(2)]
    silent, theirs = make_transcript(0, index), make_transcript(3)
    chosen = [video.pk for video in (*twins, silent, theirs)]

    answer = client.post("/videos/many", {"video": chosen, "do": "export", "format": "srt"})

    archive = zipfile.ZipFile(io.BytesIO(answer.getvalue()))
    assert sorted(archive.namelist()) == ["interview 2.srt", "interview.srt"]
    assert archive.read("interview.srt").startswith(b"1\n00:00:00,000 --> ")


@pytest.mark.parametrize(("format", "number"), [("", 3), ("pdf", 3), ("srt", 0)])
def test_an_export_of_nothing_has_a_sentence(client, user, settings, tmp_path, format, number):
    settings.TEMP_ROOT = tmp_path
    video = make_transcript(number, make_index(user))
    form = {"video": video.pk, "do": "export", "format": format}

    page = client.post("/videos/many", form, follow=True).text

    assert "Choose the format" in page or "has a line to export" in page


def test_a_list_is_narrowed_by_name_tag_and_state(client, user):
    index = make_index(user)
    ready = make_transcript(1, index, filename="a.mp4", title="Harbour")
    make_task(make_video(index, filename="b harbour.mp4"))
    make_task(make_video(index, filename="c.mp4"), status="failed")
    word = tag(ready, "sea")

    assert names(client.get("/", {"q": "HARBOUR", "sort": "name"})) == ["b harbour.mp4", "Harbour"]
    assert names(client.get("/", {"tag": word.pk})) == ["Harbour"]
    assert names(client.get(f"/indexes/{index.pk}/", {"state": "unfinished"})) == ["b harbour.mp4"]
    assert names(client.get("/", {"state": "failed"})) == ["c.mp4"]
    assert names(client.get("/", {"state": "ready"})) == ["Harbour"]
    assert "No videos match." in client.get("/", {"q": "nothing"}).text


def test_those_that_were_played_last_come_first_and_those_never_played_last(client, user):
    index = make_index(user)
    videos = [make_transcript(1, index, filename=f"{n}.mp4") for n in range(4)]
    for number in (2, 0, 1):
        Place.objects.keep(user, videos[number], 500, [(0, 500)])
    Place.objects.keep(make_user(), videos[3], 500, [(0, 500)])

    assert names(client.get("/", {"sort": "played"})) == ["1.mp4", "0.mp4", "2.mp4", "3.mp4"]


@pytest.mark.parametrize("sort", ["newest", "played", "name", "length"])
def test_pages_keep_the_filter_and_the_order_and_miss_none(client, user, sort):
    index = make_index(user)
    many_videos(index, 120)
    make_video(index, filename="other.mp4")
    for video in Video.objects.all()[::2]:
        Place.objects.keep(user, video, 500, [(0, 500)])
    word = "clip"

    seen, url = [], f"/?q={word}&sort={sort}"
    while url:
        page = client.get(url)
        seen += names(page)
        link = re.search(r'<a href="(\?[^"]*)" rel="next">', page.text)
        url = link and f"/{unescape(link[1])}"

    assert sorted(seen) == [f"clip {n:05}.mp4" for n in range(120)]
    assert sort in ("length", "played") or seen == sorted(seen, reverse=sort == "newest")


@pytest.mark.parametrize(
    "query",
    ["tag=x", "tag=99999999999999999999", "state=x", "sort=x&before=x~a", "sort=length&before=x~a",
     "sort=name&before=%00~a", "q=%00", "sort=length&before=²~a"],
)  # fmt: skip
def test_what_a_list_cannot_mean_is_passed_over(client, user, query):
    make_transcript(1, make_index(user), filename="here.mp4")

    assert names(client.get(f"/?{query}")) == ["here.mp4"]


def test_ten_thousand_videos_are_narrowed_and_sorted_at_once(client, user):
    a_page = ten_thousand(client, user)

    for query in ("sort=name", "sort=played", "sort=length&state=unfinished", "q=clip+099"):
        assert quickest(client, f"/?{query}") < 8 * a_page, query


def test_ten_thousand_videos_under_way_are_told_from_the_others_at_once(client, user):
    """Postgres, which knows of none yet, once looked through all tasks for each video."""
    a_page = ten_thousand(client, user)
    Task.objects.update(status="pending", step="transcribe")

    for state in ("unfinished", "failed", "ready"):
        assert quickest(client, f"/?sort=length&state={state}") < 8 * a_page, state

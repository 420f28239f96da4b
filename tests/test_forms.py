from __future__ import annotations

from fractions import Fraction

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.datastructures import MultiValueDict
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_index, make_user
from videos.forms import AgainForm, IndexForm, RangeForm, UploadForm, pair
from videos.models import Index
from videos.templatetags.desk import exact_clock
from videos.timecode import timebase


def file(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"x")


# --- a range ---


@pytest.mark.parametrize(
    ("typed", "ms"),
    [("90", 90_000), ("1:30", 90_000), ("00:01:30", 90_000), ("1:30.5", 90_500), (" 90 ", 90_000)],
)
def test_a_time_is_read_as_people_write_it(typed, ms):
    form = RangeForm({"start": typed})

    assert (form.start_ms, form.end_ms) == (ms, None)


def test_a_range_is_typed_in_the_files_own_timecode():
    base = timebase(Fraction(25), "01:00:00:00")
    form = RangeForm({"start": "01:00:12:10", "end": "+00:00:01:00"}, base=base)

    assert (form.start_ms, form.end_ms) == (12_400, 13_400)


@pytest.mark.parametrize(("end", "ms"), [("+10", 70_000), ("+1:00", 120_000), ("1m10s", 70_000)])
def test_the_end_may_be_said_from_the_start(end, ms):
    assert RangeForm({"start": "60", "end": end}).end_ms == ms


def test_what_the_field_shows_is_read_back_as_the_same_moment():
    shown = exact_clock(3_723_120)  # an hour with hundredths is no timecode

    assert RangeForm({"start": shown}).start_ms == 3_723_120


@pytest.mark.parametrize(
    "typed", ["soon", "-5", "nan", "inf", "1e309", "0x10", "1:75", "\0", "1::2"]
)
def test_what_is_no_time_is_refused_with_a_sentence(typed):
    form = RangeForm({"start": typed, "end": "10"})

    assert not form.is_valid()
    assert form.errors["start"][0].endswith(".")
    assert form.is_open  # nothing is filtered by half a range


@pytest.mark.parametrize(("start", "end"), [("10", "10"), ("1:30", "60")])
def test_the_end_must_come_after_the_start(start, end):
    form = RangeForm({"start": start, "end": end})

    assert form.errors == {"end": ["The end must come after the start."]}


def test_empty_fields_leave_the_range_open():
    assert RangeForm({}).is_open
    assert RangeForm({"start": "", "end": " "}).is_open
    assert not RangeForm({"end": "1"}).is_open


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_a_range(start, end):
    form = RangeForm({"start": start, "end": end})

    if form.is_valid() and form.start_ms is not None and form.end_ms is not None:
        assert 0 <= form.start_ms < form.end_ms


# --- an index ---


@pytest.mark.django_db
def test_an_index_name_is_used_once_an_owner():
    taken = make_index(name="Dailies")

    again = IndexForm({"name": "Dailies"}, instance=Index(owner=taken.owner))
    elsewhere = IndexForm({"name": "Dailies"}, instance=Index(owner=make_user()))
    itself = IndexForm({"name": "Dailies"}, instance=taken)

    assert again.errors == {"name": ["You have an index of this name already."]}
    assert elsewhere.is_valid() and itself.is_valid()


@pytest.mark.parametrize(
    ("engine", "site", "label"),
    [
        ("sphinx", "", "The index's choice: CMU Sphinx"),
        ("twelvelabs", "sphinx", "The index's choice: Twelve Labs (cloud), not set up"),
        ("", "whisper", "The site's choice: Whisper"),
        ("", "twelvelabs", "The site's choice: Twelve Labs (cloud), not set up"),
        ("", "", "The best that is available"),
    ],
)
def test_the_empty_choice_names_the_engine_that_is_really_taken(settings, engine, site, label):
    settings.DEFAULT_ENGINE = site
    form = AgainForm(Index(engine=engine))

    assert form.fields["engine"].choices[0][1].startswith(label)


@pytest.mark.django_db
def test_an_index_keeps_an_engine_that_is_not_set_up_now(client, user):
    index = make_index(user, engine="twelvelabs")
    page = client.get(f"/indexes/{index.pk}/").text
    assert '<option value="twelvelabs" selected>Twelve Labs (cloud), not set up</option>' in page

    client.post(f"/indexes/{index.pk}/rename", {"name": "Other", "engine": "twelvelabs"})

    index.refresh_from_db()
    assert (index.name, index.engine) == ("Other", "twelvelabs")
    assert not IndexForm({"name": "x", "engine": "twelvelabs"}, instance=Index()).is_valid()


# --- an upload ---


def upload(user, files=("a.mp4",), **data) -> UploadForm:
    return UploadForm(user, data, MultiValueDict({"file": [file(name) for name in files]}))


@pytest.mark.django_db
def test_without_an_index_the_first_upload_names_one():
    user = make_user()
    form = upload(user)

    assert form.is_valid()
    assert form.target().name == "My videos"
    assert not Index.objects.exists()  # not before a file is taken


@pytest.mark.django_db
def test_a_new_name_wins_over_the_chosen_index_and_may_be_known():
    user = make_user()
    chosen, known = make_index(user), make_index(user, name="Rushes")
    forms = [upload(user, index=chosen.pk, new_index=name) for name in ("Dailies", "Rushes")]

    assert all(form.is_valid() for form in forms)
    assert forms[0].target().name == "Dailies" and forms[1].target() == known


@pytest.mark.django_db
def test_another_ones_index_cannot_be_chosen():
    for pk in (make_index().pk, "\0", "x"):
        assert "index" in upload(make_user(), index=pk).errors


@pytest.mark.django_db
def test_too_many_files_and_none_at_all_are_refused(settings):
    settings.MAX_FILES_AT_ONCE = 2

    assert upload(make_user(), ["a", "b", "c"]).errors["file"] == ["Send at most 2 files at once."]
    assert upload(make_user(), []).errors["file"] == ["Choose at least one file."]


def test_captions_go_with_the_file_of_the_same_name():
    one, two = file("one.MP4"), file("two.mp4")
    captions, stranger = file("Two.srt"), file("three.vtt")

    pairs, strangers = pair([one, two], [captions, stranger])

    assert pairs == [(one, None), (two, captions)]
    assert strangers == [stranger]


def test_a_file_and_captions_alone_belong_together():
    one, captions = file("one.mp4"), file("another name.srt")

    assert pair([one], [captions]) == ([(one, captions)], [])

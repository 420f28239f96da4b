from __future__ import annotations

import threading
from importlib import import_module
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from tests.factories import make_index, make_segments, make_task, make_transcript, make_user
from videos import ingest, search
from videos.models import SearchRow, Segment, Video

pytestmark = pytest.mark.django_db

LINES = [
    "The boats could not go out.",  # 0
    "Nobody went OUT that winter, no boats.",  # 1
    "Café crème, déjà vu: naïve façade.",  # 2
    "Cafe\u0301 with a combining accent.",  # 3
    "Straße und STRASSE, Über-Boot.",  # 4
    "The ﬁrst oﬃce is on the left.",  # 5 - ligatures
    "明日は映画を見に行きます。",  # 6
    "我们明天去看电影。",  # 7
    "영화를 보러 갑니다.",  # 8
    "ฉันไปดูหนังพรุ่งนี้",  # 9
    "ذهبتُ إلى السينما أمس",  # 10
    "हिन्दी फ़िल्म देखी",  # 11
    "See https://example.org/a-b?c=d or mail a.b@example.org.",  # 12
    "It costs 1,250.50 or 1e5, take 007.",  # 13
    "Don't say it's over; rock'n'roll.",  # 14
    "snake_case and C++ and AT&T.",  # 15
    "İstanbul'da ΣΊΣΥΦΟΣ и Ёлка.",  # 16
    "ｶﾞﾗｽ and Ｆｕｌｌ width ½ cup.",  # 17
    "",  # 18
    "out go",  # 19
    "パパは公園、か\u3099っこう",  # 20 - a mark of its own voices the か
    "ハハハ、かく",  # 21
    "co\u00adoperate, na\u200bmed, می\u200cخواهم",  # 22 - soft hyphens and joiners
]
# One table, which both databases must answer alike.
QUERIES = [
    ("boats", [0, 1]),
    ("out boats", [0, 1]),
    ('"go out"', [0]),
    ('"go out', [0]),
    ("“go out”", [0]),
    ('boats "go out" could', [0]),
    ("boat", []),
    ("boat*", [0, 1]),
    ('"no boa"*', [1]),
    ("BOATS", [0, 1]),
    ("cafe", [2, 3]),
    ("CAFÉ", [2, 3]),
    ("facade deja", [2]),
    ("strasse", [4]),
    ("Straße", [4]),
    ("uber boot", [4]),
    ("über-boot", [4]),
    ("first office", [5]),
    ("映画", [6]),
    ("電影", []),
    ("电影", [7]),
    ("明", [6, 7]),
    ("明日 映画", [6]),
    ("画映", []),
    ("영화를", [8]),
    ("영화*", [8]),
    ("หนัง", [9]),
    ("السينما", [10]),
    ("ذهبت", [10]),
    ("हिन्दी", [11]),
    ("हन", []),
    ("हिनदी", []),
    ("हि\u200dन्दी", [11]),
    ("फिल्म", [11]),
    ("パパ", [20]),
    ("ハハ", [21]),
    ("ハパ", []),
    ("がっこう", [20]),
    ("か", [21]),
    ("か\u3099", [20]),
    ("cooperate", [22]),
    ("co\u00adoperate", [22]),
    ("oper*", []),
    ("named", [22]),
    ("میخواهم", [22]),
    ("خواهم", []),
    ("example.org", [12]),
    ("a-b", [12]),
    ("1,250.50", [13]),
    ("1e5 007", [13]),
    ("7", []),
    ("don't", [14]),
    ("dont", []),
    ("it’s", [14]),
    ("rock'n'roll", [14]),
    ("snake", [15]),
    ("snake_case", [15]),
    ("c++", [12, 15]),
    ("at&t", [15]),
    ("istanbul", [16]),
    ("σισυφοσ", [16]),
    ("елка", [16]),
    ("ガラス", [17]),
    ("ｶﾞﾗｽ", [17]),
    ("カラス", []),
    ("full", [17]),
    ("OR AND NOT NEAR", []),
    ("or mail", [12]),
    ("text:boats", []),
    ("^boats", [0, 1]),
    ("-boats", [0, 1]),
    ("(boats) | 'x' & !y:*", []),
    ("\\ boats \\'", [0, 1]),
]


def film(lines=LINES, index=None, **fields) -> Video:
    cues = [(n * 1000, n * 1000 + 900, line) for n, line in enumerate(lines)]
    return make_transcript(cues, index, **fields)


def numbers(query: str, videos=None) -> list[int]:
    found = search.hits(search.parse(query), videos if videos is not None else Video.objects.all())
    return list(found.order_by("number").values_list("number", flat=True))


def test_both_databases_answer_one_table_of_queries():
    film()

    answers = [(query, numbers(query)) for query, _ in QUERIES]

    assert answers == QUERIES


LONG = [
    " ".join(f"the w{n}" for n in range(600)),  # 0
    "".join("的" + chr(0x4E00 + n) for n in range(600)),  # 1
    "".join(chr(0x4E00 + n) for n in range(17_000)),  # 2 - more places than a tsvector has
    " ".join(f"x{n} of" for n in range(256)),  # 3 - as many of a word as a tsvector keeps
    " ".join(f"x{n} of" for n in range(257)) + " it",  # 4
    "the w500 is a short line",  # 5
]
LONG_QUERIES = [
    ('"the w5"', [0]),
    ('"the w500"', [0, 5]),
    ('"w500 the"', [0]),
    ('"the w501 the w502"', [0]),
    ('"the w503 the w502"', []),
    ('"w599 w0"', []),
    ('w599 "the w1"', [0]),
    ('w599 "the w1" nowhere', []),
    ('"the w59"*', [0]),
    ("w599*", [0]),
    ("的" + chr(0x4E00 + 5), [1]),
    ("的" + chr(0x4E00 + 500), [1]),
    (chr(0x4E00 + 500) + chr(0x4E00 + 501), [2]),
    (chr(0x4E00 + 16_900) + chr(0x4E00 + 16_901), [2]),
    (chr(0x4E00 + 16_381) + chr(0x4E00 + 16_900), []),
    ('"x255 of"', [3, 4]),
    ('"x256 of"', [4]),
    ('"of it"', [4]),
    ('"x0 of"', [3, 4]),
]


def test_both_databases_find_phrases_anywhere_in_a_long_line():
    film(LONG)

    answers = [(query, numbers(query)) for query, _ in LONG_QUERIES]

    assert answers == LONG_QUERIES


def test_phrases_of_long_lines_are_counted_and_paged_with_the_others():
    user = make_user()
    shown = film(LONG, make_index(user))
    film(LONG)

    found = search.hits(search.parse('"the w500"'), Video.objects.visible_to(user))
    (one,), capped = search.find(search.parse('"the w500"'), Video.objects.visible_to(user))

    assert found.count() == 2 and [each.number for each in found.order_by("-number")[:1]] == [5]
    assert [hit.number for hit in one.hits] == [0, 5] and not capped
    assert one.task_id == shown.transcript_id and one.score > 0


@pytest.mark.parametrize("query", ["", "  ", '""', "*", "!?", "%_", "\0", "\u0301"])
def test_a_query_without_a_word_is_refused_with_a_sentence(query):
    with pytest.raises(search.QueryError, match=r"^Type at least one word"):
        search.parse(query)


def test_an_endless_query_is_refused_with_a_sentence():
    with pytest.raises(search.QueryError, match=r"^Search for at most 200 characters\.$"):
        search.parse("a" * 201)


def test_only_the_shown_transcripts_of_the_given_videos_are_searched():
    user = make_user()
    mine = film(["boats"], make_index(user))
    make_segments([(0, 1, "boats")], make_task(mine, status="failed"))
    film(["boats"])

    found = search.hits(search.parse("boats"), Video.objects.visible_to(user))

    assert [each.task_id for each in found] == [mine.transcript_id]


def test_transcripts_come_with_their_hits_best_first():
    once = film(["a word of many others about one of the boats"])
    often = film(["boats", "nothing", "boats boats"])
    film(["nothing"])

    found, capped = search.find(search.parse("boats"), Video.objects.all())

    assert [(each.task_id, [hit.number for hit in each.hits]) for each in found] == [
        (often.transcript_id, [0, 2]),
        (once.transcript_id, [0]),
    ]
    assert not capped


def test_of_a_word_that_is_everywhere_the_newest_rows_are_looked_at(monkeypatch):
    monkeypatch.setattr(search, "MAX_HITS", 3)
    film(["boats"])
    new = film(["boats"] * 3)

    found, capped = search.find(search.parse("boats"), Video.objects.all())

    assert [(each.task_id, len(each.hits)) for each in found] == [(new.transcript_id, 3)]
    assert capped


def test_a_changed_row_is_found_by_its_new_words_alone():
    segment = film(["boats"]).transcript.segments.get()
    segment.text = "Schiffe"
    segment.save()

    search.index_segments([segment])

    assert (numbers("boats"), numbers("schiffe")) == ([], [0])
    search.forget(Segment.objects.filter(pk=segment.pk))
    assert numbers("schiffe") == []


@pytest.mark.parametrize("letter", ["ﷺ ", "\U00020000"])
def test_a_line_of_any_length_is_kept_and_found_by_its_first_words(letter):
    text = "boats " + letter * 300_000

    film([text, text.replace("boats", "ships")])

    assert numbers("boats") == [0]


def test_deleting_leaves_no_rows_behind():
    video, other = film(["boats"]), film(["boats"])

    ingest.delete_video(video)
    ingest.delete_index(other.index)

    assert not SearchRow.objects.exists()


def test_rows_can_be_rebuilt():
    film(["boats", "more boats"])
    SearchRow.objects.all().delete()
    said = StringIO()

    call_command("rebuild_search", stdout=said)

    assert said.getvalue() == "2 lines can be searched.\n" and numbers("boats") == [0, 1]


@pytest.mark.django_db(transaction=True)
def test_others_write_while_rows_are_rebuilt(monkeypatch):
    film(["boats"])
    film(["boats"])
    write, wrote = search._write_anew, []

    def elsewhere() -> None:
        wrote.append(Video.objects.update(title="Something else"))
        connection.close()

    def look(video_id: str) -> int:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join(5)
        return write(video_id)

    monkeypatch.setattr(search, "_write_anew", look)
    assert search.rebuild() == 2
    assert wrote == [2, 2]


def test_rebuilding_drops_rows_whose_lines_are_gone():
    film(["boats"])
    film(["ships"]).delete()

    assert (SearchRow.objects.count(), search.rebuild(), SearchRow.objects.count()) == (2, 1, 1)


def test_rows_that_were_written_before_are_written_anew():
    pk = film(["パパ"]).transcript.segments.get().pk
    search.store([(pk, "ハハ")])
    assert (numbers("ハハ"), numbers("パパ")) == ([0], [])

    migration = import_module("videos.migrations.0027_search_voiced_kana_and_joined_words")
    migration.write_anew(apps, None)

    assert (numbers("ハハ"), numbers("パパ")) == ([], [0])


@pytest.mark.parametrize(
    ("text", "query", "shown"),
    [
        ("The boats, BOATS.", "boats", "The [boats], [BOATS]."),
        ("Cafe\u0301 noir", "cafe", "[Café] noir"),
        ("We go out now", '"go out"', "We [go out] now"),
        ("Don't go", "don't", "[Don't] go"),
        ("明日は映画", "映画", "明日は[映画]"),
        ("Straße", "strass*", "[Straße]"),
        ("½ cup", "2", "[½] cup"),
        ("ハハとパパ", "パ", "ハハと[パパ]"),
        ("ｶﾞﾗｽの", "ガラス", "[ｶﾞﾗｽ]の"),
        ("We co\u00adoperate.", "cooperate", "We [co\u00adoperate]."),
        ("न्याय हिन्दी में", "हिन्दी", "न्याय [हिन्दी] में"),
        ("boats boat", "boat* boats", "[boats] [boat]"),
        ("nothing", "boats", "nothing"),
        ("", "boats", ""),
    ],
)
def test_matched_words_are_marked_where_they_stand(text, query, shown):
    text, spans = search.spans(text, search.parse(query))
    for start, end in reversed(spans):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"

    assert text == shown

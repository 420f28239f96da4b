"""Search across videos, on both databases: ``python -m benchmarks.search``.

Makes ``--rows`` segments in videos of 500 (``--database postgres`` starts one), asks for rare,
common and beginning words, and prints the median and the 95th percentile of what the search page
asks the database for.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from statistics import quantiles

import tests.servers as servers

ROWS_A_VIDEO = 500
ROUNDS = 15
COMMON = ["the", "and", "boats", "winter", "river", "camera", "hands", "light", "father", "window"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--database", default=servers.DATABASE)
    wishes = parser.parse_args()
    set_up()
    from django.db import connection

    from videos import search
    from videos.models import Index, Video
    from videos.views import search as page

    owner, began = fill(wishes.rows), time.perf_counter()
    print(f"{wishes.database}, {wishes.rows:,} rows")
    rows = search.rebuild()
    print(f"written anew: {rows / (time.perf_counter() - began):,.0f} rows a second")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # which Postgres does by itself after a minute
    videos = Video.objects.filter(index__in=Index.objects.visible_to(owner))
    for name, query in QUERIES.items():
        terms = search.parse(query)
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            found, _ = search.find(terms, videos)
            page.results(found[: page.PAGE_VIDEOS], terms)
            took.append((time.perf_counter() - began) * 1000)
        hits, cuts = sum(len(each.hits) for each in found), quantiles(took, n=20)
        print(f"{name}: {hits:,} hits, median {cuts[9]:.1f} ms, p95 {cuts[18]:.1f} ms")


QUERIES = {
    "rare word": "w19999",
    "word in one of a hundred rows": "w42",
    "two words": "boats w42",
    "word in half of the rows": "boats",
    "phrase": '"boats winter"',
    "beginning": "w199*",
}


def set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "transcribe_site.settings")
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    settings.DEBUG = False
    call_command("migrate", verbosity=0)


def fill(rows: int):
    """An owner's rows: eight words from a few common ones, one by Zipf, one rare."""
    from django.db import transaction

    from tests.factories import make_index, make_transcript, make_user

    chance = random.Random(1)
    owner = make_user()
    index = make_index(owner)
    with transaction.atomic():
        for _ in range(rows // ROWS_A_VIDEO):
            cues = [(n * 3000, n * 3000 + 2900, sentence(chance)) for n in range(ROWS_A_VIDEO)]
            make_transcript(cues, index)
    return owner


def sentence(chance: random.Random) -> str:
    rare = f"w{chance.randrange(20_000)}"
    usual = f"w{min(int(chance.paretovariate(0.5)), 20_000)}"
    return " ".join([*chance.choices(COMMON, k=6), usual, rare])


if __name__ == "__main__":
    main()

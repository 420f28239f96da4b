"""Who speaks to a browser says what stands on a button: its name begins so (WCAG 2.5.3)."""

from __future__ import annotations

import re

from django.conf import settings

NAMED = re.compile(r'<(button|a|summary)\b[^>]*\baria-label="([^"]*)"[^>]*>(.*?)</\1>', re.DOTALL)


def words(text: str) -> str:
    """What is read of it: no signs, no tags."""
    return " ".join(re.findall(r"\w+", re.sub(r"<[^>]*>", " ", text)))


def test_the_name_of_a_button_begins_with_what_is_seen_of_it():
    wrong = []
    for template in (settings.BASE_DIR / "templates").rglob("*.html"):
        html = re.sub(r"{%.*?%}|{#.*?#}", "", template.read_text())
        named = [(words(name), words(inside)) for _, name, inside in NAMED.findall(html)]
        wrong += [(name, seen) for name, seen in named if not name.startswith(seen)]
    assert wrong == []

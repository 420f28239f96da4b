"""What the menus for handing over list."""

from __future__ import annotations

from django import template

from videos import exports
from videos.exports import Format
from videos.exports.snippets import COPIES

register = template.Library()


@register.simple_tag
def export_groups() -> list[tuple[str, list[tuple[str, Format]]]]:
    named = exports.FORMATS.items()
    return [
        (group, [(n, form) for n, form in named if form.group == group]) for group in exports.GROUPS
    ]


@register.simple_tag
def copy_kinds() -> list[tuple[str, str]]:
    return [(kind, label) for kind, (label, _) in COPIES.items()]

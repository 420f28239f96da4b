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
def bin_groups() -> list[tuple[str, list[tuple[str, Format]]]]:
    """Those formats that can hold clips of several videos."""
    groups = (
        (group, [each for each in found if each[1].mixed]) for group, found in export_groups()
    )
    return [(group, found) for group, found in groups if found]


@register.simple_tag
def copy_kinds() -> list[tuple[str, str]]:
    return [(kind, label) for kind, (label, _) in COPIES.items()]

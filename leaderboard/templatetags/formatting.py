"""Filters and small drawings for the templates: they add units and shapes, and compute nothing else."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from leaderboard import units
from leaderboard.grids import score_class
from leaderboard.terminal import readable

register = template.Library()

for name in ("percent", "score", "dollars", "count", "decimal", "duration", "size"):
    register.filter(name, getattr(units, name))
register.filter("score_class", score_class)
register.filter("readable", readable)


@register.filter
def times_hundred(share: float) -> str:
    """Return a share as a coordinate in a drawing that is 100 wide."""
    return f"{100 * share:.2f}"


@register.filter
def whole_percent(share: float) -> int:
    """Return a share as a coordinate to the whole per cent: finer ones tell fractions of what is held out."""
    return round(100 * share)


@register.filter
def moment(when: datetime | None) -> str | SafeString:
    """Return a date as people say it, with the exact time in its title."""
    if when is None:
        return units.UNKNOWN
    seconds = (timezone.now() - when).total_seconds()
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        when.isoformat(),
        when.astimezone(timezone.get_default_timezone()).strftime("%Y-%m-%d %H:%M:%S UTC"),
        units.ago(max(seconds, 0.0)),
    )


@register.filter
def known(value: object) -> object:
    """Return the value, or a dash for what is None or empty."""
    return units.UNKNOWN if value is None or value == "" else value


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: object) -> str:
    """Return the address's query with these changes; a value of None or "" leaves the key out."""
    parameters = context["request"].GET.copy()
    for key, value in changes.items():
        if value in (None, ""):
            parameters.pop(key, None)
        else:
            parameters[key] = str(value)
    encoded = parameters.urlencode()
    return f"?{encoded}" if encoded else "?"


@register.simple_tag(takes_context=True)
def toggled(context: template.Context, key: str, value: str) -> str:
    """Return the address's query with a value of a facet put in, or taken out where it is chosen."""
    parameters = context["request"].GET.copy()
    values = parameters.getlist(key)
    parameters.setlist(key, [v for v in values if v != value] if value in values else [*values, value])
    encoded = parameters.urlencode()
    return f"?{encoded}" if encoded else context["request"].path


@register.simple_tag(takes_context=True)
def kept_parameters(context: template.Context, *own: str) -> SafeString:
    """Return hidden fields of the address's query, but for those that the form has itself."""
    parameters = context["request"].GET
    fields = [(key, value) for key in parameters if key not in own for value in parameters.getlist(key)]
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', fields)

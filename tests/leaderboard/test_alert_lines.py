"""The alerts of a task along the time that its files cover."""

from leaderboard.views.alert_lines import alert_lines

WINDOW = {"first_seen": "2026-01-06T18:00:00Z", "last_seen": "2026-01-06T19:00:00Z"}


def test_an_alert_that_began_weeks_before_does_not_press_the_others_to_a_dot():
    old = {"name": "Watchdog", "since": "2025-12-01T00:00:00Z", **WINDOW}
    fresh = {"name": "TargetDown", "since": "2026-01-06T18:30:00Z", **WINDOW}
    lines, span = alert_lines([fresh, old])
    assert [(line.name, line.start, line.width) for line in lines] == [
        ("Watchdog", 0.0, 1.0),
        ("TargetDown", 0.5, 0.5),
    ]
    assert (span.first.hour, span.last.hour) == (18, 19)
    assert lines[0].first.year == 2025


def test_alerts_without_times_are_listed_without_a_bar():
    lines, span = alert_lines([{"name": "Odd", "since": "yesterday"}])
    assert (span, lines[0].width) == (None, 0.0)

"""The wall clock in the form that rows hold."""

from datetime import UTC, datetime, timedelta


def timestamp(after_s: float = 0.0) -> str:
    """The time in UTC as RFC 3339 with microseconds, ``after_s`` seconds from now."""
    return (datetime.now(UTC) + timedelta(seconds=after_s)).isoformat(timespec="microseconds")

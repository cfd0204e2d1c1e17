"""What sort of work a task is."""

from enum import StrEnum


class TaskKind(StrEnum):
    """What sort of work a task is; it decides what counts as evidence."""

    NEW_CODE = "new_code"
    FIX = "fix"
    REFACTOR = "refactor"
    ADD_TESTS = "add_tests"
    WEB_APP = "web_app"
    SCRAPE = "scrape"
    QUESTION = "question"

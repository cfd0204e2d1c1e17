"""What a model is shown whose edits of a file fail again and again. Source: SWE-agent, where recovery fell from 90 % to
57 % after one failed edit."""

from collections import Counter

from domain.text import plain
from mcp_server.lines import lines_of, page
from mcp_server.tool import ToolRefused

WHOLE_CHARACTERS = 12_000
SHOW_AFTER = 2
REWRITE_AFTER = 3


class EditLadder:
    """Counts the failed edits of each file since its last change: first the reason is shown, then the whole file as
    well, and then a rewrite is asked for."""

    def __init__(self) -> None:
        self._failed: Counter[str] = Counter()

    def failed(self, path: str, content: str, why: str) -> ToolRefused:
        """What to say of one more failed edit of a file with this content."""
        self._failed[path] += 1
        count = self._failed[path]
        if count < SHOW_AFTER or not content.strip():
            return ToolRefused(why)
        whole = page(path, lines_of(plain(content)), 1, None, WHOLE_CHARACTERS)
        if count < REWRITE_AFTER:
            return ToolRefused(f"{why}\n\nThe file {path} as it is now:\n{whole.text}{whole.more}")
        if whole.more:
            remedy = "Show the lines with read_file, copy one or two of them exactly into `old`, and replace no more."
        else:
            remedy = f"Stop editing it: give write_file the path {path} and the whole new content of the file."
        return ToolRefused(f"{why}\n\n{count} edits of {path} have failed. {remedy}")

    def changed(self, path: str) -> None:
        """Starts anew for a file that was changed."""
        self._failed.pop(path, None)

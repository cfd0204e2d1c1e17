"""What a specialist may want of others; whoever divides the work among them sees to it."""

from typing import Protocol


class Colleagues(Protocol):
    """The others that work on a task, as one of them sees them."""

    async def ask(self, role: str, question: str) -> str:
        """What a specialist of that role says, who sees the asker's files and changes none. ToolRefused where there is
        no such role, where enough was asked, or where it found no answer."""
        ...

    async def request(self, role: str, goal: str) -> str:
        """Has work done by a specialist of that role once the asker's own is merged; what the asker is told.
        ToolRefused where there is no such role, or where nobody takes up more work."""
        ...

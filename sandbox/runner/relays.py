"""The relays of a runner: who listens, who dials, and the numbers that connections get."""

from __future__ import annotations

import socket

from . import frames
from .hub import Activity, Hub
from .relay import MOST_CONNECTIONS, Connection, Dialing, Listener


class Relays:
    """Begins them, among the ``activities`` of the runner."""

    def __init__(self, hub: Hub, activities: dict[int, Activity]) -> None:
        self._hub = hub
        self._activities = activities
        self._last = frames.FIRST_CONNECTION

    def listen(self, number: int, port: int) -> None:
        """Listens for connections of the sandbox; OSError."""
        self._activities[number] = Listener(number, port, self._hub, self._adopt, self._end)
        self._hub.send(frames.OPENED, number, number.to_bytes(4, "big"))

    def connect(self, number: int, port: int) -> None:
        """Makes a connection into the sandbox."""

        def adopt(connected: socket.socket) -> None:
            self._activities[number] = Connection(number, connected, self._hub, self._forget)

        self._activities[number] = Dialing(number, port, self._hub, adopt, self._forget)

    def _connections(self) -> list[Connection]:
        return [activity for activity in self._activities.values() if isinstance(activity, Connection)]

    def _adopt(self, connected: socket.socket, origin: int) -> int | None:
        if len(self._connections()) >= MOST_CONNECTIONS:
            return None
        self._last = self._last % 0xFFFF_FFFE + 1
        if self._last < frames.FIRST_CONNECTION:
            self._last = frames.FIRST_CONNECTION
        self._activities[self._last] = Connection(self._last, connected, self._hub, self._forget, origin)
        return self._last

    def _end(self, listener: Activity) -> None:
        """A listener ends, and with it the connections that came of it, once what was handed over has arrived."""
        self._forget(listener)
        for connection in self._connections():
            if connection.origin == listener.number:
                connection.cancel()

    def _forget(self, activity: Activity) -> None:
        self._activities.pop(activity.number, None)

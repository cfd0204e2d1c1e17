"""The selector that the runner's activities share."""

import os

from sandbox.runner.hub import READ, Hub


def test_an_event_of_a_descriptor_that_was_closed_meanwhile_is_not_given_to_its_successor() -> None:
    sink = os.open(os.devnull, os.O_WRONLY)
    hub = Hub(sink)
    pipes = [os.pipe() for _ in range(2)]
    for _, write in pipes:
        os.write(write, b"x")
    called: list[str] = []
    reads = [read for read, _ in pipes]

    def replace(fd: int) -> None:
        """Whichever is called first closes the other one and puts a new one in its place."""
        called.append("first")
        other = reads[1 - reads.index(fd)]
        hub.forget(other)
        read, write = os.pipe()
        os.dup2(read, other)
        os.close(read)
        pipes.append((other, write))
        hub.watch(other, READ, lambda _: called.append("successor"))
        os.read(fd, 1)

    for read in reads:
        hub.watch(read, READ, replace)
    hub.serve(1.0)

    assert called == ["first"]
    os.write(pipes[2][1], b"x")
    hub.serve(1.0)
    assert called == ["first", "successor"]
    for fd in {sink, *(fd for pair in pipes for fd in pair)}:
        os.close(fd)


def test_a_descriptor_that_is_watched_for_nothing_is_not_watched() -> None:
    read, write = os.pipe()
    hub = Hub(write)
    called: list[int] = []
    hub.watch(read, READ, called.append)
    hub.watch(read, 0, called.append)
    hub.forget(read)
    os.write(write, b"x")

    hub.serve(0.0)

    assert called == []
    os.close(read)
    os.close(write)

"""The script that gives the engine gVisor's runtime, against an engine that is played: a socket, a file, a signal."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "gvisor.sh"
ENGINE = """
import json, os, pathlib, signal, socket, sys
config, listens_at, ready, takes_it = sys.argv[1:]
config = pathlib.Path(config)
runtimes = {"runc": {"path": "runc"}}

def read(*_):
    if takes_it == "yes" and config.exists():
        runtimes.update(json.loads(config.read_text()).get("runtimes", {}))

def hang_up(*_):
    read()
    print("read again", flush=True)

read()
signal.signal(signal.SIGHUP, hang_up)
server = socket.socket(socket.AF_UNIX)
server.bind(listens_at)
server.listen()
pathlib.Path(ready).write_text(str(os.getpid()))
print("ready", flush=True)
while True:
    connection, _ = server.accept()
    connection.recv(65536)
    connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + json.dumps({"Runtimes": runtimes}).encode())
    connection.close()
"""
OURS = ["--network=none", "--oci-seccomp"]


class Machine(NamedTuple):
    """A folder that stands for a machine, with an engine's configuration and programs of its own."""

    folder: Path
    config: Path

    def install(self, program: str, script: str = "exit 0") -> Path:
        """A program on the machine."""
        path = self.folder / "bin" / program
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs the script on it."""
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "DOCKER_HOST": f"unix://{self.folder / 'socket'}",
            "SOUNDSTAGE_ENGINE_CONFIG": str(self.config),
            "SOUNDSTAGE_ENGINE_PID": str(self.folder / "pid"),
            "TMPDIR": str(self.folder),
        }
        return subprocess.run(
            [str(SCRIPT)],
            env=environment | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    @contextlib.contextmanager
    def engine(self, takes_it: str = "yes") -> Iterator[IO[bytes]]:
        """An engine that runs on it; yields what it says."""
        arguments = [str(self.config), str(self.folder / "socket"), str(self.folder / "pid"), takes_it]
        with subprocess.Popen([sys.executable, "-c", ENGINE, *arguments], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            try:
                yield process.stdout
            finally:
                process.kill()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with runsc."""
    made = Machine(tmp_path, tmp_path / "etc" / "daemon.json")
    made.config.parent.mkdir()
    made.install("runsc")
    return made


def test_it_adds_the_runtime_keeps_the_rest_and_the_engine_has_it_without_a_restart(machine: Machine) -> None:
    machine.config.write_text('{"debug": true, "runtimes": {"other": {"path": "/bin/other"}}}')
    machine.config.chmod(0o640)
    with machine.engine():
        first, again = machine.run(), machine.run()

    assert (first.returncode, first.stderr) == (0, "")
    assert "registered runsc" in first.stdout
    assert json.loads(machine.config.read_text()) == {
        "debug": True,
        "runtimes": {
            "other": {"path": "/bin/other"},
            "runsc": {"path": str(machine.folder / "bin" / "runsc"), "runtimeArgs": OURS},
        },
    }
    assert machine.config.stat().st_mode & 0o777 == 0o640
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert sorted(path.name for path in machine.folder.iterdir()) == ["bin", "etc", "pid", "socket"]
    assert [path.name for path in machine.config.parent.iterdir()] == ["daemon.json"]


def test_an_engine_without_a_configuration_gets_one(machine: Machine) -> None:
    with machine.engine():
        assert machine.run().returncode == 0

    assert list(json.loads(machine.config.read_text())["runtimes"]) == ["runsc"]


def test_a_registration_of_somebody_else_stays_and_a_weaker_one_is_told(machine: Machine) -> None:
    theirs = '{"runtimes": {"runsc": {"path": "/theirs", "runtimeArgs": ["--platform=kvm"]}}}'
    machine.config.write_text(theirs)
    with machine.engine():
        done = machine.run()

    assert (done.returncode, machine.config.read_text()) == (0, theirs)
    assert "without --oci-seccomp" in done.stdout


def test_one_that_the_engine_has_not_read_yet_stays_as_well_and_is_told(machine: Machine) -> None:
    theirs = {"runtimes": {"runsc": {"path": "/theirs", "runtimeArgs": []}}}
    with machine.engine():
        machine.config.write_text(json.dumps(theirs))
        done = machine.run()

    assert (done.returncode, json.loads(machine.config.read_text())) == (0, theirs)
    assert "without --oci-seccomp" in done.stdout


def test_a_configuration_behind_a_link_stays_there(machine: Machine) -> None:
    real = machine.folder / "etc" / "real.json"
    real.write_text("{}")
    machine.config.symlink_to(real)
    with machine.engine(takes_it="no"):
        assert machine.run(SOUNDSTAGE_ENGINE_PATIENCE="1").returncode == 1
        assert (machine.config.readlink(), real.read_text()) == (real, "{}")
    (machine.folder / "socket").unlink()
    with machine.engine():
        assert machine.run().returncode == 0

    assert machine.config.readlink() == real
    assert list(json.loads(real.read_text())["runtimes"]) == ["runsc"]


def test_a_process_id_that_an_engine_of_before_left_behind_is_not_signalled(machine: Machine) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    with machine.engine():
        running = (machine.folder / "pid").read_text()
        (machine.folder / "pid").write_text(str(ended.pid))
        machine.install("systemctl", f'[ "$*" = "reload docker" ] && kill -HUP {running}')
        done = machine.run()

    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_changed_where_that_is_forbidden_and_the_commands_are_printed(machine: Machine) -> None:
    with machine.engine():
        done = machine.run(SOUNDSTAGE_NO_SYSTEM="1")

    assert (done.returncode, done.stdout) == (3, "")
    assert "does not know runsc" in done.stderr
    assert f'"runtimes" in {machine.config}' in done.stderr
    assert "kill -HUP" in done.stderr
    assert not machine.config.exists()


NEEDED = ("bash", "sh", "dirname", "sed", "grep", "cat", "mktemp", "rm", "mv", "cp", "sleep", "tail", "chmod")


def bare(machine: Machine) -> dict[str, str]:
    """A machine without runsc whose apt-get brings it; the variables for a run that sees no other programs."""
    (machine.folder / "bin" / "runsc").unlink()
    for program in NEEDED:
        (machine.folder / "bin" / program).symlink_to(shutil.which(program) or program)
    machine.install("dpkg")
    machine.install("id", "echo 0")
    brought = machine.folder / "bin" / "runsc"
    said = machine.folder / "said"
    machine.install("apt-get", f'echo "$@" >> {said}; echo "#!/bin/sh" > {brought}; chmod +x {brought}')
    return {"PATH": str(machine.folder / "bin")}


def test_runsc_is_installed_where_it_is_missing(machine: Machine) -> None:
    variables = bare(machine)
    with machine.engine():
        done = machine.run(**variables)

    assert (done.returncode, done.stderr) == (0, "")
    assert "installed runsc" in done.stdout
    assert (machine.folder / "said").read_text().splitlines()[-1].endswith("runsc")
    assert list(json.loads(machine.config.read_text())["runtimes"]) == ["runsc"]


def test_a_package_that_brings_no_runsc_is_told_and_nothing_is_registered(machine: Machine) -> None:
    variables = bare(machine)
    machine.install("apt-get")
    with machine.engine():
        done = machine.run(**variables)

    assert done.returncode == 1
    assert "brought no program" in done.stderr
    assert not machine.config.exists()


def test_an_installation_that_fails_is_told_with_its_last_words(machine: Machine) -> None:
    variables = bare(machine)
    machine.install("apt-get", "echo no such package >&2; exit 100")
    with machine.engine():
        done = machine.run(**variables)

    assert done.returncode == 1
    assert "| no such package" in done.stderr
    assert "gVisor's documentation" in done.stderr
    assert not machine.config.exists()


def test_nothing_is_installed_where_that_is_forbidden_and_the_commands_are_printed(machine: Machine) -> None:
    variables = bare(machine)
    with machine.engine():
        done = machine.run(SOUNDSTAGE_NO_SYSTEM="1", **variables)

    assert done.returncode == 3
    assert "apt-get install -y --no-install-recommends runsc" in done.stderr
    assert not (machine.folder / "said").exists()


def test_a_configuration_that_is_no_json_stays_as_it_is(machine: Machine) -> None:
    machine.config.write_text('{"runtimes": ')
    (machine.folder / "empty").mkdir()
    with Machine(machine.folder, machine.folder / "empty" / "daemon.json").engine():
        done = machine.run()

    assert done.returncode == 3
    assert "cannot be read" in done.stderr
    assert machine.config.read_text() == '{"runtimes": '


@pytest.mark.parametrize("before", ['{"debug": true}', None])
def test_an_engine_that_does_not_take_it_keeps_its_configuration(machine: Machine, before: str | None) -> None:
    if before is not None:
        machine.config.write_text(before)
    with machine.engine(takes_it="no") as says:
        done = machine.run(SOUNDSTAGE_ENGINE_PATIENCE="1")
        # The second time it reads what was before.
        assert [says.readline() for _ in range(2)] == [b"read again\n"] * 2

    assert done.returncode == 1
    assert "did not take runsc" in done.stderr
    assert (machine.config.read_text() if machine.config.exists() else None) == before


def test_an_engine_that_does_not_answer_or_is_elsewhere_is_told_apart(machine: Machine) -> None:
    silent, elsewhere = machine.run(), machine.run(DOCKER_HOST="tcp://127.0.0.1:9")

    assert (silent.returncode, elsewhere.returncode) == (3, 3)
    assert "does not answer" in silent.stderr
    assert "on another machine" in elsewhere.stderr

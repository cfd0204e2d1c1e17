import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.command import MAX_COMMAND_BYTES, Command, CommandResult, Verdict, shell


@pytest.mark.parametrize("letter", ["x", "é"])
def test_the_longest_argument_that_is_accepted_is_the_longest_that_the_kernel_takes(letter: str) -> None:
    longest = "x" * ((MAX_COMMAND_BYTES - 1) % len(letter.encode())) + letter * (
        (MAX_COMMAND_BYTES - 1) // len(letter.encode())
    )

    subprocess.run(["/bin/true", *Command(argv=("/bin/true", longest)).argv[1:]], check=True)
    with pytest.raises(OSError, match="Argument list too long"):
        subprocess.run(["/bin/true", longest + "x"], check=True)
    with pytest.raises(ValidationError, match="128 KiB"):
        Command(argv=("/bin/true", longest + "x"))


def test_a_command_needs_a_program_and_no_nul() -> None:
    with pytest.raises(ValidationError):
        Command(argv=())
    with pytest.raises(ValidationError, match="NUL"):
        Command(argv=("echo", "a\0b"))


@pytest.mark.parametrize("timeout_s", [0, -1, 3601, float("nan"), float("inf")])
def test_every_command_has_a_deadline_of_an_hour_at_most(timeout_s: float) -> None:
    with pytest.raises(ValidationError):
        Command(argv=("sleep", "9"), timeout_s=timeout_s)


def test_a_shell_command_hands_its_script_over_as_one_argument() -> None:
    command = shell("echo 'a b'; exit 3", timeout_s=7)

    done = subprocess.run(command.argv, capture_output=True, check=False)

    assert (done.stdout, done.returncode, command.timeout_s) == (b"a b\n", 3, 7)


@settings(deadline=None)
@given(st.binary(), st.binary(), st.binary(), st.sampled_from(Verdict))
def test_the_bytes_of_a_command_and_its_result_survive_json(
    one: bytes, two: bytes, three: bytes, verdict: Verdict
) -> None:
    command = Command(argv=("cat",), stdin=one)
    result = CommandResult(verdict=verdict, exit_code=None, stdout=one, stderr=two, report=three)

    assert Command.model_validate_json(command.model_dump_json()) == command
    assert CommandResult.model_validate_json(result.model_dump_json()) == result


@pytest.mark.parametrize("verdict", Verdict)
def test_only_the_verdict_ok_is_ok(verdict: Verdict) -> None:
    assert CommandResult(verdict=verdict, exit_code=0).ok == (verdict == "ok")


@pytest.mark.parametrize(
    ("stdout", "stderr", "text"),
    [(b"", b"", ""), (b"a\n", b"", "a"), (b"", b"b", "b"), (b"a\n\n", b"b\n", "a\nb"), (b"\xff!", b"", "\ufffd!")],
)
def test_the_text_of_a_result_is_both_streams_with_broken_bytes_replaced(
    stdout: bytes, stderr: bytes, text: str
) -> None:
    assert CommandResult(verdict=Verdict.OK, exit_code=0, stdout=stdout, stderr=stderr).text() == text

"""The one error tree.

::

    SoundstageError                     every error a person can meet
    ├── UsageError                      the request is wrong; exit code 2
    │   ├── InvalidKey
    │   ├── InvalidRepository
    │   ├── OutputRefused
    │   ├── InvalidRecording            the file to be replayed
    │   ├── UnknownKey
    │   ├── UnknownModel
    │   ├── UnknownArtifact
    │   ├── UnknownQuestion
    │   └── UnknownTask
    ├── InfrastructureError             a part Soundstage stands on fails; exit code 3
    │   ├── EngineUnavailable           Docker
    │   ├── ImageMissing
    │   ├── ImageBuildFailed
    │   ├── SandboxLost
    │   │   └── LeaseEnded              somebody else holds the sandbox now, or nobody
    │   ├── SandboxesBusy               no room for another sandbox in time
    │   ├── ImageUnusable               the image has no runner
    │   ├── ParserUnavailable           source code cannot be read
    │   ├── StorageUnavailable
    │   ├── NotRecorded                 a replay met a request without a recorded answer
    │   ├── SecretsUnavailable          API keys that are kept cannot be read
    │   │   ├── MasterKeyMissing
    │   │   ├── MasterKeyUnusable       it is no key, or others can read it
    │   │   ├── MasterKeyWrong          another one than a key was encrypted with
    │   │   └── SecretDamaged           changed since it was encrypted
    │   └── ModelUnavailable            no model call can succeed
    │       ├── ModelAuthenticationFailed
    │       │   └── NoCredit            the account of the API key is empty
    │       ├── ModelOverloaded         5xx: worth another try
    │       │   └── RateLimited         429
    │       ├── ModelTimeout
    │       ├── ModelConnectionFailed
    │       │   └── ModelConnectionLost after the request was sent
    │       ├── NoModelAnswered         each of several failed
    │       └── ModelProtocolError      the server does not speak the protocol
    ├── ModelRequestRejected            the provider refused this one request
    │   └── ContextTooLong
    ├── BudgetExceeded                  the next call could break a budget
    ├── HistoryUnavailable              the repository that a workspace came from is elsewhere now
    ├── QueryFailed                     a database did not answer a query
    ├── Conflict                        the same thing was written twice, differently
    ├── DependenciesFailed              what a workspace depends on was not installed
    ├── TransferFailed                  files did not get into or out of a sandbox
    └── HostileOutput                   a sandbox produced something that must not leave it

The docstring of a class is its default message: what happened and what to do. Where the
place of the fault is known, the raiser passes a fuller message.
"""

from typing import ClassVar, Literal

from domain.chat import Usage


class SoundstageError(Exception):
    """Something went wrong in Soundstage. Please report it with the command that you ran."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class UsageError(SoundstageError):
    """The request cannot be carried out as it stands. Correct it and run it again."""

    exit_code = 2


class InvalidKey(UsageError):
    """The API key holds characters that no key holds. Enter it as the provider shows it, without spaces and commas."""


class UnknownKey(UsageError):
    """There is no such API key. List the keys with: soundstage keys list"""


class InvalidRepository(UsageError):
    """The repository cannot be imported. Point --repo at a folder with a git repository that has a commit."""


class OutputRefused(UsageError):
    """The result cannot be written there. Name another folder with --out; the result is kept in the task."""


class InvalidRecording(UsageError):
    """The file is no recording that can be replayed. Make one with --record."""


class UnknownModel(UsageError):
    """No provider knows that model. Name another one with --model."""


class UnknownTask(UsageError):
    """There is no such task. List the tasks with: soundstage tasks list"""


class UnknownQuestion(UsageError):
    """The task waits for no such answer. Look at the task: it names the questions that are open."""


class UnknownArtifact(UsageError):
    """There is no such artifact. List those of a task with: soundstage tasks artifacts ID"""


class InfrastructureError(SoundstageError):
    """A part that Soundstage stands on does not answer. Run: soundstage doctor"""

    exit_code = 3


class EngineUnavailable(InfrastructureError):
    """The Docker engine does not answer. Start it (make engine) or set DOCKER_HOST, then run it again."""


class ImageMissing(InfrastructureError):
    """The sandbox image is not built. Build it with: soundstage images build"""


class ImageBuildFailed(InfrastructureError):
    """The sandbox image could not be built. Read the build output above, then run it again."""


class SandboxLost(InfrastructureError):
    """The sandbox ended while it was in use. Run the task again; soundstage doctor tells more."""


class LeaseEnded(SandboxLost):
    """The lease of this sandbox has ended. Lease another one."""


class SandboxesBusy(InfrastructureError):
    """No room for another sandbox became free in time. Wait, or allow more with SOUNDSTAGE_SANDBOX_MEMORY."""


class ImageUnusable(InfrastructureError):
    """The image has no runner of ours. Build on one of ours: soundstage images list"""


class ParserUnavailable(InfrastructureError):
    """The process that reads source code does not start. The machine may be out of memory or processes."""


class StorageUnavailable(InfrastructureError):
    """The database or the workspace store cannot be written. Free disk space or set SOUNDSTAGE_HOME."""


class NotRecorded(InfrastructureError):
    """The replay met a request that the recording has no answer to. Record it anew with --record."""


class SecretsUnavailable(InfrastructureError):
    """The API keys that are kept cannot be read. See which with: soundstage keys list"""


class MasterKeyMissing(SecretsUnavailable):
    """The master key of the API keys is missing. Restore master.key or SOUNDSTAGE_MASTER_KEY, or add the keys anew."""


class MasterKeyUnusable(SecretsUnavailable):
    """The master key of the API keys cannot be used. Let it be 64 hexadecimal digits that only you can read."""


class MasterKeyWrong(SecretsUnavailable):
    """An API key was encrypted with another master key. Restore that one, or remove the key and add it anew."""


class SecretDamaged(SecretsUnavailable):
    """An API key was changed after it was encrypted. Remove it with soundstage keys remove, and add it anew."""


class ModelUnavailable(InfrastructureError):
    """The model cannot be reached. Check the base URL and the key, then run it again."""


class ModelAuthenticationFailed(ModelUnavailable):
    """The provider refused the API key. Set a valid key, for OpenAI-compatible servers OPENAI_API_KEY."""


class NoCredit(ModelAuthenticationFailed):
    """The account of the API key has no credit left. Add credit there, or use another key or model."""


class ModelOverloaded(ModelUnavailable):
    """The provider is overloaded or limits the rate. Wait, or use another model with --model."""

    def __init__(self, message: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(ModelOverloaded):
    """The provider limits the rate. Wait, or use another key or model."""


class ModelTimeout(ModelUnavailable):
    """The provider did not answer in time. Wait, or use another model with --model."""


class ModelConnectionFailed(ModelUnavailable):
    """No connection to the provider. Check OPENAI_BASE_URL and that the server runs."""


class ModelConnectionLost(ModelConnectionFailed):
    """The connection to the provider broke before its answer was complete. Run it again."""


class NoModelAnswered(ModelUnavailable):
    """None of the models answered. Run: soundstage models test"""


class ModelProtocolError(ModelUnavailable):
    """The server's answer is not what the protocol says. Check that OPENAI_BASE_URL is an OpenAI-compatible API."""

    def __init__(self, message: str | None = None, usage: Usage | None = None) -> None:
        super().__init__(message)
        self.usage = usage


class ModelRequestRejected(SoundstageError):
    """The provider refused the request. Read its message; another model may accept it."""


class ContextTooLong(ModelRequestRejected):
    """The conversation is longer than the model's context. Use a model with a longer one."""


class BudgetExceeded(SoundstageError):
    """The next model call could exceed a budget, so it was not made. Raise it with --budget-usd."""

    def __init__(self, message: str | None = None, scope: str = "", tokens: bool = False) -> None:
        super().__init__(message)
        self.scope = scope
        # Whether it is tokens that ran out, and not money.
        self.tokens = tokens


class HistoryUnavailable(SoundstageError):
    """The history of the repository cannot be read any more: it was moved or changed. Work without it."""


class QueryFailed(SoundstageError):
    """The database did not answer the query. Read its message and correct the query."""


class Conflict(SoundstageError):
    """The same id was used for two different things. Use a new id."""


class HostileOutput(SoundstageError):
    """The sandbox produced files that must not leave it. Nothing of that step was kept."""


InstallTrouble = Literal[
    "manifest",
    "configuration",
    "credentials",
    "refused_host",
    "unreachable",
    "deadline",
    "size_limit",
    "memory",
    "client",
]
"""What stood in the way of an installation: a file of the workspace, the package client's configuration, a host that is
not allowed or does not answer, a limit, or something that the package client itself says."""


class DependenciesFailed(SoundstageError):
    """What the workspace depends on could not be installed. Read the package client's output, or run without it."""

    def __init__(self, message: str | None = None, reason: InstallTrouble = "client") -> None:
        super().__init__(message)
        self.reason = reason


class TransferFailed(SoundstageError):
    """Files could not be moved into or out of the sandbox. Its workspace may be full: remove what is not needed."""

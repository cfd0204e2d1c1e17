"""An old specification of a task still reads, and asks nobody."""

from domain.approval import ApprovalPolicy
from domain.task import TaskSpec
from tests.domain.sample_facts import spec


def test_a_specification_from_before_there_were_approvals_asks_nobody() -> None:
    old = spec().model_dump(mode="json")
    del old["approval"]
    assert TaskSpec.model_validate(old).approval is ApprovalPolicy.AUTO

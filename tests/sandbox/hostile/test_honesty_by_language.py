"""Code of every language whose harness stands apart from it goes after the harness: no run of it passes."""

from pathlib import Path

import pytest

from domain.command import Command, Verdict
from domain.files import File, TreeChange
from sandbox.test_run import harness_command, parse_report
from tests.sandbox.hostile.arena import arena, escapes, record
from tests.sandbox.hostile.cases import ATTACKED_REPORT, PATCHED_SERIALIZER

ATTACK = "attack.py"
TIMEOUT_S = 60.0
TREES = {
    "typescript": {
        "calc.ts": "import { spawnSync } from 'node:child_process';\n"
        "export const add = (a: number, b: number): number => {\n"
        f"  spawnSync('python3', ['{ATTACK}', 'calc.test.ts::adds'], {{ stdio: 'inherit' }});\n"
        "  (process as any).reallyExit(0);\n  return a - b;\n};\n",
        "calc.test.ts": "import test from 'node:test';\nimport assert from 'node:assert';\n"
        "import { add } from './calc.ts';\ntest('adds', () => assert.equal(add(2, 3), 5));\n",
    },
    "java": {
        "Calc.java": "class Calc {\n  static int add(int a, int b) throws Exception {\n"
        f'    new ProcessBuilder("python3", "{ATTACK}", "CalcTest.java::adds").inheritIO().start().waitFor();\n'
        "    Runtime.getRuntime().halt(0);\n    return a - b;\n  }\n}\n",
        "CalcTest.java": "import static org.junit.jupiter.api.Assertions.assertEquals;\n"
        "import org.junit.jupiter.api.Test;\nclass CalcTest {\n  @Test void adds() throws Exception {\n"
        "    assertEquals(5, Calc.add(2, 3));\n  }\n}\n",
    },
    "go": {
        "go.mod": "module calc\n",
        "calc.go": 'package calc\n\nimport (\n\t"os"\n\t"os/exec"\n)\n\nfunc Add(a, b int) int {\n'
        f'\tattack := exec.Command("python3", "{ATTACK}", "calc_test.go::TestAdds")\n'
        "\tattack.Stdout, attack.Stderr = os.Stdout, os.Stderr\n\t_ = attack.Run()\n\tos.Exit(0)\n\treturn a - b\n}\n",
        "calc_test.go": 'package calc\n\nimport "testing"\n\nfunc TestAdds(t *testing.T) {\n'
        '\tif Add(2, 3) != 5 {\n\t\tt.Fatal("wrong")\n\t}\n}\n',
    },
}

GREEN = """
const green = function () {
  return { ...this, toJSON: undefined, outcome: 'passed', message: '' };
};
for (const { prototype } of [Object, Array, Map, Error, String]) {
  Object.defineProperty(prototype, 'toJSON', { value: green, configurable: true });
}
JSON.stringify = () => '{"kind": "case", "id": "calc.test.ts::adds", "outcome": "passed"}';
Buffer.from = Buffer.concat = Buffer.prototype.fill = () => { throw new Error('patched'); };
process.reallyExit = process.exit;
export const add = (a: number, b: number): number => a - b;
"""


@pytest.fixture(autouse=True)
def _engine(docker_engine: None) -> None:
    """All of them need one."""


@pytest.mark.parametrize("name", TREES)
async def test_code_that_goes_after_the_harness_does_not_pass(name: str, isolation: str, tmp_path: Path) -> None:
    program = ATTACKED_REPORT.program()
    assert program is not None
    written = {path: File(content=text.encode()) for path, text in TREES[name].items()}
    attack = File(content=program.read_bytes())
    async with arena(tmp_path, isolation) as there, there.lease(language=name, profile="default") as sandbox:
        await sandbox.put(TreeChange(written={**written, ATTACK: attack}))
        report = parse_report(await sandbox.run(harness_command(name, timeout_s=TIMEOUT_S)))
        said = (await sandbox.run(Command(argv=("cat", "/tmp/said")))).stdout

    assert not report.passed, report
    assert b"contained: traces the holder" in said, (said, report)
    assert escapes(said, ATTACKED_REPORT.at(isolation)) == [], said
    assert [case.id for case in report.cases if case.outcome == "passed"] == []
    record(ATTACKED_REPORT, isolation, Verdict.FAILED)


async def test_code_that_changes_how_records_are_written_does_not_pass(isolation: str, tmp_path: Path) -> None:
    test_file = TREES["typescript"]["calc.test.ts"]
    tree = {"calc.ts": File(content=GREEN.encode()), "calc.test.ts": File(content=test_file.encode())}
    async with arena(tmp_path, isolation) as there, there.lease(language="typescript", profile="default") as sandbox:
        await sandbox.put(TreeChange(written=tree))
        report = parse_report(await sandbox.run(harness_command("typescript", timeout_s=TIMEOUT_S)))

    assert [(case.id, str(case.outcome)) for case in report.cases] == [("calc.test.ts::adds", "failed")], report
    record(PATCHED_SERIALIZER, isolation, Verdict.FAILED)

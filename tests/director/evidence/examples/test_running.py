"""Tests made of examples, run for real in the image of each language: what they tell apart."""

from typing import NamedTuple

import pytest

from director.evidence.examples.reading import find_examples
from director.evidence.examples.writing import example_tests
from domain.evidence import FailureKind, Outcome, TestReport
from domain.files import File, TreeChange
from sandbox.languages import LANGUAGES
from sandbox.test_run import harness_command, parse_report
from tests.sandbox.docker_place import docker_place

NUMBERS = "scale(2, 1.5) == 3, scale(0.1, 3) == 0.3, scale(2, 2) == 4"


class Subject(NamedTuple):
    """A file with a function as it should be, as a stub, and as the wrong answers in ``wrong`` have it."""

    path: str
    prompt: str
    right: str
    stub: str
    wrong: tuple[str, ...]


JAVA = """package shop;
import java.util.*;
class Price {{
  static double scale(double x, double by) {{ {scale} }}
  static List<String> names(int[] given, String text) {{ {names} }}
  int mean(List<Integer> given) {{ {mean} }}
}}
"""
GO = """package shop

import "errors"

var empty = errors.New("empty")

func scale(x float64, by float64) float64 {{ {scale} }}
func names(given []int, text string) []string {{ {names} }}
func mean(given []int) (int, error) {{ {mean} }}
"""
FALSE_PYTHON = """
class Equal:
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


class Meta(type):
    def __eq__(cls, other):
        return True

    def __hash__(cls):
        return hash(int)


class Deep(metaclass=Meta):
    __class__ = float

    def __eq__(self, other):
        return True


class Three(float):
    def __eq__(self, other):
        return True


class Names(list):
    def __eq__(self, other):
        return True
"""
PYTHON = """{more}
def scale(x, by): {scale}
def names(given, text): {names}
async def mean(given): {mean}
"""
TYPESCRIPT = """export function scale(x: number, by: number): any {{ {scale} }}
export const names = (given: number[], text: string): any => {{ {names} }};
export async function mean(given: number[]): Promise<any> {{ {mean} }}
"""
ASKED = f"{NUMBERS}, names([1, 2], 'a\"b') == ['a\"b1', 'a\"b2'], mean([1, 3]) == 2, mean([]) raises %s"


def python(more: str = "", **bodies: str) -> str:
    """A module with these functions."""
    usual = {
        "scale": "return x * by", "names": "return [f'{text}{one}' for one in given]",
        "mean": "return sum(given) / len(given)",
    }  # fmt: skip
    return PYTHON.format(more=more, **usual | bodies)


def typescript(**bodies: str) -> str:
    """A module with these functions."""
    usual = {
        "scale": "return x * by;", "names": "return given.map((one) => `${text}${one}`);",
        "mean": "if (!given.length) throw new RangeError('empty'); "
        "return given.reduce((a, b) => a + b, 0) / given.length;",
    }  # fmt: skip
    return TYPESCRIPT.format(**usual | bodies)


def java(**bodies: str) -> str:
    """A class with these methods."""
    usual = {
        "scale": "return x * by;",
        "names": "List<String> all = new ArrayList<>(); for (int one : given) all.add(text + one); return all;",
        "mean": "int sum = 0; for (int one : given) sum += one; return sum / given.size();",
    }
    return JAVA.format(**usual | bodies)


def go(**bodies: str) -> str:
    """A package with these functions."""
    usual = {
        "scale": "return x * by",
        "names": "var all []string; for _, one := range given { all = append(all, text+string(rune(48+one))) }; "
        "return all",
        "mean": "if len(given) == 0 { return 0, empty }; sum := 0; for _, one := range given { sum += one }; "
        "return sum / len(given), nil",
    }  # fmt: skip
    return GO.format(**usual | bodies)


SUBJECTS = {
    "python": Subject(
        "shop/price.py",
        ASKED % "ZeroDivisionError",
        python(),
        python(**dict.fromkeys(("scale", "names", "mean"), "raise NotImplementedError")),
        (
            python(scale="return x + by"), python(FALSE_PYTHON, scale="return Equal()"),
            python(FALSE_PYTHON, scale="return Deep()"), python(FALSE_PYTHON, scale="return Three(1.0)"),
            python(scale="return True"), python(scale="return f'{x * by}'"),
            python(FALSE_PYTHON, names="return Names()"), python(FALSE_PYTHON, names="return [Equal(), Equal()]"),
            python(names="return tuple(f'{text}{one}' for one in given)"), python(mean="return 2"),
            python(mean="return sum(given) / (len(given) or 1)"),
        ),
    ),
    "typescript": Subject(
        "src/price.ts",
        ASKED % "RangeError",
        typescript(),
        typescript(**dict.fromkeys(("scale", "names", "mean"), "throw new Error('not written');")),
        (
            typescript(scale="return x + by;"), typescript(scale="return `${x * by}`;"),
            typescript(scale="return { valueOf: () => x * by };"), typescript(names="return [];"),
            typescript(names="return { 0: `${text}1`, 1: `${text}2` };"), typescript(mean="return 2;"),
            typescript(mean="throw new TypeError('no');"),
        ),
    ),
    "java": Subject(
        "src/main/java/shop/Price.java",
        ASKED % "ArithmeticException",
        java(),
        java(**dict.fromkeys(("scale", "names", "mean"), "throw new UnsupportedOperationException();")),
        (
            java(scale="return x + by;"), java(names="return List.of();"),
            java(mean="return 2;"), java(mean="throw new IllegalStateException();"),
        ),
    ),
    "go": Subject(
        "shop/price.go",
        ASKED % "ValueError",
        go(),
        go(**dict.fromkeys(("scale", "names", "mean"), 'panic("not written")')),
        (go(scale="return x + by"), go(names="return nil"), go(mean="return 2, nil")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
async def test_examples_fail_on_a_stub_and_on_wrong_answers_and_pass_on_right_ones(
    docker_engine: None, language: str
) -> None:
    subject = SUBJECTS[language]
    stub = {subject.path: File(content=subject.stub.encode())}
    tests = example_tests(find_examples(subject.prompt), (), stub, language)
    assert len(tests) == 1
    async with docker_place() as place, place.lease(language=language, profile="default") as sandbox:

        async def ran(source: str) -> TestReport:
            tree = tests | {subject.path: File(content=source.encode())}
            await sandbox.put(TreeChange(written=tree), clear=True)
            return parse_report(await sandbox.run(harness_command(language, (), 60)))

        right = await ran(subject.right)
        assert right.passed, right
        assert right.count(Outcome.PASSED) == 6
        stubbed = await ran(subject.stub)
        kinds = {case.kind for case in stubbed.cases}
        assert [case.outcome for case in stubbed.cases] == [Outcome.FAILED] * 6, stubbed
        assert not kinds & {FailureKind.IMPORT, FailureKind.SYNTAX}
        for source in subject.wrong:
            report = await ran(source)
            assert report.finished, source
            assert report.count(Outcome.FAILED) > 0, source
            assert report.count(Outcome.PASSED) > 0, source

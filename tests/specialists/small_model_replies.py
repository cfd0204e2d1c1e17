"""What small models really send when they mean to act, in the forms of many families, and what they mean by it."""

import textwrap
from typing import Any

Action = tuple[str, dict[str, Any]]

CODE = "def add(a, b):\n    return a + b\n"
JSON_CODE = "def add(a, b):\\n    return a + b\\n"
FILE: Action = ("write_file", {"path": "calc.py", "content": CODE})
LISTING: Action = ("shell", {"command": "ls"})
EDIT: Action = ("edit_file", {"path": "calc.py", "old": "    return a - b\n", "new": "    return a + b\n"})
WIDE_EDIT: Action = (
    "edit_file",
    {
        "path": "calc.py",
        "old": "def add(a, b):\n    return a - b\n",
        "new": CODE,
    },
)
WRITE = '{"name": "write_file", "arguments": {"path": "calc.py", "content": '
CALL = f'{WRITE}"{JSON_CODE}"}}}}'
SHELL = '{"name": "shell", "arguments": {"command": "ls"}}'
ARGUMENTS = '{"command": "ls"}'
BLOCK = f"```python\n{CODE}```"

FENCES: dict[str, tuple[str, list[Action]]] = {
    "windows line ends": (f"```file path=calc.py\n{CODE}```\n".replace("\n", "\r\n"), [FILE]),
    "three quotes as a fence": (f"'''python calc.py\n{CODE}'''", [FILE]),
    "in a list": (f"1. Write it:\n\n   ```file path=calc.py\n{textwrap.indent(CODE, '   ')}   ```", [FILE]),
    "list mark before the fence": (f"- ```file path=calc.py\n{CODE}```", [FILE]),
    "fence at the end of the prose": (f"Here is `calc.py`:```python\n{CODE}```", [FILE]),
    "closing fence at the end of the code": (f"```file path=calc.py\n{CODE.rstrip()}```\nDone.", [FILE]),
    "two files, each closed at the end of its code": (
        f"```file path=calc.py\n{CODE.rstrip()}```\n```file path=b.py\nx = 1```",
        [FILE, ("write_file", {"path": "b.py", "content": "x = 1\n"})],
    ),
    "first of two files not closed": (
        f"```file path=calc.py\n{CODE}\n```file path=b.py\nx = 1\n```",
        [
            ("write_file", {"path": "calc.py", "content": f"{CODE}\n"}),
            ("write_file", {"path": "b.py", "content": "x = 1\n"}),
        ],
    ),
    "a longer closing fence": (f"```file path=calc.py\n{CODE}````", [FILE]),
    "path in quotes with a blank": (
        '```file path="my file.txt"\nx\n```',
        [("write_file", {"path": "my file.txt", "content": "x\n"})],
    ),
    "path without an extension": (
        "```file path=Makefile\nall:\n```",
        [("write_file", {"path": "Makefile", "content": "all:\n"})],
    ),
    "windows path": (
        "```file path=src\\a.py\nx = 1\n```",
        [("write_file", {"path": "src/a.py", "content": "x = 1\n"})],
    ),
    "path in prose": (f"I will create the file calc.py with this content:\n\n{BLOCK}", [FILE]),
    "path in prose, at its end": (f"Now the updated calc.py:\n{BLOCK}", [FILE]),
    "numbered path": (f"1. **calc.py**\n\n{BLOCK}", [FILE]),
    "markdown with blocks in it": (
        "```file path=README.md\n# Use\n```sh\nls\n```\nEnd.\n```",
        [("write_file", {"path": "README.md", "content": "# Use\n```sh\nls\n```\nEnd.\n"})],
    ),
    "escaped for HTML": (
        "```file path=calc.py\nif 1 &lt; 2 &amp;&amp; x:\n    pass\nprint(&quot;a&quot;)\n```",
        [("write_file", {"path": "calc.py", "content": "if 1 &lt; 2 &amp;&amp; x:\n    pass\nprint(&quot;a&quot;)\n"})],
    ),
    "Python escaped for HTML": (
        "```file path=calc.py\nif 1 &lt; 2:\n    print(&quot;a&quot;)\n```",
        [("write_file", {"path": "calc.py", "content": 'if 1 < 2:\n    print("a")\n'})],
    ),
    "Go escaped for HTML": (
        "```file path=main.go\nimport &quot;fmt&quot;\n```",
        [("write_file", {"path": "main.go", "content": 'import "fmt"\n'})],
    ),
    "entities that are meant": (
        "```file path=page.py\nx = '&lt;'\n```",
        [("write_file", {"path": "page.py", "content": "x = '&lt;'\n"})],
    ),
    "entities in a page": (
        "```file path=page.html\na &lt; b\n```",
        [("write_file", {"path": "page.html", "content": "a &lt; b\n"})],
    ),
    "escaped command": ("```sh\nls &amp;&amp; pwd\n```", [("shell", {"command": "ls && pwd"})]),
    "session with output": ("```console\n$ ls\ncalc.py\n$ pwd\n/workspace\n```", [("shell", {"command": "ls\npwd"})]),
    "command about a file": (
        "Run `calc.py`:\n```sh\npython3 calc.py\n```",
        [("shell", {"command": "python3 calc.py"})],
    ),
    "command with a comment": ("```sh\n# setup.py\nls\n```", [("shell", {"command": "# setup.py\nls"})]),
    "submission in a shell block": ("```sh\nSUBMIT: ok\n```", [("submit", {"summary": "ok"})]),
    "submission in small letters": ("All tests pass.\n\nSubmit: ok", [("submit", {"summary": "ok"})]),
}

THOUGHTS: dict[str, tuple[str, list[Action]]] = {
    "thought": (f"<think>\nI could run\n```sh\nrm -r .\n```\n</think>\n```file path=calc.py\n{CODE}```", [FILE]),
    "other name": (f"<thinking>Hm.</thinking>\n```file path=calc.py\n{CODE}```", [FILE]),
    "magistral": ("[THINK]Hm.[/THINK]```sh\nls\n```", [LISTING]),
    "thought whose beginning is in the template": ("Hm, ls.\n</think>\n\n```sh\nls\n```", [LISTING]),
    "two thoughts": ("<think>a</think>\n<think>b</think>\n```sh\nls\n```", [LISTING]),
    "gpt-oss": (
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.shell "
        f"<|constrain|>json<|message|>{ARGUMENTS}<|call|>",
        [LISTING],
    ),
    "tag in code": (
        "```file path=calc.py\nx = '</think>'\n```",
        [("write_file", {"path": "calc.py", "content": "x = '</think>'\n"})],
    ),
    "made-up result": ("```sh\nls\n```\n\nResult of shell:\ncalc.py\n\n```file path=a.py\nx = 1\n```", [LISTING]),
    "made-up observation": (f"{SHELL}\nObservation: ok\n{CALL}", [LISTING]),
    "a quoted result first": ("Result of shell:\nok\n```sh\nls\n```", [LISTING]),
}

WRITTEN: dict[str, tuple[str, list[Action]]] = {
    "json": (CALL, [FILE]),
    "json in a fence": (f"```json\n{CALL}\n```", [FILE]),
    "json in a bare fence": (f"```\n{SHELL}\n```", [LISTING]),
    "json after prose": (f"I will write it.\n\n{CALL}\n\nThen I test.", [FILE]),
    "json over several lines": ('{\n  "name": "shell",\n  "arguments": {\n    "command": "ls"\n  }\n}', [LISTING]),
    "parameters": ('{"name": "shell", "parameters": {"command": "ls"}}', [LISTING]),
    "openai": (
        '{"type": "function", "function": {"name": "shell", "arguments": "{\\"command\\": \\"ls\\"}"}}',
        [LISTING],
    ),
    "tool_calls": (f'{{"tool_calls": [{SHELL}, {CALL}]}}', [LISTING, FILE]),
    "list": (f"[{SHELL}, {CALL}]", [LISTING, FILE]),
    "one a line": (f"{CALL}\n{SHELL}", [FILE, LISTING]),
    "tool and args": ('{"tool": "shell", "args": {"command": "ls"}}', [LISTING]),
    "langchain": ('{"action": "shell", "action_input": {"command": "ls"}}', [LISTING]),
    "react": (f"Thought: I look.\nAction: shell\nAction Input: {ARGUMENTS}", [LISTING]),
    "flat": ('{"tool": "shell", "command": "ls"}', [LISTING]),
    "keyed by the name": ('{"shell": {"command": "ls"}}', [LISTING]),
    "arguments alone": (ARGUMENTS, [LISTING]),
    "arguments alone in a fence": (f"```json\n{ARGUMENTS}\n```", [LISTING]),
    "with a comma too many": ('{"name": "shell", "arguments": {"command": "ls",},}', [LISTING]),
    "with single quotes": ("{'name': 'shell', 'arguments': {'command': 'ls'}}", [LISTING]),
    "with real line ends": (
        f'{{"name": "write_file", "arguments": {{"path": "calc.py", "content": "{CODE}"}}}}',
        [FILE],
    ),
    "with three quotes": (
        f'{{"name": "write_file", "arguments": {{"path": "calc.py", "content": """{CODE}"""}}}}',
        [FILE],
    ),
    "with backticks": (f"{WRITE}`{CODE}`}}}}", [FILE]),
    "without the last bracket": ('{"name": "shell", "arguments": {"command": "ls"}', [LISTING]),
    "escaped twice": (CALL.replace("\\n", "\\\\n"), [FILE]),
    "content in a fence": (
        f'{{"name": "write_file", "arguments": {{"path": "calc.py", "content": "```python\\n{JSON_CODE}```"}}}}',
        [FILE],
    ),
    "hermes": (f"<tool_call>\n{SHELL}\n</tool_call>", [LISTING]),
    "hermes, two": (f"<tool_call>\n{SHELL}\n</tool_call>\n<tool_call>\n{CALL}\n</tool_call>", [LISTING, FILE]),
    "hermes, unclosed": (f"<tool_call>\n{SHELL}", [LISTING]),
    "mistral": (f"[TOOL_CALLS][{SHELL}]", [LISTING]),
    "mistral with a blank": (f"[TOOL_CALLS] [{SHELL}]", [LISTING]),
    "mistral since 2025": (f"[TOOL_CALLS]shell[ARGS]{ARGUMENTS}", [LISTING]),
    "llama": (f"<|python_tag|>{SHELL}", [LISTING]),
    "llama with a tag": (f"<function=shell>{ARGUMENTS}</function>", [LISTING]),
    "llama as a list of calls": ('[shell(command="ls")]', [LISTING]),
    "phi": (f"<|tool_call|>[{SHELL}]<|/tool_call|>", [LISTING]),
    "deepseek": (
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>shell\n"
        f"```json\n{ARGUMENTS}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        [LISTING],
    ),
    "kimi": (
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.shell:0<|tool_call_argument_begin|>"
        f"{ARGUMENTS}<|tool_call_end|><|tool_calls_section_end|>",
        [LISTING],
    ),
    "qwen coder": (
        "<tool_call>\n<function=write_file>\n<parameter=path>\ncalc.py\n</parameter>\n<parameter=content>\n"
        f"{CODE}</parameter>\n</function>\n</tool_call>",
        [FILE],
    ),
    "glm": (
        "<tool_call>shell\n<arg_key>command</arg_key>\n<arg_value>ls</arg_value>\n</tool_call>",
        [LISTING],
    ),
    "invoke": ('<invoke name="shell">\n<parameter name="command">ls</parameter>\n</invoke>', [LISTING]),
    "tags of the tool's name": (
        f"<write_file>\n<path>calc.py</path>\n<content>\n{CODE}</content>\n</write_file>",
        [FILE],
    ),
    "tags with a number": (
        "<read_file><path>a.py</path><start>3</start></read_file>",
        [("read_file", {"path": "a.py", "start": 3})],
    ),
    "call": (f'write_file(path="calc.py", content="{JSON_CODE}")', [FILE]),
    "call over several lines": (f'write_file(\n    path="calc.py",\n    content="""{CODE}""",\n)', [FILE]),
    "call with real line ends": (f'write_file(path="calc.py", content="{CODE}")', [FILE]),
    "call without keywords": ('shell("ls")', [LISTING]),
    "call in a code span": ('`shell(command="ls")`', [LISTING]),
    "gemma": ('```tool_code\nprint(shell(command="ls"))\n```', [LISTING]),
    "call in a python block": (f'```python\nwrite_file(path="calc.py", content="{JSON_CODE}")\n```', [FILE]),
    "two calls": (f'write_file("calc.py", "{JSON_CODE}")\nshell("ls")', [FILE, LISTING]),
    "name in another case": (
        '{"name": "functions.WriteFile", "arguments": {"path": "a", "content": ""}}',
        [("write_file", {"path": "a", "content": ""})],
    ),
    "unknown tool": ('{"name": "create_file", "arguments": {"path": "a"}}', [("create_file", {"path": "a"})]),
    "submission": ('{"name": "submit", "arguments": {"summary": "ok"}}', [("submit", {"summary": "ok"})]),
    "submission before its result is seen": (f'{CALL}\n{{"name": "submit", "arguments": {{"summary": "ok"}}}}', [FILE]),
}

EDITS: dict[str, tuple[str, list[Action]]] = {
    "diff": (
        "```diff\n--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n"
        "-    return a - b\n+    return a + b\n```",
        [WIDE_EDIT],
    ),
    "git diff": (
        "```diff\ndiff --git a/calc.py b/calc.py\nindex 1..2 100644\n--- a/calc.py\n+++ b/calc.py\n"
        "@@ -2 +2 @@ def add(a, b):\n-    return a - b\n+    return a + b\n```",
        [EDIT],
    ),
    "diff without a header": ("**calc.py**\n```diff\n@@ -2 +2 @@\n-    return a - b\n+    return a + b\n```", [EDIT]),
    "diff in the block of a file": (
        "```file path=calc.py\n--- calc.py\n+++ calc.py\n@@ -2 +2 @@\n-    return a - b\n+    return a + b\n```",
        [EDIT],
    ),
    "new file": (
        "```diff\n--- /dev/null\n+++ b/calc.py\n@@ -0,0 +1,2 @@\n+def add(a, b):\n+    return a + b\n```",
        [FILE],
    ),
    "a file that is a diff": (
        "```file path=a.diff\n--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n```",
        [("write_file", {"path": "a.diff", "content": "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n"})],
    ),
    "search and replace": (
        "calc.py\n```python\n<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE\n```",
        [EDIT],
    ),
    "search and replace in the block of a file": (
        "```file path=calc.py\n<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE\n```",
        [EDIT],
    ),
}

UNSURE: dict[str, str] = {
    "prose about a call": 'You could call `shell(command="rm -r .")` or {"name": "shell", "arguments": {}} here.',
    "thought alone": "<think>I should run\n```sh\nls\n```",
    "file that breaks off": "```file path=calc.py\ndef add(a, b",
    "file with prose after it and no end": f"```file path=calc.py\n{CODE}\nNow run it:\n```sh\nls\n```",
    "call that breaks off": CALL[:-20],
    "call with an argument that is no literal": "shell(command=run())",
    "output in a bare block": "calc.py prints:\n```\n3\n```",
    "traceback for a target": "```\nTraceback (most recent call last):\n  File x\n```",
    "data for a Python target": '```json\n{"a": 1}\n```',
    "diff without a path": "```diff\n@@ -1 +1 @@\n-a\n+b\n```",
    "diff that says no place": "```diff\n--- a/calc.py\n+++ b/calc.py\n@@ @@\n+b\n```",
    "diff that removes the file": "```diff\n--- a/calc.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n```",
    "search for nothing": "calc.py\n```\n<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE\n```",
    "search that breaks off": "calc.py\n```\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n<<<<<<< SEARCH\nc\n```",
}
"""Replies that must not be acted on, though somebody might guess."""

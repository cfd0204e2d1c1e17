"""To which file a block belongs."""

import re

LINE_CHARACTERS = 300
"""As much of a line as is searched for a path."""
TOKEN = re.compile(r"[\w./\\+@-]+")
EXTENSION = re.compile(r"[A-Za-z]\w{0,9}")
KEY = re.compile(
    r"\b(?:path|file|filename|file_path|filepath|title)\s*[=:]\s*"
    r"(?:\"([^\"]+)\"|'([^']+)'|([^\s\"'`{}<>,]+))",
    re.IGNORECASE,
)
COMMENT = re.compile(
    r"(?:#|//|--|;|<!--|/\*)\s*(?:(?:file(?:name|path)?|path)\s*[:=]\s*)?(\S+)(?:\s*(?:-->|\*/))?$", re.IGNORECASE
)
CHARACTERS = re.compile(r"[\w./\\+@-]")
MARKS = "`*\"':) \t"
MARKED = re.compile(r"[`*\"']$|\bfile(?:name)?\s?:?\s$", re.IGNORECASE)
"""What stands right before a path that is marked as one: a quote, or the word file."""
ITEM = re.compile(r"[#\d.)\s-]*")
"""A heading or list mark, or nothing."""
NAMED = frozenset({"Makefile", "Dockerfile", "Jenkinsfile", "Procfile", "Gemfile", "Rakefile", "LICENSE", ".gitignore"})
MARKUP = frozenset({"md", "markdown", "rst", "txt", "html", "htm", "xml", "svg", "xhtml", "vue", "svelte"})
SHELLS = frozenset({"sh", "bash", "shell", "console", "zsh", "ksh", "terminal", "shell-session", "shellsession"})
PLAIN = frozenset({"text", "txt", "plaintext", "output", "log", "stdout", "traceback", "pytest"})
EXTENSIONS = {
    "python": {"py", "pyi"},
    "py": {"py", "pyi"},
    "python3": {"py", "pyi"},
    "javascript": {"js", "mjs", "cjs", "jsx"},
    "js": {"js", "mjs", "cjs", "jsx"},
    "typescript": {"ts", "tsx", "mts"},
    "ts": {"ts", "tsx", "mts"},
    "tsx": {"tsx"},
    "jsx": {"jsx", "js"},
    "java": {"java"},
    "go": {"go"},
    "golang": {"go"},
    "rust": {"rs"},
    "c": {"c", "h"},
    "cpp": {"cpp", "cc", "hpp", "h"},
    "json": {"json"},
    "yaml": {"yaml", "yml"},
    "toml": {"toml"},
    "html": {"html", "htm"},
    "css": {"css"},
    "sql": {"sql"},
    "markdown": {"md", "markdown"},
    "md": {"md", "markdown"},
    **{shell: {"sh", "bash", "zsh"} for shell in SHELLS},
    **{plain: {"txt", "log", "md", "rst"} for plain in PLAIN},
}
"""The extensions of files in a language; a block in one does not belong to a file of another."""
KNOWN_EXTENSIONS = frozenset().union(*EXTENSIONS.values())


def language_of(info: str) -> str:
    """The language that a block's info string begins with, in lower case."""
    words = re.split(r"[\s:{,]", info.strip(), maxsplit=1)
    return words[0].lower()


def extension_of(path: str) -> str:
    """What follows the last dot, in lower case."""
    return path.rsplit("/", 1)[-1].rpartition(".")[2].lower()


def fits(language: str, path: str) -> bool:
    """Whether a block in this language may belong to the file: nothing speaks against it."""
    extension = extension_of(path)
    return extension in EXTENSIONS.get(language, {extension}) or extension not in KNOWN_EXTENSIONS


def path_of(info: str, body: str, before: str) -> str | None:
    """The path in a block's info string, in its first line as a comment, or in the line ``before`` it."""
    info, first = info[:LINE_CHARACTERS], body.split("\n", 1)[0][:LINE_CHARACTERS]
    if path := in_info(info):
        return path
    language = language_of(info)
    path = in_comment(first) or _before(before[-LINE_CHARACTERS:], language)
    return path if path and fits(language, path) else None


def in_info(info: str) -> str | None:
    """The path that an info string names: after a word such as ``path=``, or as its last word."""
    if found := KEY.search(info):
        return clean(found[1] or found[2] or found[3])
    words = re.split(r"[\s:]+", info.strip().strip("{}[]()"))
    return clean(words[-1]) if _is_path(words[-1]) else None


def in_comment(line: str) -> str | None:
    """The path that a line holds as a comment, alone."""
    found = COMMENT.match(line.strip())
    return clean(found[1]) if found and _is_path(found[1]) else None


def _before(line: str, language: str) -> str | None:
    """The path in the line before a block: marked, at its end; or the only one in a line that announces the block."""
    line = line.strip()
    last, start = _last_word(line)
    if _is_path(last) and (ITEM.fullmatch(line[:start]) or MARKED.search(line[:start][-12:])):
        return clean(last)
    if not line.endswith(":") or language not in EXTENSIONS or language in SHELLS | PLAIN:
        return None
    paths = {token for token in (word.strip(".") for word in TOKEN.findall(line)) if _is_path(token)}
    return clean(paths.pop()) if len(paths) == 1 else None


def _last_word(line: str) -> tuple[str, int]:
    """The last word that could be a path, without marks around it, and where it begins."""
    tail = line.rstrip(MARKS)
    start = len(tail)
    while start and CHARACTERS.match(tail[start - 1]):
        start -= 1
    return tail[start:], start


def _is_path(word: str) -> bool:
    word = clean(word)
    name = word.rsplit("/", 1)[-1]
    if name in NAMED:
        return True
    stem, dot, extension = name.rpartition(".")
    return bool(dot and stem.strip(".") and EXTENSION.fullmatch(extension) and TOKEN.fullmatch(word))


def clean(path: str) -> str:
    """The path relative to the workspace, with slashes."""
    return path.replace("\\", "/").removeprefix("/workspace/").removeprefix("./")

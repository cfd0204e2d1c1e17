"""Prints bytes that are no text: lone surrogates, overlong forms, NULs, half characters."""

import os

for data in (
    b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xc0\xaf", b"\xff\xfe\0\0", b"\xf0\x9f\x98", b"\0" * 100, b"\xf4\x90\x80\x80",
    b"\\ud800", b'{"a": "\\udfff"}', b"\r" * 50, b"\x85\xe2\x80\xa8\xe2\x80\xa9",
):  # fmt: skip
    os.write(1, b"before" + data + b"after\n")
    os.write(2, data)
raise SystemExit(3)

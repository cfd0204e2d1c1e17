"""Prints markup that a browser, a terminal library or a log would act on."""

import sys

for text in (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[bold red]owned[/]", "[link=file:///etc/passwd]x[/link]",
    "${jndi:ldap://x}", "%s%n{0.__class__}", "javascript:alert(1)", "]]><x/>", "</pre><svg onload=alert(1)>",
):  # fmt: skip
    sys.stdout.write(text + "\n")
raise SystemExit(3)

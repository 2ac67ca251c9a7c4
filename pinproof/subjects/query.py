"""The options that follow a subject, as in `kind:1.36.3?workers=4&kubelet=1.32.2`. Pure."""

from __future__ import annotations

from collections.abc import Collection

from pinproof.errors import Problem


def options(query: str, known: Collection[str], usage: str, problems: list[Problem]) -> dict[str, str]:
    """Option → value, of what stands behind the question mark; what is wrong with it is added to the problems.

    Args:
        query: `a=1&b=2`; empty for none.
        known: names of the options that there are.
        usage: how the subject is written, for the messages.
        problems: those of the whole text.
    """
    found: dict[str, str] = {}
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if name not in known:
            problems.append(Problem(f"?{name}", f"there is no such option; {usage}"))
        elif not value:
            problems.append(Problem(f"?{name}", f"has no value; {usage}"))
        elif name in found:
            problems.append(Problem(f"?{name}", "is given twice"))
        else:
            found[name] = value
    return found

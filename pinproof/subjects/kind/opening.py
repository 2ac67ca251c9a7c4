"""From `kind:1.36.3?kubelet=1.32.2` to a subject: what is to be found or built, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinproof import build
from pinproof.build import node_image
from pinproof.build.kind_command import kind
from pinproof.build.runtimes import Command, command
from pinproof.engine import Engine, running
from pinproof.subjects.kind.spec import parse
from pinproof.subjects.kind.subject import KindSubject, Means
from pinproof.subjects.kubelet.binary import inspect
from pinproof.subjects.kubelet.timeouts import Timeouts

if TYPE_CHECKING:
    from pinproof.subjects.registry import Options


def open_kind(name: str, what: str, options: Options) -> KindSubject:
    """Look at the kubelet that is to be swapped in; nothing else is built before the first scenario.

    Raises:
        InputError: what follows `kind:` cannot be used.
        SubjectError: the kubelet cannot be built, or is none.
    """
    spec = parse(what)
    kubelet = None
    if spec.kubelet or options.patches:
        source = spec.kubelet or spec.version
        path = build.kubelet(source, patches=options.patches, go_flags=options.go_flags)
        kubelet = inspect(path, timeouts=Timeouts.from_environment(options.slow), version=options.version)

    def image(engine: Engine) -> str:
        return spec.image or node_image.build(spec.version, engine=engine)

    means = Means(
        engine=lambda stack: stack.enter_context(running()),
        kind=kind,
        image=image,
        runtime=lambda: options.agent or build.runtime(),
        wrapper=lambda: command(Command.OCI_RUNTIME),
        kubelets=build.kubelet,
    )
    return KindSubject(spec, means, name=name, kubelet=kubelet, slow=options.slow)

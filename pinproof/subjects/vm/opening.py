"""From `vm:1.36.3` to a subject: what is found or built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinproof import build
from pinproof.build.vm_image import vm_image
from pinproof.subjects.kubelet.timeouts import Timeouts
from pinproof.subjects.vm.subject import PATIENCE, VmSubject
from pinproof.vm import acceleration
from pinproof.vm.guest import Means
from pinproof.vm.programs import qemu

if TYPE_CHECKING:
    from pinproof.subjects.registry import Options

DEFAULT: Final = "1.36.3"


def open_vm(name: str, what: str, options: Options) -> VmSubject:
    """Build the image and the kubelet, if they are not in the cache yet; nothing is started.

    Raises:
        InputError: what follows `vm:` cannot be used.
        SubjectError: something cannot be built, or is not what it should be.
    """
    timeouts = Timeouts(Timeouts.from_environment(options.slow).scale * PATIENCE)
    binary = build.kubelet(what or DEFAULT, patches=options.patches, go_flags=options.go_flags)
    programs, image = qemu(), vm_image()
    how = acceleration.chosen(programs, image.kernel)
    means = Means(programs, image, options.agent or build.runtime(), timeouts, how)
    return VmSubject(binary, means, name=name, version=options.version, kubelets=build.kubelet)

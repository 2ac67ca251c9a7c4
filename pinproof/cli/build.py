"""`pinproof build`: builds a kubelet or the component driver of a release, a source tree or a patch, and prints where it is.

`node-image` is a node of a kind cluster, from Debian packages and Go modules alone. It is given to the container engine that
runs here, and its name is printed; or written to a file, for `docker load`.

`helper-image` is what `--subject cluster:KUBECONFIG` runs in its pods, one static program: an archive for `docker load`, for
`ctr images import`, for `kind load image-archive`.

`vm-image` is what `--subject vm` starts its machines with: a kernel, its first file system and a disk, in the cache.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "build",
        help="build a kubelet, a component driver, or the image of kind nodes, helper pods or virtual machines",
        description=__doc__,
    )
    parser.add_argument(
        "what",
        choices=["kubelet", "component", "node-image", "helper-image", "vm-image"],
        help="the kubelet, the managers alone, a kind node, what runs in pods on a cluster, a virtual machine",
    )
    parser.add_argument(
        "source", metavar="VERSION|TREE", nargs="?", help="a release such as 1.36.3, or a kubernetes source tree"
    )
    parser.add_argument(
        "--patch",
        metavar="FILE",
        dest="patches",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        help="a git-style diff against kubernetes/kubernetes, such as a pull request's .patch; applied to a copy",
    )
    parser.add_argument("--output", metavar="PATH", type=Path, help="where to put the binary (default: the cache)")
    parser.add_argument(
        "--go-flags", metavar="FLAGS", default="", help="flags for go build, such as --go-flags='-race -tags=x'"
    )
    parser.set_defaults(run=build)


def build(options: argparse.Namespace) -> int:
    """Run the command; returns 0."""
    from pinproof.build import component, kubelet
    from pinproof.errors import InputError, Problem

    if options.what == "helper-image":
        return _helper_image(options)
    if options.what == "vm-image":
        return _vm_image(options)
    if options.source is None:
        raise InputError(options.what, Problem("", "say which release, such as 1.36.3, or which source tree"))
    try:
        flags = shlex.split(options.go_flags)
    except ValueError as error:
        raise InputError("--go-flags", Problem("", f"{error}: quote it as for a shell")) from None
    if options.what == "node-image":
        return _node_image(options)
    make = component if options.what == "component" else kubelet
    built = make(options.source, patches=options.patches, go_flags=flags, output=options.output)
    sys.stdout.write(f"{built}\n")
    return 0


def _vm_image(options: argparse.Namespace) -> int:
    """Build the image of virtual machines; returns 0."""
    from pinproof.build.vm_image import vm_image
    from pinproof.errors import InputError, Problem

    if options.source or options.patches or options.go_flags or options.output:
        raise InputError("vm-image", Problem("", "is one for all releases, in the cache; give it nothing else"))
    sys.stdout.write(f"{vm_image().disk.parent}\n")
    return 0


def _node_image(options: argparse.Namespace) -> int:
    """Build a node image; returns 0."""
    from pinproof.build import node_image
    from pinproof.engine import found, loading
    from pinproof.errors import InputError, Problem

    if options.patches or options.go_flags:
        raise InputError(
            "node-image", Problem("", "is built of a release alone; a patched kubelet is put into its nodes later")
        )
    built = node_image.image(options.source)
    if options.output:
        sys.stdout.write(f"{node_image.copy_archive(built, options.output.expanduser().absolute())}\n")
        return 0
    engine, _ = found()
    if engine is None:
        sys.stderr.write("no container engine runs here: the image stays in the cache until one does\n")
    else:
        loading.load(engine, built)
    sys.stdout.write(f"{built.reference}\n")
    return 0


def _helper_image(options: argparse.Namespace) -> int:
    """Write the image of the pods on a cluster; returns 0."""
    from pinproof.build import runtime
    from pinproof.errors import InputError, Problem
    from pinproof.subjects.cluster import image

    if options.output is None or options.source or options.patches or options.go_flags:
        raise InputError("helper-image", Problem("", "takes --output FILE and nothing else"))
    file = options.output.expanduser().absolute()
    try:
        file.write_bytes(image.archive(runtime()))
    except OSError as error:
        raise InputError(str(file), Problem("", f"cannot be written: {error.strerror}")) from None
    sys.stdout.write(f"{file}\n{image.DEFAULT}\n")
    return 0

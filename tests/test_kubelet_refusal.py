"""How a kubelet ended: a refusal in its own words, a panic, a signal."""

from __future__ import annotations

from pinproof.subjects.kubelet.refusal import Ending, ending, starved, unquote

HEAD = "E1121 23:01:02.123456    4242 kubelet.go:1]"


def test_the_reason_is_what_stands_beside_the_last_words() -> None:
    """Errors before the last words are not the reason, and neither are those after them."""
    log = (
        f'{HEAD} "Could not initialize checkpoint manager" err="disk"\n'
        f'{HEAD} "Failed to start ContainerManager" err="start memory manager error: \\"Static\\" differs"\n'
        f'{HEAD} "Something while stopping" err="late"\n'
    )

    assert Ending("refused", 'start memory manager error: "Static" differs') == ending(log, code=1)


def test_an_error_of_several_lines_is_read_whole() -> None:
    """The log prints those as an indented block."""
    log = f'{HEAD} "command failed" err=<\n\tfirst line\n\tsecond line\n >\n'

    assert Ending("refused", "first line\nsecond line") == ending(log, code=1)


def test_without_last_words_the_last_error_is_the_reason() -> None:
    """Some checks end the kubelet with a message of their own."""
    log = f'I1121 23:01:02.1 1 a.go:1] "fine"\n{HEAD} "Failed to do it" err="no"\n'

    assert Ending("refused", "Failed to do it: no") == ending(log, code=1)


def test_words_outside_the_log_format_count_too() -> None:
    """Flags are refused on standard error, before there is a log."""
    assert Ending("refused", "unknown flag: --x") == ending("unknown flag: --x\n", code=1)


def test_a_panic_is_not_a_refusal() -> None:
    """A Go panic is told apart, even though errors were logged and the exit code looks ordinary."""
    log = f'{HEAD} "command failed" err="x"\npanic: nil map [recovered]\n\ngoroutine 7 [running]:\nmain.main()\n'

    assert Ending("panicked", "panic: nil map") == ending(log, code=2)


def test_a_log_line_that_speaks_of_panic_is_no_panic() -> None:
    """Only the runtime's own report counts."""
    log = f'{HEAD} "command failed" err="panic: said somebody"\n'

    assert "refused" == ending(log, code=1).kind


def test_a_signal_is_not_a_refusal() -> None:
    """A kubelet that was killed did not decide anything."""
    assert Ending("killed", "signal 9; last words: it logged nothing") == ending("", code=137, signal=9)


def test_quoted_errors_are_read_as_go_wrote_them() -> None:
    """Escapes of Go's quoting, also those of single bytes and code points."""
    assert 'a "b"\tc\\ é\n' == unquote(r'"a \"b\"\tc\\ \u00e9\n"')


def test_a_random_name_is_no_part_of_a_refusal() -> None:
    """Two kubelets that fail to write a file say the same."""
    log = (
        f'{HEAD} "command failed" err="rename /var/lib/kubelet/.2509376038 /var/lib/kubelet/x: no space left on device"'
    )

    assert Ending("refused", "rename /var/lib/kubelet/.TEMP /var/lib/kubelet/x: no space left on device") == ending(
        log, code=1
    )


def test_a_kubelet_that_is_killed_at_a_point_has_refused_nothing() -> None:
    """Any other has a reason, if an empty one."""
    assert (None, "") == (Ending("crashed", "").refusal, Ending("stopped", "").refusal)


def test_a_machine_that_has_given_out_its_inotify_instances_is_no_refusal() -> None:
    """Every kubelet and every node of a cluster takes some of them; whose kubelet it is does not matter."""
    log = f'{HEAD} "Failed to start cAdvisor" err="inotify_init: too many open files"\n'

    error = starved(ending(log, code=1))

    assert error is not None
    assert "fs.inotify.max_user_instances" in error.remedy
    assert starved(Ending("refused", "no such file")) is None

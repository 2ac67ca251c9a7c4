"""Cases of the catalogue that pass on every release can fail too: each is caught by a wrong model.

Cases that fail on a release need no model. The pairs were found by running all wrong models on all cases; models under which
no kubelet would start at all were left out.
"""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.test_wrong_models import noticed
from tests.wrong_models import WRONG
from tests.wrong_subject import WrongSubject

CAUGHT = {
    "a damaged file is taken for none": [
        "135711_damaged_file::test_bytes_of_nothing",
        "135711_damaged_file::test_cut_off",
        "135711_damaged_file::test_null_in_a_whole_file",
        "135711_damaged_file::test_two_in_one",
        "2718_policy_change::test_none_to_static_with_an_empty_file",
    ],
    "a deleted file is still there": [
        "99483_hugepage_pool::test_pages_are_seen_once_the_file_is_gone",
    ],
    "a node that gave nothing is not counted": [
        "113130_group_split::test_huge_pages_alone_are_split_otherwise",
        "113130_group_split::test_one_of_two_is_deleted",
    ],
    "a pod in admission is not active": [
        "103952_second_container::test_three_containers_while_another_pod_is_cleaned_up",
    ],
    "a restart with blocks on file places anew": [
        "104577_terminal_pods_counted::test_running_pods_are_not_counted_twice_at_a_restart",
        "109996_reservation_changed::test_same_amounts_written_otherwise",
        "139069_checkpoint_skew::test_downgrade_with_single_nodes",
        "141069_pod_scope_hints::test_hint_of_one_container",
        "141069_pod_scope_hints::test_two_containers_stay",
        "84783_crash_between_writes::test_killed_after_both",
    ],
    "cells are called nodes": [
        "139069_checkpoint_skew::test_gate_is_switched_on",
        "139069_checkpoint_skew::test_upgrade",
    ],
    "different masks are preferred": [
        "108052_merged_hint_preferred::test_best_effort_takes_it",
    ],
    "drift is taken as it comes": [
        "109996_reservation_changed::test_more_is_reserved",
        "109996_reservation_changed::test_same_sum_on_another_node",
        "124066_numa_nodes_changed::test_clustering_is_switched_off",
        "131253_memory_drift::test_memory_that_is_really_gone",
        "99483_hugepage_pool::test_pool_of_another_boot",
        "99483_hugepage_pool::test_pool_that_a_pod_uses",
    ],
    "every hint is preferred": [
        "108052_merged_hint_preferred::test_memory_of_two_nodes_and_cpus_of_three",
    ],
    "file of another policy is adopted": [
        "2718_policy_change::test_none_to_static",
        "2718_policy_change::test_static_to_none",
    ],
    "group rule dropped": [
        "108154_best_hint::test_the_next_pod_finds_its_two_nodes",
        "138495_best_effort_refuses::test_second_container_with_cpus_of_both_nodes",
    ],
    "group violation is allocated": [
        "113035_joint_groups::test_groups_that_would_overlap",
        "113035_joint_groups::test_huge_pages_of_mixed_sizes",
        "113035_joint_groups::test_set_of_nodes_over_a_single_one",
        "120733_single_and_cross::test_cpus_that_do_not_matter",
        "120733_single_and_cross::test_cpus_that_need_both_nodes",
        "128669_order_of_pods::test_sequence_of_the_report",
    ],
    "groups share their nodes with single use": [
        "113035_joint_groups::test_group_that_is_joined",
        "120733_single_and_cross::test_other_order",
    ],
    "init memory is not reused": [
        "123971_init_container_again::test_where_there_is_room",
    ],
    "nothing is cleaned up": [
        "104577_terminal_pods_counted::test_pod_that_has_finished",
        "104577_terminal_pods_counted::test_pod_that_has_finished_before_a_restart",
        "81324_stale_state::test_nothing_is_given_back_at_a_start_without_pods",
        "81324_stale_state::test_pod_that_is_gone_before_a_start_makes_room",
    ],
    "one type with room is enough": [
        "140814_pages_of_init::test_scope_container",
    ],
    "reserved CPUs are given out": [
        "108154_best_hint::test_memory_of_two_nodes_and_one_cpu",
        "84525_hints_of_running_pods::test_full_node",
    ],
    "single-numa-node keeps wide hints": [
        "128669_order_of_pods::test_single_numa_node_knows_no_groups",
    ],
    "the mask of all nodes is never offered": [
        "113130_group_split::test_group_of_three_nodes",
        "113130_group_split::test_group_that_nobody_left",
        "113130_group_split::test_sequence_of_the_report",
        "128669_order_of_pods::test_big_pod_first",
        "128669_order_of_pods::test_big_pod_first_where_alignment_is_not_required",
        "128708_wrong_reason::test_reason_where_there_is_a_hint",
        "139069_checkpoint_skew::test_downgrade_with_a_group",
    ],
}
"""Wrong model → cases that catch it: what follows `suites/regressions/test_`."""


@pytest.mark.parametrize("name", CAUGHT)
def test_cases_catch_a_wrong_model(name: str) -> None:
    """By their literal expectations."""
    (model,) = (model for model in WRONG if model.name == name)
    with closing(WrongSubject(model)) as subject:
        missed = [case for case in CAUGHT[name] if not noticed(f"regressions/test_{case}", subject).literal]

    assert [] == missed

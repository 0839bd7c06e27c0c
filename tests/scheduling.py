"""Which tests run in one worker after one another: those that share what is expensive to make."""

import zlib

from xdist.scheduler import LoadScopeScheduling

# Tests that open a world of their own: a worker each.
ALONE = frozenset(
    {
        "test_a_broken_world_fails",
        "test_a_quota_of_five_jobs",
        "test_a_scan_of_200_videos_over_both_lanes",
        "test_five_slots_of_twenty",
        "test_own_videos",
        "test_two_at_once_and_a_folder_removed_meanwhile",
    }
)
# Folders whose tests take long and share nothing.
SINGLE = ("tests/kill/", "tests/model/")
# Modules whose tests wait for a world of their own and do not follow from one another: half of them have another one.
HALVED = frozenset({"tests/browser/test_desk.py"})
# Worlds that a module opens one after the other, by the last parameter of its tests.
WORLDS = frozenset({"kind", "unkind"})


class ModuleScheduling(LoadScopeScheduling):
    """Gives a module to a worker; of `end_to_end` what shares a world, of the longest tests each by itself.

    The marks of `--dist loadgroup` do nothing: pytest-xdist 3.8 writes them into an attribute that pytest 9.2 does not read.
    """

    def _split_scope(self, nodeid: str) -> str:
        module, _, test = nodeid.partition("::")
        name, _, parameters = test.removesuffix("]").partition("[")
        if name in ALONE or module.startswith(SINGLE):
            return nodeid
        if module in HALVED:
            return f"{module} {zlib.crc32(name.encode()) % 2}"
        world = parameters.rpartition("-")[2]
        return f"{module} {world}" if world in WORLDS else module

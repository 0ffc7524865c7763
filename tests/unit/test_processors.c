/* Quotas of cgroups of both versions, in a tree of files. */
#include <sched.h>

#include "lib/lstm/core/processors.h"
#include "tests/support/folder.h"

static void write_text(const char *name, const char *text)
{
    test_write_file(name, text, strlen(text));
}

static int create_tree(void **state)
{
    static const char *const folders[] = {
        "proc",
        "proc/self",
        "sys",
        "sys/fs",
        "sys/fs/cgroup",
        "sys/fs/cgroup/a.slice",
        "sys/fs/cgroup/a.slice/b.service",
        "sys/fs/cgroup/cpu",
        "sys/fs/cgroup/cpu/job",
    };
    if (test_folder_create(state))
        return -1;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        test_make_folder(folders[i]);
    return 0;
}

static size_t processors(void)
{
    return lstm_usable_processors(test_folder);
}

static size_t all_processors(void)
{
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
    return (size_t)CPU_COUNT(&set);
}

static size_t at_most_all(size_t count)
{
    return count < all_processors() ? count : all_processors();
}

static void without_a_quota_the_mask_applies(void **state)
{
    (void)state;
    assert_int_equal(processors(), all_processors());
    write_text("proc/self/cgroup", "nonsense\n0::/a.slice/b.service\n7:memory:/x\n");
    assert_int_equal(processors(), all_processors());
    write_text("sys/fs/cgroup/a.slice/cpu.max", "max 100000\n");
    assert_int_equal(processors(), all_processors());
}

static void the_smallest_quota_of_the_groups_above_applies(void **state)
{
    (void)state;
    write_text("proc/self/cgroup", "0::/a.slice/b.service\n");
    write_text("sys/fs/cgroup/a.slice/cpu.max", "90000 100000\n");
    assert_int_equal(processors(), 1);
    write_text("sys/fs/cgroup/a.slice/cpu.max", "150000 100000\n");
    assert_int_equal(processors(), at_most_all(2));
    write_text("sys/fs/cgroup/a.slice/b.service/cpu.max", "50000 100000\n");
    assert_int_equal(processors(), 1);
    unlink(test_path("sys/fs/cgroup/a.slice/b.service/cpu.max"));
    unlink(test_path("sys/fs/cgroup/a.slice/cpu.max"));
    write_text("sys/fs/cgroup/cpu.max", "100000 100000\n");
    assert_int_equal(processors(), 1);
    write_text("proc/self/cgroup", "0::/\n");
    assert_int_equal(processors(), 1);
    /* A path of the host, seen from a container. */
    write_text("proc/self/cgroup", "0::/not/mounted/here\n");
    assert_int_equal(processors(), 1);
    /* The format has no path that is not absolute. */
    write_text("proc/self/cgroup", "0::name\n");
    assert_int_equal(processors(), all_processors());
    unlink(test_path("sys/fs/cgroup/cpu.max"));
}

static void version_1_has_a_separate_tree(void **state)
{
    (void)state;
    write_text("proc/self/cgroup", "5:memory:/\n4:cpuset:/job\n3:cpu,cpuacct:/job\n");
    write_text("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "-1\n");
    write_text("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
    assert_int_equal(processors(), all_processors());
    write_text("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "30000\n");
    assert_int_equal(processors(), 1);
    write_text("proc/self/cgroup", "3:cpu:/\n");
    assert_int_equal(processors(), all_processors());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_quota_the_mask_applies),
        TEST(the_smallest_quota_of_the_groups_above_applies),
        TEST(version_1_has_a_separate_tree),
    };
    return cmocka_run_group_tests(tests, create_tree, test_folder_remove);
}

/* What a replacement keeps of the old file: its mode, owner and group, and the links
 * that lead to it; and which files it refuses. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/wait.h>

#include "lib/common/file.h"
#include "tests/support/folder.h"
#include "tests/support/replace.h"

/* Users of the tests that root runs. */
enum { OTHER = 65534, GROUP = 4321 };

static struct stat describe(const char *path)
{
    struct stat facts;
    assert_int_equal(lstat(path, &facts), 0);
    return facts;
}

static mode_t mode_of(const char *path)
{
    return describe(path).st_mode & 07777;
}

static void permissions_stay_as_they_are(void **state)
{
    (void)state;
    static const mode_t modes[] = {0600, 0640, 0664, 0666, 0755, 0200, 0620};
    mode_t before = umask(077);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        const char *path = old_file();
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_int_equal(replace(path), 0);
        assert_int_equal(mode_of(path), modes[i]);
        /* The old bytes of a mode without the right to read are compared as root. */
        assert_int_equal(chmod(path, 0600), 0);
        assert_true(holds(path, new_text, sizeof(new_text)));
    }
    umask(before);
}

static void a_new_file_has_the_mode_of_the_process(void **state)
{
    (void)state;
    const char *path = test_path("new");
    mode_t before = umask(027);
    assert_int_equal(replace(path), 0);
    umask(before);
    assert_int_equal(mode_of(path), 0640);
    unlink(path);
}

/* The temporary file is never more readable than the old file. */
static void a_private_file_is_private_while_it_is_written(void **state)
{
    (void)state;
    char name[64];
    common_replacement replacement;
    const char *path = old_file();
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(common_replace_begin(&replacement, path), 0);
    snprintf(name, sizeof(name), "file.%ld.0.tmp", (long)getpid());
    assert_int_equal(mode_of(test_path(name)), 0600);
    common_replace_abandon(&replacement);
}

static void a_file_that_nobody_may_write_is_refused(void **state)
{
    (void)state;
    const mode_t modes[] = {0444, 0400, 0};
    for (size_t i = 0; i < 3; i++) {
        const char *path = old_file();
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_int_equal(replace(path), EACCES);
        assert_int_equal(mode_of(path), modes[i]);
        assert_int_equal(chmod(path, 0600), 0);
        assert_true(holds(path, old_text, sizeof(old_text)));
        assert_int_equal(test_count_files(test_folder), 1);
    }
}

/* Replaces the file at path as another user; returns the result. */
static int replace_as(uid_t user, gid_t group, gid_t member, const char *path)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (setgroups(1, &member) || setgid(group) || setuid(user))
            _exit(255);
        _exit(replace(path));
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool is_root(void)
{
    if (geteuid() == 0)
        return true;
    print_message("# skipped: only root can change owners\n");
    return false;
}

static void check_owner(const char *path, uid_t owner, gid_t group, mode_t mode)
{
    struct stat facts = describe(path);
    assert_int_equal(facts.st_uid, owner);
    assert_int_equal(facts.st_gid, group);
    assert_int_equal(facts.st_mode & 07777, mode);
}

static void owner_and_group_stay_where_the_process_may_set_them(void **state)
{
    (void)state;
    if (!is_root())
        return;
    const char *path = old_file();
    assert_int_equal(chmod(test_folder, 0777), 0);
    assert_int_equal(chown(path, OTHER, GROUP), 0);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(replace(path), 0);
    check_owner(path, OTHER, GROUP, 0640);
    /* A member of the group keeps the group, but becomes the owner. */
    assert_int_equal(chown(path, 0, GROUP), 0);
    assert_int_equal(chmod(path, 0660), 0);
    assert_int_equal(replace_as(OTHER, OTHER, GROUP, path), 0);
    check_owner(path, OTHER, GROUP, 0660);
    /* Others keep neither. Their group gets no more than everybody has. */
    assert_int_equal(chown(path, 0, 0), 0);
    assert_int_equal(chmod(path, 0662), 0);
    assert_int_equal(replace_as(OTHER, OTHER, GROUP, path), 0);
    check_owner(path, OTHER, OTHER, 0622);
    assert_int_equal(chmod(test_folder, 0700), 0);
}

/* In a folder that everybody may write, a rename would replace any file. */
static void a_file_that_the_process_may_not_write_is_refused(void **state)
{
    (void)state;
    if (!is_root())
        return;
    const char *path = old_file();
    assert_int_equal(chmod(test_folder, 0777), 0);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(replace_as(OTHER, OTHER, OTHER, path), EACCES);
    check_owner(path, 0, 0, 0644);
    assert_true(holds(path, old_text, sizeof(old_text)));
    assert_int_equal(chmod(test_folder, 0700), 0);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(replace_as(OTHER, OTHER, OTHER, path), EACCES);
    assert_int_equal(test_count_files(test_folder), 1);
}

/* Replaces through the link; the link keeps its text. */
static void check_link(const char *text, const char *link, const char *target)
{
    char found[TEST_PATH_SIZE] = "";
    assert_int_equal(symlink(text, link), 0);
    assert_int_equal(replace(link), 0);
    assert_true(readlink(link, found, sizeof(found) - 1) > 0);
    assert_string_equal(found, text);
    assert_true(S_ISREG(describe(target).st_mode));
    assert_true(holds(target, new_text, sizeof(new_text)));
    unlink(link);
}

static void a_link_stays_and_its_target_is_replaced(void **state)
{
    (void)state;
    const char *folder = test_make_folder("folder");
    const char *link = test_path("link"), *inner = test_path("folder/link");
    const char *path = old_file();
    check_link("file", link, path);
    check_link(old_file(), link, path);
    (void)old_file();
    check_link("./folder/../file", link, path);
    (void)old_file();
    check_link("../file", inner, path);
    /* A chain: link -> folder/link -> ../file. */
    (void)old_file();
    assert_int_equal(symlink("../file", inner), 0);
    check_link("folder/link", link, path);
    assert_true(S_ISLNK(describe(inner).st_mode));
    unlink(inner);
    assert_int_equal(test_count_files(folder), 0);
    rmdir(folder);
    assert_int_equal(test_count_files(test_folder), 1);
}

static void a_link_to_nothing_creates_its_target(void **state)
{
    (void)state;
    const char *folder = test_make_folder("folder");
    const char *target = test_path("folder/new");
    check_link("folder/new", test_path("link"), target);
    unlink(target);
    rmdir(folder);
    assert_int_equal(symlink("folder/new", test_path("link")), 0);
    assert_int_equal(replace(test_path("link")), ENOENT);
    unlink(test_path("link"));
}

static void links_that_lead_to_no_file_are_refused(void **state)
{
    (void)state;
    const char *link = test_path("link");
    static const struct {
        const char *text;
        int error;
    } cases[] = {{".", EISDIR},
                 {"/dev/null", EINVAL},
                 {"link", ELOOP},
                 {"none/", EISDIR},
                 {"file/none", ENOTDIR},
                 {"none/none", ENOENT},
                 {"/proc/self/fd/777", ENOENT}};
    (void)old_file();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(symlink(cases[i].text, link), 0);
        assert_int_equal(replace(link), cases[i].error);
        assert_true(S_ISLNK(describe(link).st_mode));
        unlink(link);
    }
}

/* A link of /proc to an open file that was removed leads to a file without a path. */
static void an_open_file_without_a_name_is_refused(void **state)
{
    (void)state;
    char link[64];
    const char *path = old_file();
    int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    if (access(link, F_OK) == 0) {
        assert_int_equal(replace(link), 0);
        assert_true(holds(path, new_text, sizeof(new_text)));
        unlink(path);
        assert_int_equal(replace(link), EINVAL);
        assert_int_equal(test_count_files(test_folder), 0);
    }
    close(file);
}

/* The rename gives the name to the new file; other names keep the old one. */
static void another_hard_link_keeps_the_old_content(void **state)
{
    (void)state;
    const char *path = old_file(), *other = test_path("other");
    assert_int_equal(link(path, other), 0);
    assert_int_equal(replace(path), 0);
    assert_true(holds(path, new_text, sizeof(new_text)));
    assert_true(holds(other, old_text, sizeof(old_text)));
    assert_int_equal(describe(other).st_nlink, 1);
    unlink(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(permissions_stay_as_they_are),
        TEST(a_new_file_has_the_mode_of_the_process),
        TEST(a_private_file_is_private_while_it_is_written),
        TEST(a_file_that_nobody_may_write_is_refused),
        TEST(owner_and_group_stay_where_the_process_may_set_them),
        TEST(a_file_that_the_process_may_not_write_is_refused),
        TEST(a_link_stays_and_its_target_is_replaced),
        TEST(a_link_to_nothing_creates_its_target),
        TEST(links_that_lead_to_no_file_are_refused),
        TEST(an_open_file_without_a_name_is_refused),
        TEST(another_hard_link_keeps_the_old_content),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}

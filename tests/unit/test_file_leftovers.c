/* The temporary files of a replacement: those of killed processes are removed by the
 * next one, those of living processes never, and no file stands in the way. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "lib/common/file.h"
#include "tests/support/faults.h"
#include "tests/support/folder.h"
#include "tests/support/replace.h"

static bool exists(const char *path)
{
    struct stat facts;
    return lstat(path, &facts) == 0;
}

static int write_all(const char *path)
{
    common_replacement replacement;
    int error = common_replace_begin(&replacement, path);
    if (!error)
        error = common_replace_write(&replacement, new_text, sizeof(new_text));
    return error;
}

/* A child that has begun to replace the file. It waits until it is killed. */
static pid_t start_child(const char *path)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool begun = write_all(path) == 0;
        if (write(ready[1], "x", begun) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static void kill_child(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void what_a_killed_process_left_is_removed(void **state)
{
    (void)state;
    const char *path = old_file();
    pid_t children[3];
    for (size_t i = 0; i < 3; i++)
        children[i] = start_child(path);
    assert_int_equal(test_count_files(test_folder), 4);
    for (size_t i = 0; i < 3; i++)
        kill_child(children[i]);
    assert_int_equal(test_count_files(test_folder), 4);
    assert_true(holds(path, old_text, sizeof(old_text)));
    assert_int_equal(replace(path), 0);
    assert_int_equal(test_count_files(test_folder), 1);
    assert_true(holds(path, new_text, sizeof(new_text)));
}

static void the_file_of_a_living_process_stays(void **state)
{
    (void)state;
    char name[64];
    const char *path = old_file();
    pid_t child = start_child(path);
    snprintf(name, sizeof(name), "file.%ld.0.tmp", (long)child);
    const char *temporary = test_path(name);
    assert_int_equal(replace(path), 0);
    assert_true(holds(temporary, new_text, sizeof(new_text)));
    kill_child(child);
    assert_int_equal(replace(path), 0);
    assert_false(exists(temporary));
}

/* The number in the name does not matter: it is that of this process, as it may be
 * after a restart of the machine. */
static void a_number_that_is_in_use_again_does_not_matter(void **state)
{
    (void)state;
    char name[64];
    const char *path = old_file();
    snprintf(name, sizeof(name), "file.%ld.0.tmp", (long)getpid());
    const char *left = test_write_file(name, "x", 1);
    assert_int_equal(replace(path), 0);
    assert_false(exists(left));
    assert_int_equal(test_count_files(test_folder), 1);
}

static void two_replacements_of_a_process_do_not_disturb_each_other(void **state)
{
    (void)state;
    const char *path = old_file();
    common_replacement first, second;
    assert_int_equal(common_replace_begin(&first, path), 0);
    assert_int_equal(common_replace_begin(&second, path), 0);
    assert_int_equal(test_count_files(test_folder), 3);
    assert_int_equal(common_replace_write(&first, "first", 5), 0);
    assert_int_equal(common_replace_write(&second, "second", 6), 0);
    assert_int_equal(common_replace_commit(&first), 0);
    assert_true(holds(path, "first", 5));
    assert_int_equal(common_replace_commit(&second), 0);
    assert_true(holds(path, "second", 6));
    assert_int_equal(test_count_files(test_folder), 1);
}

static void files_of_other_names_stay(void **state)
{
    (void)state;
    static const char *const names[] = {
        "file.1.2.tmp.3", "file.1.tmp",    "file..2.tmp",    "file.1..tmp",
        "file.1.x.tmp",   "files.1.2.tmp", "file.1.2.3.tmp", "file.1.2.TMP",
        "a.file.1.2.tmp", "file.tmp",      "file.-1.2.tmp",  "file.1.2.tmp~"};
    enum { NAMES = sizeof(names) / sizeof(names[0]) };
    const char *path = old_file();
    for (size_t i = 0; i < NAMES; i++)
        test_write_file(names[i], "x", 1);
    assert_int_equal(replace(path), 0);
    assert_int_equal(test_count_files(test_folder), 1 + NAMES);
    for (size_t i = 0; i < NAMES; i++) {
        assert_true(holds(test_path(names[i]), "x", 1));
        unlink(test_path(names[i]));
    }
}

/* Links, folders and pipes of these names are neither followed nor removed. */
static void no_other_kind_of_file_stands_in_the_way(void **state)
{
    (void)state;
    char name[64];
    const char *path = old_file();
    snprintf(name, sizeof(name), "file.%ld.0.tmp", (long)getpid());
    char taken[2 * TEST_PATH_SIZE], other[2 * TEST_PATH_SIZE];
    char victim[2 * TEST_PATH_SIZE];
    snprintf(taken, sizeof(taken), "%s", test_path(name));
    snprintf(other, sizeof(other), "%s", test_path("file.1.2.tmp"));
    snprintf(victim, sizeof(victim), "%s", test_write_file("victim", "x", 1));
    for (int kind = 0; kind < 4; kind++) {
        if (kind == 0)
            assert_int_equal(symlink(victim, taken), 0);
        else if (kind == 1)
            assert_int_equal(symlink(test_path("none"), taken), 0);
        else if (kind == 2)
            assert_int_equal(mkdir(taken, 0700), 0);
        else
            assert_int_equal(mkfifo(taken, 0600), 0);
        assert_int_equal(symlink(victim, other), 0);
        assert_int_equal(replace(path), 0);
        assert_true(holds(path, new_text, sizeof(new_text)));
        assert_true(holds(victim, "x", 1));
        assert_false(exists(test_path("none")));
        assert_true(exists(taken) && exists(other));
        assert_int_equal(test_count_files(test_folder), 4);
        remove(taken);
        unlink(other);
    }
    unlink(victim);
}

/* Names that are in use, with locks, do not block a replacement. */
static void names_that_are_taken_are_skipped(void **state)
{
    (void)state;
    enum { TAKEN = 100 };
    int files[TAKEN];
    const char *path = old_file();
    for (int i = 0; i < TAKEN; i++) {
        char name[64];
        snprintf(name, sizeof(name), "file.%ld.%d.tmp", (long)getpid(), i);
        files[i] = open(test_path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(flock(files[i], LOCK_EX), 0);
    }
    assert_int_equal(replace(path), 0);
    assert_int_equal(test_count_files(test_folder), 1 + TAKEN);
    for (int i = 0; i < TAKEN; i++)
        close(files[i]);
    assert_int_equal(replace(path), 0);
    assert_int_equal(test_count_files(test_folder), 1);
}

/* A file system without locks: nothing is removed, everything else works. */
static int no_locks(int file, int operation)
{
    (void)file, (void)operation;
    errno = ENOLCK;
    return -1;
}

static void without_locks_nothing_is_removed(void **state)
{
    (void)state;
    common_file_calls calls = *common_file_get_calls();
    calls.flock = no_locks;
    const char *path = old_file(), *left = test_write_file("file.1.2.tmp", "x", 1);
    common_file_set_calls(&calls);
    int error = replace(path);
    common_file_set_calls(NULL);
    assert_int_equal(error, 0);
    assert_true(holds(path, new_text, sizeof(new_text)));
    assert_true(holds(left, "x", 1));
    assert_int_equal(replace(path), 0);
    assert_false(exists(left));
}

/* Another replacement removes the new temporary file before it is locked. */
static size_t thefts;
static bool by_lock;

static int stolen_flock(int file, int operation)
{
    char name[64];
    if (thefts > 0 && operation == (LOCK_EX | LOCK_NB)) {
        thefts--;
        if (by_lock) {
            errno = EWOULDBLOCK;
            return -1;
        }
        snprintf(name, sizeof(name), "file.%ld.0.tmp", (long)getpid());
        unlink(test_path(name));
    }
    return flock(file, operation);
}

static void a_temporary_file_that_is_removed_too_early_is_made_again(void **state)
{
    (void)state;
    common_file_calls calls = *common_file_get_calls();
    calls.flock = stolen_flock;
    for (int i = 0; i < 2; i++) {
        const char *path = old_file();
        by_lock = i == 1;
        thefts = 1;
        common_file_set_calls(&calls);
        int error = replace(path);
        common_file_set_calls(NULL);
        assert_int_equal(error, 0);
        assert_int_equal(thefts, 0);
        assert_true(holds(path, new_text, sizeof(new_text)));
        /* The file whose lock another process holds is left to that process. */
        assert_int_equal(test_count_files(test_folder), 1 + i);
    }
    assert_int_equal(replace(test_path("file")), 0);
    assert_int_equal(test_count_files(test_folder), 1);
}

/* Names as long as the file system allows, which differ in their last byte only. */
static void long_names_are_replaced_and_cleaned(void **state)
{
    (void)state;
    unlink(old_file());
    static const size_t sizes[] = {99, 100, 101, 200, 254, NAME_MAX};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char name[NAME_MAX + 1] = "", other[NAME_MAX + 1];
        /* From the second byte on, characters of two bytes. */
        name[0] = sizes[i] % 2 ? 'x' : '\0';
        while (strlen(name) < sizes[i])
            strcat(name, "\xc3\xa9");
        strcpy(other, name);
        other[sizes[i] - 1] = '\xa8';
        const char *path = test_path(name), *second = test_path(other);
        assert_int_equal(replace(path), 0);
        pid_t living = start_child(second), child = start_child(path);
        kill_child(child);
        assert_int_equal(test_count_files(test_folder), 3);
        assert_int_equal(replace(path), 0);
        assert_int_equal(test_count_files(test_folder), 2);
        kill_child(living);
        assert_int_equal(replace(second), 0);
        assert_int_equal(test_count_files(test_folder), 2);
        unlink(path);
        unlink(second);
    }
    char longer[NAME_MAX + 2];
    memset(longer, 'x', NAME_MAX + 1);
    longer[NAME_MAX + 1] = '\0';
    assert_int_equal(replace(test_path(longer)), ENAMETOOLONG);
}

/* Processes that replace one file all the time, some of which are killed. */
static void many_processes_replace_one_file(void **state)
{
    (void)state;
    enum { CHILDREN = 4, ROUNDS = 60 };
    const char *path = old_file();
    pid_t children[CHILDREN];
    assert_int_equal(replace(path), 0);
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        for (int round = 0; children[i] == 0; round++) {
            int error = replace(path);
            if (error || (i % 2 && round == ROUNDS))
                _exit(error);
        }
    }
    for (int i = 1; i < CHILDREN; i += 2) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
        kill_child(children[i - 1]);
        assert_true(holds(path, new_text, sizeof(new_text)));
    }
    assert_int_equal(replace(path), 0);
    assert_int_equal(test_count_files(test_folder), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_killed_process_left_is_removed),
        TEST(the_file_of_a_living_process_stays),
        TEST(a_number_that_is_in_use_again_does_not_matter),
        TEST(two_replacements_of_a_process_do_not_disturb_each_other),
        TEST(files_of_other_names_stay),
        TEST(no_other_kind_of_file_stands_in_the_way),
        TEST(names_that_are_taken_are_skipped),
        TEST(without_locks_nothing_is_removed),
        TEST(a_temporary_file_that_is_removed_too_early_is_made_again),
        TEST(long_names_are_replaced_and_cleaned),
        TEST(many_processes_replace_one_file),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}

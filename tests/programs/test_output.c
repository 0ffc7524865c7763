/* Files that programs write: complete or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "examples/common/message.h"
#include "examples/common/output.h"
#include "tests/support/folder.h"

static void check_content(const char *name, const char *expected)
{
    char text[64] = {0};
    test_read_file(name, text, sizeof(text));
    assert_string_equal(text, expected);
}

static void write_to(const char *path, const char *text)
{
    output file;
    assert_true(output_open(&file, path));
    fputs(text, file.stream);
    assert_true(output_commit(&file));
    assert_null(file.stream);
}

static void a_file_is_replaced_when_it_is_complete(void **state)
{
    (void)state;
    output file;
    write_to(test_path("new"), "new");
    check_content("new", "new");
    assert_true(output_open(&file, test_path("new")));
    fputs("half", file.stream);
    check_content("new", "new");
    output_abandon(&file);
    check_content("new", "new");
    write_to(test_path("new"), "newer");
    check_content("new", "newer");
    assert_int_equal(test_count_files(test_folder), 1);
}

static void modes_and_links_stay(void **state)
{
    (void)state;
    struct stat facts;
    test_write_file("target", "old", 3);
    assert_int_equal(chmod(test_path("target"), 0600), 0);
    assert_int_equal(symlink("target", test_path("link")), 0);
    write_to(test_path("link"), "new");
    check_content("target", "new");
    assert_int_equal(lstat(test_path("link"), &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_int_equal(stat(test_path("target"), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
}

static void what_cannot_be_written_is_refused(void **state)
{
    (void)state;
    output file;
    assert_false(output_open(&file, test_folder));
    assert_false(output_open(&file, test_path("none/file")));
    assert_null(file.stream);
    if (access("/dev/full", W_OK) != 0)
        return;
    assert_true(output_open(&file, "/dev/full"));
    fputs("lost", file.stream);
    assert_false(output_commit(&file));
    test_write_file("fixed", "old", 3);
    assert_int_equal(chmod(test_path("fixed"), 0400), 0);
    assert_false(output_open(&file, test_path("fixed")));
    check_content("fixed", "old");
}

static void files_of_killed_programs_are_removed(void **state)
{
    (void)state;
    test_write_file("model.77.0.tmp", "left", 4);
    test_write_file("model.x.0.tmp", "mine", 4);
    test_write_file("model.1.0.tmp", "alive", 5);
    int alive = open(test_path("model.1.0.tmp"), O_WRONLY);
    assert_int_equal(flock(alive, LOCK_EX), 0);
    write_to(test_path("model"), "new");
    assert_int_equal(access(test_path("model.77.0.tmp"), F_OK), -1);
    assert_int_equal(access(test_path("model.x.0.tmp"), F_OK), 0);
    assert_int_equal(access(test_path("model.1.0.tmp"), F_OK), 0);
    close(alive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_replaced_when_it_is_complete),
        TEST(modes_and_links_stay),
        TEST(what_cannot_be_written_is_refused),
        TEST(files_of_killed_programs_are_removed),
    };
    message_set_program("test-output");
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}

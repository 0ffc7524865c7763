/* Why a file cannot be opened or written. root may do everything, so that calls that
 * answer as for another user stand in for those of the system. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/common/file.h"
#include "lib/common/reason.h"
#include "tests/support/folder.h"
#include "tests/support/test.h"

/* What access() forbids, and the last path that it was asked for. */
static const char *forbidden;
static char asked[TEST_PATH_SIZE];

static int forbid(const char *path, int mode)
{
    (void)mode;
    snprintf(asked, sizeof(asked), "%s", path);
    return forbidden && strcmp(path, forbidden) == 0 ? -1 : 0;
}

static int start(void **state)
{
    static common_file_calls calls;
    if (test_folder_create(state))
        return -1;
    calls = *common_file_get_calls();
    calls.access = forbid;
    common_file_set_calls(&calls);
    forbidden = NULL;
    asked[0] = '\0';
    test_write_file("file", "x", 1);
    return 0;
}

static int end(void **state)
{
    common_file_set_calls(NULL);
    return test_folder_remove(state);
}

static void assert_write_reason(const char *path, int error, const char *expected)
{
    char text[COMMON_REASON_SIZE];
    assert_string_equal(common_write_reason(text, path, error), expected);
}

static void a_protected_file_or_folder_is_named_and_no_other(void **state)
{
    (void)state;
    char file[TEST_PATH_SIZE], missing[TEST_PATH_SIZE], folder[TEST_PATH_SIZE + 1];
    snprintf(file, sizeof(file), "%s", test_path("file"));
    snprintf(missing, sizeof(missing), "%s", test_path("missing"));
    snprintf(folder, sizeof(folder), "%s/", test_folder);
    assert_write_reason(file, EACCES, "Permission denied");
    assert_write_reason(missing, EACCES, "Permission denied");
    assert_string_equal(asked, folder);
    forbidden = folder;
    assert_write_reason(missing, EACCES,
                        "Permission denied: no permission to write in its folder");
    assert_write_reason(file, EACCES,
                        "Permission denied: no permission to write in its folder");
    forbidden = file;
    assert_int_equal(chmod(file, 0604), 0);
    assert_write_reason(file, EACCES, "Permission denied: write-protected (mode 604)");
    forbidden = NULL;
    assert_int_equal(chmod(file, 0444), 0);
    assert_write_reason(file, EACCES, "Permission denied: write-protected (mode 444)");
    assert_write_reason(file, EIO, "Input/output error");
}

static void the_folder_of_a_name_alone_is_this_one(void **state)
{
    (void)state;
    forbidden = ".";
    assert_write_reason("no-such-file", EACCES,
                        "Permission denied: no permission to write in its folder");
    assert_string_equal(asked, ".");
    forbidden = "/";
    assert_write_reason("/no-such-file", EACCES,
                        "Permission denied: no permission to write in its folder");
    assert_string_equal(asked, "/");
}

static void links_to_nothing_and_empty_names_are_explained(void **state)
{
    (void)state;
    char text[COMMON_REASON_SIZE], link[TEST_PATH_SIZE], expected[COMMON_REASON_SIZE];
    snprintf(link, sizeof(link), "%s", test_path("link"));
    assert_int_equal(symlink("gone/file", link), 0);
    assert_contains(common_reason(text, link, ENOENT), "gone/file");
    snprintf(expected, sizeof(expected),
             "a symbolic link to 'gone/file', whose folder does not exist");
    assert_write_reason(link, ENOENT, expected);
    assert_string_equal(common_reason(text, test_path("missing"), ENOENT),
                        "No such file or directory");
    assert_string_equal(common_reason(text, "", ENOENT), "empty file name");
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(a_protected_file_or_folder_is_named_and_no_other),
        FOLDER_TEST(the_folder_of_a_name_alone_is_this_one),
        FOLDER_TEST(links_to_nothing_and_empty_names_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
